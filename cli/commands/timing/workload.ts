import { basename } from 'node:path';
import { dataShapesOf } from '../../../campaign/index.js';
import { InputError, parseBytes, parseDecimal, readTextChecked } from '../../../core/index.js';
import {
  arrayLayers,
  type IslandLayer,
  isIsland,
  type Layer,
  type Network,
  resolveModel,
} from '../../../models/index.js';
import {
  type BandwidthModel,
  type EnergyTable,
  type InferenceEnergy,
  inferenceEnergy,
  loadEnergyTable,
  loadTimedAccelerator,
  type MemorySystem,
  memorySystemOf,
  type NetworkTiming,
  parseScaleSimConfiguration,
  parseTopology,
  type TimedAccelerator,
  type TopologyLayer,
  weightMemoryOf,
} from '../../../sim/index.js';
import { tell } from '../../print/messages.js';
import type { TimingFlags } from './flags.js';

/** The layers to time, and the network that they are from, if it is not a topology. */
export interface Workload {
  readonly name: string;
  readonly layers: readonly TopologyLayer[];
  readonly network?: Network;
}

export function workloadOf(
  { topology, model, input = [], inputShape }: TimingFlags,
  { sparsityIsOff }: TimedAccelerator,
): Workload {
  if (topology !== undefined) {
    const layers = parseTopology(readTextChecked(topology), topology, { sparsityIsOff });
    return { name: basename(topology), layers };
  }
  const network = resolveModel(model, {
    inputShapes: inputShape,
    dataShapes: dataShapesOf(input),
    weights: 'optional',
  });
  return { name: model, layers: arrayLayers(network), network };
}

/** What the host computes, and no model of the accelerator can time. */
export function islandsOf(network: Network | undefined): IslandLayer[] {
  const layers: readonly Layer[] = network?.layers ?? [];
  return layers.filter(isIsland);
}

export function acceleratorOf(flags: TimingFlags): TimedAccelerator {
  const { config, bandwidth, buffers, energy } = flags;
  const accelerator =
    config === undefined
      ? loadTimedAccelerator(flags.accelerator)
      : parseScaleSimConfiguration(readTextChecked(config), config);
  return {
    ...accelerator,
    ...(bandwidth !== undefined && { bandwidth: perOperand('--bandwidth', bandwidth, words) }),
    ...(buffers !== undefined && { buffers: perOperand('--buffers', buffers, parseBytes) }),
    ...(energy !== undefined && { energyTable: loadEnergyTable(energy) }),
  };
}

/** Undefined: ideal bandwidth. */
export function memorySystem(
  accelerator: TimedAccelerator,
  { network }: Workload,
  model: BandwidthModel | undefined,
): MemorySystem | undefined {
  const memory = memorySystemOf(accelerator, network?.format ?? 'int8', model);
  if (memory === undefined && model !== undefined) {
    tell(
      `${accelerator.name} has ideal bandwidth, so ${model} finds no stalls: --bandwidth makes it finite.`,
    );
  }
  return memory;
}

/** The layers of a topology take int8 words. */
export function energyOf(
  { layers, network }: Workload,
  { weightMemory, array, clock, buffers }: TimedAccelerator,
  timing: NetworkTiming,
  table: EnergyTable,
): InferenceEnergy {
  const inference = { layers, format: network?.format ?? 'int8', array, timing, clock, buffers };
  return inferenceEnergy(
    { ...inference, weightMemory: weightMemoryFor(weightMemory, network) },
    table,
  );
}

/** A memory that fits the network has a size only where there is a network. */
function weightMemoryFor(weightMemory: TimedAccelerator['weightMemory'], network?: Network) {
  if (weightMemory !== 'fits-network') return weightMemory;
  return network && weightMemoryOf({ weightMemory }, network);
}

/** One value for all operands, or three. */
function perOperand(
  flag: string,
  texts: readonly string[],
  parse: (text: string) => number,
): Record<'input' | 'weights' | 'output', number> {
  if (texts.length !== 1 && texts.length !== 3) {
    throw new InputError(
      `${flag} ${texts.join(',')}: expected one value, or three for input,weights,output.`,
    );
  }
  const [input, weights = input, output = input] = texts.map(parse);
  return { input, weights, output };
}

function words(text: string): number {
  const value = parseDecimal(text);
  if (value !== undefined && value > 0) return value;
  throw new InputError(`--bandwidth: "${text}" is not a number of words a cycle above 0.`);
}
