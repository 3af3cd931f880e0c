import { type ConvolutionShape, featureCount, multiplyAccumulates } from '../../core/index.js';
import { WORD_BITS, type WordFormat } from '../../models/index.js';
import type { AccessCounts } from '../hardware/access-counts.js';
import type { OperandBuffers } from '../hardware/operands.js';
import type { Dataflow, SystolicArray } from '../hardware/systolic-array.js';
import type { WeightMemory } from '../memory/weight-memory.js';
import { wordCount, wordSlots } from '../memory/weight-memory.js';

/** Bits that an SRAM, or the memory behind it, was read and written. */
export interface BitTraffic {
  readonly readBits: number;
  readonly writtenBits: number;
}

/** What the accelerator does for one image of one layer. */
export interface LayerActivity {
  readonly name: string;
  readonly cycles: number;
  readonly multiplyAccumulates: number;
  /** Accesses to the registers of the operand, or sum, that stays in the processing elements. */
  readonly registerReads: number;
  readonly registerWrites: number;
  readonly sram: Readonly<Record<SramName, BitTraffic>>;
  /** Undefined where the traffic of the memory behind the SRAMs was not counted: at ideal bandwidth. */
  readonly memory?: BitTraffic | undefined;
}

/** The SRAMs of an accelerator, named after what they hold. */
export type SramName = 'input' | 'weights' | 'output';

/** Bytes of each SRAM; undefined where the accelerator does not say. */
export type SramBytes = Readonly<Record<SramName, number | undefined>>;

/** What the parts of an accelerator do for one image. */
export interface NetworkActivity {
  readonly format: WordFormat;
  readonly layers: readonly LayerActivity[];
  readonly sramBytes: SramBytes;
  readonly processingElements: number;
}

/** A weighted layer and its timing. */
export interface TimedLayer {
  readonly name: string;
  readonly shape: ConvolutionShape;
  readonly hardwareCycles: number;
  /** Words between array and SRAMs. */
  readonly sram: AccessCounts;
  /** Words between the SRAMs and the memory behind them. */
  readonly memory?: AccessCounts | undefined;
}

/** Width of accumulators: of partial sums, and of what the array writes to the output SRAM. */
const SUM_BITS = 32;

/**
 * The activity of an accelerator for one image.
 *
 * Inputs and weights are words of the network's format (8 or 32 bits), and a weight is read and written with its share
 * of the unused bits of its memory word; what the array writes and reads back are
 * accumulators of 32 bits; final outputs leave for the memory behind in the network's format. Filling an SRAM from
 * that memory writes it, draining reads it; both are counted where `memory` is. In the processing elements each
 * multiply-accumulate reads what stays there (weight or input), which was written once when it was loaded; in an
 * output-stationary array it reads and writes the sum.
 */
export function networkActivity(
  layers: readonly TimedLayer[],
  array: SystolicArray,
  sramBytes: SramBytes,
  format: WordFormat,
  weightMemory?: WeightMemory,
): NetworkActivity {
  const bits = WORD_BITS[format];
  const weightBits = weightMemory ? bitsWithWeight(weightMemory, bits) : bits;
  return {
    format,
    layers: layers.map((layer) => layerActivity(layer, array.dataflow, bits, weightBits)),
    sramBytes,
    processingElements: array.rows * array.columns,
  };
}

/** Data bits of the memory that are read with a weight, on average over those of a word. */
function bitsWithWeight(memory: WeightMemory, bits: 8 | 32): number {
  const { perWord, wordsPerWeight } = wordSlots(memory, bits);
  return (memory.wordBits * wordsPerWeight) / perWord;
}

/**
 * Data bytes of the SRAMs of an accelerator.
 *
 * @param weightMemory what the array reads weights from; without one, the buffer for weights
 */
export function sramBytesOf(
  buffers: OperandBuffers | undefined,
  weightMemory?: WeightMemory,
): SramBytes {
  return {
    input: buffers?.input,
    weights: weightMemory
      ? (wordCount(weightMemory) * weightMemory.wordBits) / 8
      : buffers?.weights,
    output: buffers?.output,
  };
}

function layerActivity(
  { name, shape, hardwareCycles, sram, memory }: TimedLayer,
  dataflow: Dataflow,
  bits: number,
  weightBits: number,
): LayerActivity {
  const products = multiplyAccumulates(shape);
  const outputs = featureCount(shape.output);
  const fills = memory ?? { inputReads: 0, weightReads: 0, partialSumReads: 0, outputWrites: 0 };
  // Of what leaves for the memory behind, final outputs are words of the format; the rest are partial sums.
  const partialSumsOut = Math.max(0, fills.outputWrites - outputs);
  const finalOutputs = fills.outputWrites - partialSumsOut;
  const stationaryLoads = {
    'weight-stationary': sram.weightReads,
    'input-stationary': sram.inputReads,
    'output-stationary': products,
  }[dataflow];
  return {
    name,
    cycles: hardwareCycles,
    multiplyAccumulates: products,
    registerReads: products,
    registerWrites: stationaryLoads,
    sram: {
      input: { readBits: sram.inputReads * bits, writtenBits: fills.inputReads * bits },
      weights: {
        readBits: sram.weightReads * weightBits,
        writtenBits: fills.weightReads * weightBits,
      },
      output: {
        readBits: (sram.partialSumReads + fills.outputWrites) * SUM_BITS,
        writtenBits: (sram.outputWrites + fills.partialSumReads) * SUM_BITS,
      },
    },
    memory: memory && {
      readBits: (fills.inputReads + fills.weightReads) * bits + fills.partialSumReads * SUM_BITS,
      writtenBits: finalOutputs * bits + partialSumsOut * SUM_BITS,
    },
  };
}
