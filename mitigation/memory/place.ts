import { InputError } from '../../core/index.js';
import { layerIndex, type WeightedLayer, weightedLayers } from '../../models/index.js';
import {
  firstWeightOfLayers,
  type Placement,
  type WeightMemory,
  wordSlots,
} from '../../sim/index.js';
import type { PartPlace } from './mechanism.js';
import type { PlacedWeights } from './stages.js';

/** Whether a part stands where a memory word is: at an address, filled for the `fill`-th time. */
export type IsPlaced = (address: number, fill: number) => boolean;

/**
 * The words that a part protects: those in its banks that hold a weight of its layers. Undefined: all.
 *
 * @throws InputError when there is no such layer or bank
 */
export function placeOf(
  { layers, banks }: PartPlace,
  { network, placement }: PlacedWeights,
): IsPlaced | undefined {
  const isOfLayers = layers && weightsOf(layers, network);
  const { kind, memory, weightBits, occupancy, weightAt } = placement;
  const wordsPerBank = memory.rows * memory.columnMux;
  requireBanks(banks, memory);
  const chosen = banks && new Set(banks);
  if (!isOfLayers && !chosen) return undefined;
  const slots = wordSlots(memory, weightBits).perWord;
  return (address, fill) => {
    if (chosen && !chosen.has(Math.floor(address / wordsPerBank))) return false;
    if (!isOfLayers) return true;
    for (let slot = address * slots; slot < (address + 1) * slots; slot++) {
      // In a resident memory every layer that shares a weight reads it in the one fill.
      const end = kind === 'streamed' ? Math.min(fill + 1, occupancy(slot)) : occupancy(slot);
      for (let reader = fill; reader < end; reader++) {
        if (isOfLayers(weightAt(slot, reader))) return true;
      }
    }
    return false;
  };
}

/** @throws InputError when the memory has no such bank */
export function requireBanks(banks: PartPlace['banks'], memory: WeightMemory): void {
  const outside = banks?.find((bank) => bank >= memory.banks);
  if (outside === undefined) return;
  throw new InputError(`bank ${outside}: the weight memory has banks 0 to ${memory.banks - 1}`);
}

/** The layers of which a part protects weights. */
export function layersWithin(
  { layers, banks }: PartPlace,
  { network, placement }: PlacedWeights,
): readonly WeightedLayer[] {
  const { memory, weightBits } = placement;
  const first = firstWeightOfLayers(network);
  const slotsOfBank = memory.rows * memory.columnMux * wordSlots(memory, weightBits).perWord;
  const isInBanks = (index: number) => {
    for (let weight = first[index]; weight < first[index + 1]; weight++) {
      if (banks?.includes(Math.floor(placement.slotOf(weight) / slotsOfBank))) return true;
    }
    return banks === undefined;
  };
  return weightedLayers(network).filter(
    ({ name }, index) => (layers?.includes(name) ?? true) && isInBanks(index),
  );
}

/** Something that stands in some words; undefined: in all. */
export interface Placed<Stage> {
  readonly stage: Stage;
  readonly isPlaced: IsPlaced | undefined;
}

/** What some of the parts are made of, each in its place. */
export function placedStages<Part extends PartPlace, Stage>(
  parts: readonly Part[],
  placed: PlacedWeights,
  stageOf: (part: Part) => Stage | undefined,
): Placed<Stage>[] {
  return parts.flatMap((part) => {
    const stage = stageOf(part);
    return stage === undefined ? [] : [{ stage, isPlaced: placeOf(part, placed) }];
  });
}

/** What stands in a word, if it stands there. */
export function at<Stage>(
  placed: Placed<Stage> | undefined,
  address: number,
  fill: number,
): Stage | undefined {
  if (!placed) return undefined;
  return !placed.isPlaced || placed.isPlaced(address, fill) ? placed.stage : undefined;
}

/** How many times a word is filled with weights of its own: in a streamed memory once for each tile. */
export function fillsOf({ kind, memory, weightBits, occupancy, isInOrder, weights }: Placement) {
  const slots = wordSlots(memory, weightBits).perWord;
  if (isInOrder) return (address: number): number => (address * slots < weights ? 1 : 0);
  const most = kind === 'streamed' ? Infinity : 1;
  return (address: number): number => Math.min(most, occupancy(address * slots));
}

/** Whether a weight, by its number in the network, is one of some layers. */
export function weightsOf(
  layers: readonly string[],
  network: PlacedWeights['network'],
): (weight: number) => boolean {
  const first = firstWeightOfLayers(network);
  const indices = layers.map((name) => weightedIndex(network, name));
  return (weight) => indices.some((index) => weight >= first[index] && weight < first[index + 1]);
}

function weightedIndex(network: PlacedWeights['network'], name: string): number {
  const names = weightedLayers(network).map((layer) => layer.name);
  // For its message, which names the nearest layer.
  layerIndex(network, name);
  return names.indexOf(name);
}
