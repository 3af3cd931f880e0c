import { type ConvolutionShape, featureCount, multiplyAccumulates } from '../../core/index.js';
import type { WordFormat } from '../../models/index.js';
import type { Accelerator } from '../accelerator/index.js';
import type { WeightMemory } from '../interfaces.js';
import { slotCount } from '../memory.js';
import { WORD_BITS } from '../network.js';
import type { AccessCounts } from '../processing-elements/index.js';

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

/** Which SRAMs an accelerator has, named after what they hold. */
export const SRAM_NAMES = ['input', 'weights', 'output'] as const;

export type SramName = (typeof SRAM_NAMES)[number];

export interface NetworkActivity {
  readonly format: WordFormat;
  readonly layers: readonly LayerActivity[];
  /** Bytes of each SRAM; undefined where the accelerator does not say. */
  readonly sramBytes: Readonly<Record<SramName, number | undefined>>;
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
 * Inputs and weights are words of the network's format (8 or 32 bits); what the array writes and reads back are
 * accumulators of 32 bits; final outputs leave for the memory behind in the network's format. Filling an SRAM from
 * that memory writes it, draining reads it; both are counted where `memory` is. In the processing elements each
 * multiply-accumulate reads what stays there (weight or input), which was written once when it was loaded; in an
 * output-stationary array it reads and writes the sum.
 *
 * @param weightMemory the memory that the array reads weights from
 */
export function networkActivity(
  layers: readonly TimedLayer[],
  { array, buffers }: Accelerator,
  weightMemory: WeightMemory,
  format: WordFormat,
): NetworkActivity {
  const bits = WORD_BITS[format];
  return {
    format,
    layers: layers.map((layer) => layerActivity(layer, array.dataflow, bits)),
    sramBytes: {
      input: buffers?.input,
      weights: slotCount(weightMemory, 8),
      output: buffers?.output,
    },
    processingElements: array.rows * array.columns,
  };
}

function layerActivity(
  { name, shape, hardwareCycles, sram, memory }: TimedLayer,
  dataflow: Accelerator['array']['dataflow'],
  bits: number,
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
      weights: { readBits: sram.weightReads * bits, writtenBits: fills.weightReads * bits },
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
