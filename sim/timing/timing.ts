import { type ConvolutionShape, didYouMean, InputError, requireMemory } from '../../core/index.js';
import type { Bandwidth, OperandBuffers } from '../hardware/operands.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import { doubleBufferStalls } from './double-buffer/stalls.js';
import { sumLayers, timingWithStalls } from './ideal.js';
import { foldCycles, productOf } from './product.js';
import type { LayerTiming, NetworkTiming, Stalls } from './result.js';
import { scaleSimSrams } from './scalesim/srams.js';
import { scaleSimStalls } from './scalesim/stalls.js';

/**
 * Models of finite bandwidth: `double-buffer` loads the next tile behind the current one and fetches nothing twice
 * without need; `scalesim-v2` does what SCALE-Sim v2's code does.
 */
export const BANDWIDTH_MODELS = ['double-buffer', 'scalesim-v2'] as const;

export type BandwidthModel = (typeof BANDWIDTH_MODELS)[number];

/** Other names of models. */
export const BANDWIDTH_MODEL_ALIASES: Readonly<Record<string, BandwidthModel>> = {
  scalesim: 'scalesim-v2',
};

/**
 * The model of a name.
 *
 * @throws InputError naming the models, where there is none of that name
 */
export function bandwidthModelOf(name: string): BandwidthModel {
  const model =
    BANDWIDTH_MODELS.find((known) => known === name) ??
    (Object.hasOwn(BANDWIDTH_MODEL_ALIASES, name) ? BANDWIDTH_MODEL_ALIASES[name] : undefined);
  if (model !== undefined) return model;
  const names = [...BANDWIDTH_MODELS, ...Object.keys(BANDWIDTH_MODEL_ALIASES)];
  throw new InputError(
    `Unknown bandwidth model "${name}"${didYouMean(name, names)}: give one of ${names.join(', ')}.`,
  );
}

/** What stands between the array and its memory. */
export interface MemorySystem {
  readonly model: BandwidthModel;
  readonly buffers: OperandBuffers;
  readonly bandwidth: Bandwidth;
  /** Bytes of an input value, a weight and a final output: 1 unless given. */
  readonly wordBytes?: 1 | 4;
}

/**
 * Timing of one image in one layer; without a memory system, at ideal bandwidth (the formulas are at
 * `timingWithStalls`).
 *
 * @throws InputError where the scalesim-v2 model cannot take a buffer or bandwidth
 */
export function layerTiming(
  shape: ConvolutionShape,
  array: SystolicArray,
  memory?: MemorySystem,
): LayerTiming {
  return timingWithStalls(shape, array, memory && stallsOf(shape, array, memory));
}

/**
 * Timing of one image in the weighted layers of a network, which run one after the other.
 *
 * @throws InputError where the scalesim-v2 model cannot take a buffer or bandwidth
 */
export function networkTiming(
  shapes: readonly ConvolutionShape[],
  array: SystolicArray,
  memory?: MemorySystem,
): NetworkTiming {
  // The channels of a depth-wise layer of a topology share their shape.
  const timings = new Map<ConvolutionShape, LayerTiming>();
  const layers = shapes.map((shape) => {
    const timing = timings.get(shape) ?? layerTiming(shape, array, memory);
    timings.set(shape, timing);
    return timing;
  });
  return sumLayers(shapes, layers, array);
}

function stallsOf(shape: ConvolutionShape, array: SystolicArray, memory: MemorySystem): Stalls {
  const { model, buffers, bandwidth, wordBytes = 1 } = memory;
  requireSimulable(shape, array, model);
  if (model === 'double-buffer') {
    return doubleBufferStalls(shape, array, buffers, bandwidth, wordBytes);
  }
  return scaleSimStalls(shape, array, scaleSimSrams(buffers, bandwidth, wordBytes));
}

/** Tiles of the double-buffer model, or cycles of the scalesim-v2 model, of one layer: minutes. */
const MOST_STEPS = 1e9;

/** What the double-buffer model keeps of each row, column and tile of outputs. */
const BYTES_PER_POSITION = 16;

/** @throws InputError where simulating a layer step by step would take too long, or too much memory */
function requireSimulable(
  shape: ConvolutionShape,
  array: SystolicArray,
  model: BandwidthModel,
): void {
  const { height, width, channels } = shape.output;
  const product = productOf(shape, array);
  const folds = product.rowFolds * product.columnFolds;
  const steps = folds * (model === 'scalesim-v2' ? foldCycles(product, array) : shape.groups);
  const what = `A layer of ${channels}×${height}×${width} outputs on ${array.rows}×${array.columns} processing elements`;
  if (steps > MOST_STEPS) {
    const unit = model === 'scalesim-v2' ? 'cycles' : 'tiles';
    throw new InputError(
      `${what} has ${steps} ${unit}, too many to simulate one by one: leave the bandwidth ideal, or give a larger array.`,
    );
  }
  const positions = shape.input.height + shape.input.width + height + width + product.positions;
  if (model === 'double-buffer') requireMemory(positions * BYTES_PER_POSITION, what);
}
