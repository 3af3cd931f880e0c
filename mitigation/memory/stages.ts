import type { Network } from '../../models/index.js';
import type { Placement, WordFaults } from '../../sim/index.js';

/** A network in a memory: what a mechanism is made for. */
export interface PlacedWeights {
  readonly network: Network;
  readonly placement: Placement;
}

/** What became of the code words with a faulty cell. */
export interface Verdicts {
  /** The faults change no bit of it. */
  noError: number;
  corrected: number;
  detected: number;
  /** Corrected, and the data is wrong. */
  miscorrected: number;
  /** Bits are changed, and the syndrome is 0. */
  undetected: number;
}

/**
 * A code of memory words. Lanes have 32 bits, the least significant first; check bits lie in the lanes behind the
 * data.
 */
export interface WordCode {
  /** Check bits of a memory word. */
  readonly checkBits: number;
  /**
   * Decode in place what was read of one memory word.
   *
   * @param written its data lanes
   * @param read its data lanes as read; decoded when it returns
   * @param zeros what stands for zero: called where a detected error makes zero of a code word
   */
  decode(
    written: Uint32Array,
    read: Uint32Array,
    faults: WordFaults,
    zeros: () => Uint32Array,
    verdicts: Verdicts | undefined,
  ): void;
}

/** What is written in the place of a memory word by someone who knows its faulty cells. */
export interface WordTransform {
  /** Fill `stored` with what is written of `data`; the state of the word is kept until `read`. */
  write(data: Uint32Array, faults: WordFaults, stored: Uint32Array): void;
  /** Store another word in place as the one that was written last. */
  store(lanes: Uint32Array): void;
  /** Undo in place, on what was read of the word that was written last. */
  read(lanes: Uint32Array): void;
}

/** What a network gets of a word that was read for a weight, numbered over the network. */
export type WeightScreen = (weight: number, word: number) => number;

/** How a parameter is written in words: one word or number, several with `/` between them, true or false, or not at all. */
export type ParameterForm = 'word' | 'number' | 'words' | 'numbers' | 'flag' | 'file';
