import type { FaultMap } from '../../fault/index.js';
import {
  forEachStruckWord,
  type WeightMemory,
  type WordFaults,
  wordLanes,
} from '../../sim/index.js';
import { noFaults } from './word-faults.js';

/**
 * Visit every memory word with a faulty cell, in the order of addresses: one that is there, or one that is known of.
 *
 * @param known a map of the same memory
 * @param visit is told both faults of the word, valid until it returns; they are one object where the maps are
 * @throws InputError when a map is of another memory
 */
export function forEachKnownWord(
  real: FaultMap,
  known: FaultMap,
  memory: WeightMemory,
  visit: (address: number, faults: WordFaults, knownFaults: WordFaults) => void,
): void {
  if (real === known) {
    forEachStruckWord(real, memory, (address, faults) => visit(address, faults, faults));
    return;
  }
  const sound = noFaults(wordLanes(memory));
  const words = knownWordsOf(known, memory);
  forEachStruckWord(real, memory, (address, faults) => {
    for (; words.address() < address; words.next()) visit(words.address(), sound, words.faults());
    if (words.address() === address) {
      visit(address, faults, words.faults());
      words.next();
    } else visit(address, faults, sound);
  });
  for (; words.address() < Infinity; words.next()) visit(words.address(), sound, words.faults());
}

/** The words with a faulty cell, one after the other. */
interface KnownWords {
  /** Of the word at hand; Infinity behind the last one. */
  address(): number;
  /** Valid until they are asked for again. */
  faults(): WordFaults;
  next(): void;
}

function knownWordsOf(map: FaultMap, memory: WeightMemory): KnownWords {
  const lanes = wordLanes(memory);
  let count = 0;
  forEachStruckWord(map, memory, () => {
    count += 1;
  });
  const addresses = new Float64Array(count + 1).fill(Infinity);
  const [and, or, xor] = Array.from({ length: 3 }, () => new Uint32Array(count * lanes));
  let filled = 0;
  forEachStruckWord(map, memory, (address, faults) => {
    addresses[filled] = address;
    // Not `set`, which takes far longer for a few lanes.
    for (let lane = 0; lane < lanes; lane++) {
      and[filled * lanes + lane] = faults.and[lane];
      or[filled * lanes + lane] = faults.or[lane];
      xor[filled * lanes + lane] = faults.xor[lane];
    }
    filled += 1;
  });
  const faults = noFaults(lanes);
  let word = 0;
  return {
    address: () => addresses[word],
    faults() {
      for (let lane = 0; lane < lanes; lane++) {
        faults.and[lane] = and[word * lanes + lane];
        faults.or[lane] = or[word * lanes + lane];
        faults.xor[lane] = xor[word * lanes + lane];
      }
      return faults;
    },
    next() {
      word += 1;
    },
  };
}
