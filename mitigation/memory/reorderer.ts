import { InputError } from '../../core/index.js';
import type { FaultMap } from '../../fault/index.js';
import { weightedLayers } from '../../models/index.js';
import {
  firstWeightOfLayers,
  forEachStruckWord,
  type Placement,
  type StoredWords,
  wordSlots,
} from '../../sim/index.js';
import { assignChannels, type LayerChannels } from './channel-order/assign-channels.js';
import { movableLayers } from './channel-order/movable-layers.js';
import { permutedPlacement } from './channel-order/permuted-placement.js';
import { stuckPlacesCollector } from './channel-order/stuck-places.js';
import { hardenerOf } from './hardened-cells.js';
import type { MaskedWords } from './masked-words.js';
import type { MemoryPart } from './mechanisms.js';
import { fillsOf, requireBanks, weightsOf } from './place.js';
import type { ReorderPart } from './reorder.js';
import type { PlacedWeights } from './stages.js';

/** Keeps the output channels of layers in one another's places. */
export interface Reorderer {
  /** Where the weights are, for the map that was given last. */
  readonly placement: Placement;
  /**
   * Choose the places for a fault map, layer after layer from the input on, so that the inputs of a layer stand where
   * the one before has them.
   *
   * @param map the faulty cells that are known
   * @param masked words of which it does not matter what stands in them
   */
  reorder(map: FaultMap, masked: MaskedWords | undefined): void;
}

/**
 * @param words stored words of all weights
 * @returns undefined where no part reorders channels
 * @throws InputError where another part forbids it, or there is no such layer or bank
 */
export function reordererOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  words: StoredWords,
): Reorderer | undefined {
  const part = parts.find(({ use }) => use === 'reorder') as ReorderPart | undefined;
  if (!part) return undefined;
  requireMovableWeights(parts);
  const { network, placement } = placed;
  const movable = movableLayers(network);
  const channels = channelsOf(part, placed, words);
  const permuted = permutedPlacement(network, placement, movable);
  const reordered = movable.filter(({ layer }) => channels[layer].movable.length > 1);
  const stuck = stuckPlacesCollector(
    placed,
    reordered.map(({ layer }) => layer),
  );
  const fillsAt = fillsOf(placement);
  const harden = hardenerOf(parts, placed);
  return {
    placement: permuted.placement,
    reorder(map, masked) {
      stuck.clear();
      forEachStruckWord(map, placement.memory, (address, faults) => {
        if (masked && masked.isMasked[address] === 1) return;
        const fills = fillsAt(address);
        for (let fill = 0; fill < fills; fill++) {
          stuck.add(address, fill, harden(address, fill, faults));
        }
      });
      for (const { layer } of reordered) permuted.setPlaces(layer, undefined);
      for (const { layer } of reordered) {
        const places = stuck.placesOf(layer);
        const { positions } = places;
        for (let entry = 0; entry < positions.length; entry++) {
          positions[entry] = permuted.weightInWindow(layer, positions[entry]);
        }
        permuted.setPlaces(layer, assignChannels(channels[layer], places));
      }
    },
  };
}

/** @throws InputError where another part forbids that channels move */
export function requireMovableWeights(parts: readonly { readonly use: string }[]): void {
  const uses = parts.map(({ use }) => use);
  if (!uses.includes('reorder') || !uses.includes('in-place-ecc')) return;
  throw new InputError(
    'in-place-ecc and reorder cannot stand together: it depends on the place of a weight whether in-place-ecc keeps all its bits, and reorder moves weights; give them as mitigations of their own',
  );
}

/** The channels of each weighted layer, and which of them a part may move: in the layers, and wholly in the banks. */
function channelsOf(
  { layers, banks }: ReorderPart,
  { network, placement }: PlacedWeights,
  words: StoredWords,
): LayerChannels[] {
  const first = firstWeightOfLayers(network);
  requireBanks(banks, placement.memory);
  const isOfLayers = layers && weightsOf(layers, network);
  const isInBanks = banks && bankTest(banks, placement);
  return weightedLayers(network).map(({ weights, shape: { output } }, index) => {
    const window = weights.length / output.channels;
    const isMovable = (channel: number) => {
      const start = first[index] + channel * window;
      if (isOfLayers && !isOfLayers(start)) return false;
      for (let weight = start; isInBanks && weight < start + window; weight++) {
        if (!isInBanks(weight)) return false;
      }
      return true;
    };
    const movable = Uint32Array.from({ length: output.channels }, (_, channel) => channel);
    return {
      ...{ words, window, first: first[index], channels: output.channels },
      movable: movable.filter(isMovable),
    };
  });
}

/** Whether a weight stands in one of some banks. */
function bankTest(banks: readonly number[], { memory, weightBits, slotOf }: Placement) {
  const slots = memory.rows * memory.columnMux * wordSlots(memory, weightBits).perWord;
  const chosen = new Set(banks);
  return (weight: number) => chosen.has(Math.floor(slotOf(weight) / slots));
}
