import type { FaultMap } from '../../fault/index.js';
import type { Network } from '../../models/index.js';
import {
  applyFaultMap,
  createPatchBuffers,
  createWordChanges,
  forEachStruckWord,
  type PatchBuffers,
  type Placement,
  type StoredWords,
  storedWords,
  type WeightPatches,
  withWords,
  wordCount,
  wordLanes,
} from '../../sim/index.js';
import { maskedWordsOf, WORD_FATES } from './masked-words.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { reordererOf } from './reorderer.js';
import { repairerOf } from './repaired-map.js';
import type { PlacedWeights, Repairs, Verdicts } from './stages.js';
import { noFaults } from './word-faults.js';
import { createWordReader, type InvertBits } from './word-reader.js';

/** What the weight memory of one network makes of a fault map. */
export interface MemorySide {
  /**
   * The weights that are read differently even without faults: a code keeps check bits in them, and `patchesOf` has
   * them, too. Undefined: none is.
   */
  readonly faultFree: WeightPatches | undefined;
  /** Whether spare lines stand in it, so that there are repairs to tell of. */
  readonly hasSpareLines: boolean;
  /** Where the weights stand; where channels are reordered, for the map that was given last. */
  readonly placement: Placement;
  /**
   * The weights that are read differently from those of the network.
   *
   * @param buffers memory for the patches, which are then valid until the next call with them
   * @param verdicts is added to: what a code makes of its words with faulty cells
   * @param repairs is added to: what spare lines make of banks with faulty cells
   */
  patchesOf(
    map: FaultMap,
    buffers?: PatchBuffers,
    verdicts?: Verdicts,
    repairs?: Repairs,
  ): WeightPatches;
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
  const own = placed.placement;
  const repair = repairerOf(parts, placed);
  if (parts.every((part) => mechanismOf(part).spareLines)) {
    // Nothing stands between the cells that are left and the weights.
    return {
      faultFree: undefined,
      hasSpareLines: repair !== undefined,
      placement: own,
      patchesOf: (map, buffers, _verdicts, repairs) =>
        applyFaultMap(repair?.(map, repairs) ?? map, own, words, buffers),
    };
  }
  const faultFree = faultFreePatches(parts, placed, words);
  const base = faultFree ? { ...placed, network: withPatches(placed.network, faultFree) } : placed;
  const baseWords = faultFree ? storedWords(base.network) : words;
  const { memory } = own;
  const slots = memory.wordBits / own.weightBits;
  const reorderer = reordererOf(parts, base, baseWords);
  const placement = reorderer?.placement ?? own;
  const read = createWordReader(parts, { ...base, placement }, baseWords);
  const maskedWords = maskedWordsOf(parts, placed);
  const soundWord = noFaults(wordLanes(memory));
  return {
    faultFree,
    hasSpareLines: repair !== undefined,
    placement,
    patchesOf(wholeMap, buffers = createPatchBuffers(), verdicts, repairs) {
      const map = repair?.(wholeMap, repairs) ?? wholeMap;
      const masked = maskedWords?.(map);
      reorderer?.reorder(map, masked);
      const struck = map.cells.length + (masked?.masked ?? 0) * slots;
      const { invert, patches } = createWordChanges(
        words,
        faultFree ? words.length : struck,
        buffers,
      );
      if (faultFree) invertPatches(faultFree, words, invert);
      let effectiveFaults = 0;
      forEachStruckWord(map, memory, (address, faults) => {
        const fate = masked?.fates[address];
        if (fate === WORD_FATES.remapped) return;
        effectiveFaults += read(address, faults, fate === WORD_FATES.masked, invert, verdicts);
        if (masked) masked.fates[address] = WORD_FATES.read;
      });
      // What is left are words of masked units without a faulty cell of their own.
      for (let address = 0; masked && address < masked.fates.length; address++) {
        if (masked.fates[address] !== WORD_FATES.masked) continue;
        read(address, soundWord, true, invert, verdicts);
      }
      return { ...patches(), effectiveFaults };
    },
  };
}

/** What a code that keeps its check bits in the weights makes of them; undefined: there is none. */
function faultFreePatches(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  words: StoredWords,
): WeightPatches | undefined {
  const inside = parts.filter((part) => mechanismOf(part).code?.(part, placed).encode);
  if (inside.length === 0) return undefined;
  const { memory } = placed.placement;
  const read = createWordReader(inside, placed, words);
  const soundWord = noFaults(wordLanes(memory));
  const { invert, patches } = createWordChanges(words, words.length, createPatchBuffers());
  for (let address = 0; address < wordCount(memory); address++) {
    read(address, soundWord, false, invert, undefined);
  }
  return { ...patches(), effectiveFaults: 0 };
}

function withPatches(network: Network, patches: WeightPatches): Network {
  return network.format === 'int8' ? withWords(network, patches) : withWords(network, patches);
}

/** Tell of patches as of the bits that they invert. */
function invertPatches(
  { weights, words: patched }: WeightPatches,
  words: StoredWords,
  invert: InvertBits,
): void {
  for (let place = 0; place < weights.length; place++) {
    invert(weights[place], patched[place] ^ words[weights[place]]);
  }
}
