import type { FaultMap } from '../../fault/index.js';
import {
  applyFaultMap,
  createPatchBuffers,
  createWordChanges,
  forEachStruckWord,
  type PatchBuffers,
  type StoredWords,
  storedWords,
  type WeightPatches,
} from '../../sim/index.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import type { PlacedWeights, Verdicts } from './stages.js';
import { createWordReader } from './word-reader.js';

/** What the weight memory of one network makes of a fault map. */
export interface MemorySide {
  /**
   * The weights that are read differently.
   *
   * @param buffers memory for the patches, which are then valid until the next call with them
   * @param verdicts is added to: what a code makes of its words with faulty cells
   */
  patchesOf(map: FaultMap, buffers?: PatchBuffers, verdicts?: Verdicts): WeightPatches;
}

/**
 * Check bits of a memory word that parts need.
 *
 * @throws InputError when a part does not fit the network or its memory
 */
export function checkBitsNeeded(parts: readonly MemoryPart[], placed: PlacedWeights): number {
  const codes = parts.map((part) => mechanismOf(part).code?.(part, placed).checkBits ?? 0);
  return Math.max(0, ...codes);
}

/**
 * The memory side of a mitigation, for a network in a memory.
 *
 * @param words stored words of all weights
 * @throws InputError when a part does not fit the network or its memory
 */
export function memorySideOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  words: StoredWords = storedWords(placed.network),
): MemorySide {
  const { placement } = placed;
  if (parts.length === 0) {
    return { patchesOf: (map, buffers) => applyFaultMap(map, placement, words, buffers) };
  }
  const read = createWordReader(parts, placed, words);
  return {
    patchesOf(map, buffers = createPatchBuffers(), verdicts) {
      const changes = createWordChanges(words, map.cells.length, buffers);
      let effectiveFaults = 0;
      forEachStruckWord(map, placement.memory, (address, faults) => {
        effectiveFaults += read(address, faults, changes.invert, verdicts);
      });
      return { ...changes.patches(), effectiveFaults };
    },
  };
}
