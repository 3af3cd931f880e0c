import type { FaultMap } from '../../fault/index.js';
import type { Network } from '../../models/index.js';
import {
  applyFaultMap,
  createPatchBuffers,
  createWordChanges,
  type PatchBuffers,
  type Placement,
  type StoredWords,
  storedWords,
  type WeightPatches,
  withWords,
  wordCount,
  wordLanes,
} from '../../sim/index.js';
import type { KnownMaps } from './knowledge.js';
import { forEachKnownWord } from './known-words.js';
import { lineRepairOf } from './line-repair.js';
import { areKnownAlike, changedViews, type MapViews, viewerOf } from './map-views.js';
import { wordMaskerOf } from './masked-words.js';
import { type MemoryPart, mechanismOf } from './mechanisms.js';
import { reordererOf } from './reorderer.js';
import type { PlacedWeights, Repairs, Verdicts } from './stages.js';
import { mapOfWholeWords, wholeWords, wordsRead } from './whole-words.js';
import { noFaults } from './word-faults.js';
import { wordLayout } from './word-layout.js';
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
   * @param knownTo what parts know that are chosen for faulty cells; default: the whole map, whatever they say of
   * themselves
   */
  patchesOf(
    map: FaultMap,
    buffers?: PatchBuffers,
    verdicts?: Verdicts,
    repairs?: Repairs,
    knownTo?: KnownMaps,
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
  given: PlacedWeights,
  words: StoredWords = storedWords(given.network),
): MemorySide {
  const placed = wholeWords(parts, given);
  const side = wholeWordsSideOf(parts, placed, words);
  if (wordsRead(given) === 1) return side;
  const { memory, geometry } = given.placement;
  const mapOf = mapOfWholeWords(parts, given, placed);
  return {
    ...side,
    placement: { ...side.placement, memory, geometry },
    patchesOf: (map, ...rest) => side.patchesOf(mapOf(map), ...rest),
  };
}

/** The memory side where no weight takes several words. */
function wholeWordsSideOf(
  parts: readonly MemoryPart[],
  placed: PlacedWeights,
  words: StoredWords,
): MemorySide {
  const own = placed.placement;
  const repair = lineRepairOf(parts, placed);
  const viewsOf = viewerOf(parts);
  const repairViews = (views: MapViews, repairs: Repairs | undefined): MapViews => {
    if (!repair) return views;
    repair.choose(views.repair);
    const repaired = changedViews(views, repair.repaired);
    if (repairs) repair.count(views.real, repaired.real, repairs);
    return repaired;
  };
  if (parts.every((part) => mechanismOf(part).spareLines)) {
    // Nothing stands between the cells that are left and the weights.
    return {
      faultFree: undefined,
      hasSpareLines: repair !== undefined,
      placement: own,
      patchesOf(map, buffers, _verdicts, repairs, knownTo = () => map) {
        const { real } = repairViews(viewsOf(map, knownTo), repairs);
        return applyFaultMap(real, own, words, buffers);
      },
    };
  }
  const faultFree = faultFreePatches(parts, placed, words);
  const base = faultFree ? { ...placed, network: withPatches(placed.network, faultFree) } : placed;
  const baseWords = faultFree ? storedWords(base.network) : words;
  const { memory } = own;
  const slots = wordLayout(own).weights;
  const reorderer = reordererOf(parts, base, baseWords);
  const placement = reorderer?.placement ?? own;
  const read = createWordReader(parts, { ...base, placement }, baseWords);
  const masker = wordMaskerOf(parts, placed);
  const soundWord = noFaults(wordLanes(memory));
  /** What the places of the channels were chosen for. */
  let ordered: MapViews | undefined;
  return {
    faultFree,
    hasSpareLines: repair !== undefined,
    placement,
    patchesOf(map, buffers = createPatchBuffers(), verdicts, repairs, knownTo = () => map) {
      const whole = viewsOf(map, knownTo);
      const repaired = repairViews(whole, repairs);
      const expected = masker?.choose(repaired.masking);
      const views = masker ? changedViews(repaired, masker.replaced) : repaired;
      if (reorderer && !(ordered && areKnownAlike(whole, ordered))) {
        reorderer.reorder(views.order, expected);
        ordered = whole;
      }
      const masked =
        repaired.masking === repaired.real ? expected : masker?.readThrough(views.real);
      const { real, transform } = views;
      const knownCells = transform === real ? 0 : transform.cells.length;
      const struck = real.cells.length + knownCells + (masked?.count ?? 0) * slots;
      const { invert, patches } = createWordChanges(
        words,
        faultFree ? words.length : struck,
        buffers,
      );
      if (faultFree) invertPatches(faultFree, words, invert);
      let effectiveFaults = 0;
      forEachKnownWord(real, transform, memory, (address, faults, known) => {
        const isMasked = masked?.isMasked[address] === 1;
        effectiveFaults += read(address, faults, known, isMasked, invert, verdicts);
        if (masked) masked.isMasked[address] = 0;
      });
      // What is left are words of masked units without a faulty cell of their own.
      for (let address = 0; masked && address < masked.isMasked.length; address++) {
        if (masked.isMasked[address] === 0) continue;
        read(address, soundWord, soundWord, true, invert, verdicts);
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
    read(address, soundWord, soundWord, false, invert, undefined);
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
