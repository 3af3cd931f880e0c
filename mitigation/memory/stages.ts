import type { Network } from '../../models/index.js';
import type { Placement, StoredWords, WeightMemory, WordFaults } from '../../sim/index.js';
import type { MaskingUnit } from './mask-units.js';

/** A network in a memory: what a mechanism is made for. */
export interface PlacedWeights {
  readonly network: Network;
  readonly placement: Placement;
  /** The memory as the accelerator has it, where that of the placement is a wider one; default: that of the placement. */
  readonly ownMemory?: WeightMemory | undefined;
  /** The word of each weight that stands for zero; default: that of its zero point in the network. */
  readonly zeroWords?: StoredWords | undefined;
  /** Data bits of each of the memory words that are read as one; default: those of a word, which are not. */
  readonly joinedBits?: number | undefined;
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

/** What became of the banks with a faulty cell where lines are repaired. */
export interface Repairs {
  banks: number;
  /** Those without a faulty cell that is left. */
  repaired: number;
  /** Those for which a better choice of lines may exist: the search for it ended early. */
  notProvedOptimal: number;
  /** Faulty cells that are left. */
  uncoveredCells: number;
}

/**
 * A code of memory words. Lanes have 32 bits, the least significant first; check bits lie in the lanes behind the
 * data, or in the weights themselves.
 */
export interface WordCode {
  /** Cells for check bits of a memory word. */
  readonly checkBits: number;
  /**
   * Write check bits in place of bits of the weights. Defined where they have no cells of their own: then the network
   * differs from the unprotected one without any fault, and decoding what was encoded, encoded again, changes nothing.
   */
  encode?(lanes: Uint32Array): void;
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

/** What is read as zero where it holds a faulty cell. */
export interface WordMasking {
  /** Cells for valid bits of a memory word; that of a larger unit is in its first word. */
  readonly checkBits: number;
  readonly unit: MaskingUnit;
  /** Words of each bank that stand for faulty ones, so that these are right. */
  readonly spareWords: number;
}

/** Cells beside the data of a memory word that hold some of its bits once more. */
export interface CellCopies {
  /** As many as there are cells: they are check bits of the memory word, behind those of a code. */
  readonly checkBits: number;
  /**
   * Decide in place what is read of one memory word.
   *
   * @param written its data lanes
   * @param read its data lanes as read
   * @param firstBit of the copies among the bits of `faults`; undefined: nothing is known of them, they are sound
   */
  vote(
    written: Uint32Array,
    read: Uint32Array,
    faults: WordFaults,
    firstBit: number | undefined,
  ): void;
}

/** What is written in the place of a memory word by someone who knows of its faulty cells. */
export interface WordTransform {
  /** Cells of a memory word for what undoes it, behind those of a code and of copies. */
  readonly checkBits: number;
  /** Whether it puts bits in the places of others, so that check bits in the weights have to be written before. */
  readonly movesBits: boolean;
  /**
   * Fill `stored` with what is written of `data`; the state of the word is kept until `read`.
   *
   * @param known the faulty cells that it is chosen for
   * @param faults those that are there: what undoes it is read from them
   * @param firstBit of its own cells among the bits of both; undefined: the memory has none of them, they are sound
   */
  write(
    data: Uint32Array,
    known: WordFaults,
    faults: WordFaults,
    stored: Uint32Array,
    firstBit: number | undefined,
  ): void;
  /** Change a word in place so that it is what `read` undoes, as it undoes the one that was written last. */
  store(lanes: Uint32Array): void;
  /** Undo in place, on what was read of the word that was written last. */
  read(lanes: Uint32Array): void;
}

/** What a network gets of a word that was read for a weight, numbered over the network. */
export type WeightScreen = (weight: number, word: number) => number;

/**
 * How a parameter is written in words: one word or number, several with `/` between them, true or false, a word with its
 * number behind `/` (`choice`), or not at all.
 */
export type ParameterForm = 'word' | 'number' | 'words' | 'numbers' | 'flag' | 'choice' | 'file';
