/**
 * Functions on sets of cells, which are bitmaps in one memory: cell c of a memory is bit c mod 8 of byte ⌊c / 8⌋. All
 * arguments are whole numbers below 2³², or addresses in that memory; a bitmap starts at a multiple of 8 and has room for
 * whole words of 64 bits. What a function reads and what it writes do not overlap. `reference.ts` defines the results.
 */
export interface CellFunctions {
  /**
   * Mark the numbers `integerBelow(bound, index)` of a stream (see `RandomStream`) for `count` indices from `first` on, and
   * list those that were not marked before, in any order.
   *
   * @param count most 2²⁴
   * @param bits a bitmap of `bound` cells, at least 1
   * @param fresh room for `count` numbers of 32 bits; 0: they are not listed
   * @param scratch SCRATCH_BYTES that are written to
   * @returns how many these are
   */
  markDraws(
    key0: number,
    key1: number,
    trial: number,
    purpose: number,
    first: number,
    count: number,
    bound: number,
    bits: number,
    fresh: number,
    scratch: number,
  ): number;
  /**
   * Mark of `count` listed cells those whose `uniform` of a stream, times 2⁵³, is at least limitHigh · 2³² + limitLow.
   *
   * @param cells numbers of 32 bits, all below `bound`, with room for four more
   */
  markKinds(
    key0: number,
    key1: number,
    trial: number,
    purpose: number,
    cells: number,
    count: number,
    bound: number,
    limitHigh: number,
    limitLow: number,
    bits: number,
    scratch: number,
  ): void;
  /**
   * From the bits of a memory's cells, in rows of `columnMux` interleaved words of `wordBits`, to the first `usedBits` of
   * each word, word after word: bit b of word w of a row is its column b · columnMux + w.
   *
   * @param target room for rows · columnMux · usedBits bits
   * @param columnMux a power of two
   */
  arrangeBits(
    source: number,
    target: number,
    rows: number,
    columnMux: number,
    wordBits: number,
    usedBits: number,
  ): void;
  /** How many bits are set in `count` words of 64 bits, fewer than 2³² bits. */
  countBits(words: number, count: number): number;
}

/** What `markDraws` writes to: bins of cells that fall into the same part of a bitmap, an odd number of cache lines each. */
export const SCRATCH_BYTES = 4 * (1024 + 256 * (8192 + 16));
