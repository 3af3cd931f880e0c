import { type ConvolutionShape, InputError } from '../core/index.js';
import { arrayLayers, type Network, WORD_BITS, type WordFormat } from '../models/index.js';
import { type Accelerator, weightMemoryOf } from './accelerator/index.js';
import {
  type Area,
  acceleratorArea,
  type EnergyTable,
  type NetworkEnergy,
  networkActivity,
  networkEnergy,
  sramBytesOf,
} from './energy/index.js';
import type { SystolicArray } from './hardware/systolic-array.js';
import type { WeightMemory } from './memory/weight-memory.js';
import {
  type BandwidthModel,
  type MemorySystem,
  type NetworkTiming,
  networkTiming,
  type OperandBuffers,
} from './timing/index.js';

/** Energy of one image, the area of the accelerator, and where the figures come from. */
export interface InferenceEnergy extends NetworkEnergy {
  /** Name of the energy table. */
  readonly table: string;
  readonly source?: string;
  readonly area: Area;
}

/** What one image of a network costs on an accelerator. */
export interface InferenceCost {
  readonly timing: NetworkTiming;
  /** Undefined where the accelerator has no energy table. */
  readonly energy?: InferenceEnergy;
}

/** One image of some weighted layers on an accelerator, with its timing. */
export interface TimedInference {
  readonly layers: readonly { readonly name: string; readonly shape: ConvolutionShape }[];
  readonly format: WordFormat;
  readonly array: SystolicArray;
  readonly timing: NetworkTiming;
  readonly clock?: number | undefined;
  readonly buffers?: OperandBuffers | undefined;
  /** What the array reads weights from; without one, the buffer for weights. */
  readonly weightMemory?: WeightMemory | undefined;
}

/**
 * Cycles of one image of a network, with stalls where the accelerator's bandwidth is finite, and its energy where the
 * accelerator has an energy table.
 *
 * @throws InputError when there is a bandwidth but no buffers
 */
export function inferenceCost(network: Network, accelerator: Accelerator): InferenceCost {
  const { format } = network;
  const { array, clock, buffers, energyTable } = accelerator;
  const layers = arrayLayers(network);
  const shapes = layers.map(({ shape }) => shape);
  const timing = networkTiming(shapes, array, memorySystemOf(accelerator, format));
  if (energyTable === undefined) return { timing };
  const weightMemory = weightMemoryOf(accelerator, network);
  const inference = { layers, format, array, timing, clock, buffers, weightMemory };
  return { timing, energy: inferenceEnergy(inference, energyTable) };
}

/** Energy and area by a table; what the table, or the accelerator, does not give is null and named. */
export function inferenceEnergy(
  { layers, format, array, timing, clock, buffers, weightMemory }: TimedInference,
  table: EnergyTable,
): InferenceEnergy {
  const activity = networkActivity(
    layers.map(({ name, shape }, index) => ({ name, shape, ...timing.layers[index] })),
    array,
    sramBytesOf(buffers, weightMemory),
    format,
    weightMemory,
  );
  return {
    table: table.name,
    ...(table.source !== undefined && { source: table.source }),
    ...networkEnergy(activity, table, clock),
    area: acceleratorArea(activity, table),
  };
}

/**
 * The memory that an accelerator waits for; undefined at ideal bandwidth.
 *
 * @throws InputError when there is a bandwidth but no buffers
 */
export function memorySystemOf(
  { name, buffers, bandwidth }: Pick<Accelerator, 'name' | 'buffers' | 'bandwidth'>,
  format: WordFormat,
  model: BandwidthModel = 'double-buffer',
): MemorySystem | undefined {
  if (bandwidth === undefined) return undefined;
  if (buffers === undefined) {
    throw new InputError(`${name} has a bandwidth but no buffers: give their sizes by --buffers.`);
  }
  return { model, buffers, bandwidth, wordBytes: WORD_BITS[format] === 32 ? 4 : 1 };
}
