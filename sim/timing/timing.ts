import type { ConvolutionShape } from '../../core/index.js';
import type { SystolicArray } from '../systolic-array.js';
import type { Bandwidth, OperandBuffers } from './configuration.js';
import { doubleBufferStalls } from './double-buffer/stalls.js';
import { sumLayers, timingWithStalls } from './ideal.js';
import type { LayerTiming, NetworkTiming, Stalls } from './result.js';
import { scaleSimSrams } from './scalesim/srams.js';
import { scaleSimStalls } from './scalesim/stalls.js';

/**
 * Models of finite bandwidth: `double-buffer` loads the next tile behind the current one and fetches nothing twice
 * without need; `scalesim` does what SCALE-Sim v2's code does.
 */
export const BANDWIDTH_MODELS = ['double-buffer', 'scalesim'] as const;

export type BandwidthModel = (typeof BANDWIDTH_MODELS)[number];

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
 * @throws InputError where the scalesim model cannot take a buffer or bandwidth
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
 * @throws InputError where the scalesim model cannot take a buffer or bandwidth
 */
export function networkTiming(
  shapes: readonly ConvolutionShape[],
  array: SystolicArray,
  memory?: MemorySystem,
): NetworkTiming {
  return sumLayers(
    shapes,
    shapes.map((shape) => layerTiming(shape, array, memory)),
    array,
  );
}

function stallsOf(shape: ConvolutionShape, array: SystolicArray, memory: MemorySystem): Stalls {
  const { model, buffers, bandwidth, wordBytes = 1 } = memory;
  if (model === 'double-buffer') {
    return doubleBufferStalls(shape, array, buffers, bandwidth, wordBytes);
  }
  return scaleSimStalls(shape, array, scaleSimSrams(buffers, bandwidth, wordBytes));
}
