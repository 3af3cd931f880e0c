import type { ConvolutionShape } from '../../../core/index.js';
import { type Bandwidth, type OperandBuffers, wordsPerCycle } from '../../hardware/operands.js';
import { preloads, type SystolicArray } from '../../hardware/systolic-array.js';
import { foldCycles, preloadInterval, preloadLatency, productOf } from '../product.js';
import type { Stalls } from '../result.js';
import { InputPort, OutputPort } from './port.js';
import { tileTraffic } from './tile-traffic.js';

/** Accumulators, and so partial sums, have 32 bits in both word formats. */
const PARTIAL_SUM_BYTES = 4;

/**
 * Stalls of a double-buffered accelerator, tile by tile (a tile is a fold of one group). Each operand has an SRAM of
 * two halves and a port of its own to memory:
 * - the words that the next tile needs and the SRAM does not keep (see `tileTraffic`) load behind the current one; a tile
 *   larger than a half that nothing keeps loads its first half ahead and the rest half by half while it runs;
 * - a tile starts when the array is free, its words (or their first half) are there, and there is room for its results;
 * - outputs drain behind the next tile; partial sums that the SRAM cannot hold stream out and in during their tile.
 *
 * So the first tile waits for its operands, and the last one's outputs are waited for.
 *
 * @param wordBytes bytes of an input value, a weight and a final output
 */
export function doubleBufferStalls(
  shape: ConvolutionShape,
  array: SystolicArray,
  buffers: OperandBuffers,
  bandwidth: Bandwidth,
  wordBytes: 1 | 4,
): Stalls {
  const product = productOf(shape, array);
  const capacities = {
    input: Math.floor(buffers.input / wordBytes),
    weights: Math.floor(buffers.weights / wordBytes),
    output: Math.floor(buffers.output / PARTIAL_SUM_BYTES),
  };
  const traffic = tileTraffic(shape, product, array, capacities);
  const speed = (operand: keyof Bandwidth) => wordsPerCycle(bandwidth[operand], wordBytes);
  const input = new InputPort(traffic.input.kept, speed('input'), capacities.input);
  const weights = new InputPort(traffic.weights.kept, speed('weights'), capacities.weights);
  const sumWords = typeof bandwidth.output === 'number' ? 1 : PARTIAL_SUM_BYTES / wordBytes;
  const output = new OutputPort(traffic.output, speed('output'), sumWords, capacities.output);
  const overlapped = preloads(array);
  const tileCycles = overlapped ? preloadInterval(product, array) : foldCycles(product, array);
  // Where tiles overlap, the results of each are late by so much.
  const latency = overlapped ? preloadLatency(product, array) - tileCycles : 0;

  const causes = { firstFill: 0, input: 0, weights: 0, output: 0, lastDrain: 0 };
  /** When the array is free for the next tile. */
  let free = 0;
  let first = true;
  for (let group = 0; group < shape.groups; group++) {
    for (let columnFold = 0; columnFold < product.columnFolds; columnFold++) {
      for (let rowFold = 0; rowFold < product.rowFolds; rowFold++) {
        const inputReady = input.prefetch(traffic.input.words(rowFold, columnFold));
        const weightsReady = weights.prefetch(traffic.weights.words(rowFold, columnFold));
        const outputReady = output.ready(rowFold) - latency;
        const start = Math.max(free, inputReady, weightsReady, outputReady);
        const cause = first ? 'firstFill' : slowest(inputReady, weightsReady, outputReady);
        causes[cause] += start - free;

        // Nothing hides the way of the first weights into an array that preloads the others.
        const cycles = tileCycles + (first && overlapped ? array.rows : 0);
        const inputEnd = input.run(start, cycles);
        const weightsEnd = weights.run(start, cycles);
        const outputEnd = output.run(rowFold, columnFold, start + latency) - latency;
        free = Math.max(start + cycles, inputEnd, weightsEnd, outputEnd);
        causes[slowest(inputEnd, weightsEnd, outputEnd)] += free - start - cycles;
        input.finish(free, cycles);
        weights.finish(free, cycles);
        output.finish(free + latency);
        first = false;
      }
    }
  }
  causes.lastDrain = Math.max(0, output.empty - (free + latency));
  return {
    causes,
    memory: {
      inputReads: input.words,
      weightReads: weights.words,
      partialSumReads: output.partialSums,
      outputWrites: output.words,
    },
  };
}

/** The operand that is waited for longest. */
function slowest(input: number, weights: number, output: number): 'input' | 'weights' | 'output' {
  if (input >= weights && input >= output) return 'input';
  return weights >= output ? 'weights' : 'output';
}
