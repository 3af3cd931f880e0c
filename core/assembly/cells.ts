/**
 * Sets of cells as bitmaps; core/cells/reference.ts defines the results.
 */
import { philoxWords } from './philox';

/** Draws that are made together. */
const DRAWN_TOGETHER: u32 = 256;

/** Drawn cells are put into bins before they are marked: those of one mark a part of the bitmap that stays in the cache. */
const CELL_BINS: u32 = 256;
const BIN_CELLS: u32 = 8192;
/** Bytes from bin to bin: an odd number of cache lines. */
const BIN_BYTES: usize = (8192 + 16) * 4;
const LINE_BITS: u32 = 512;

/** Bytes of the scratch of `markDraws`: outputs of a block of draws, how many cells each bin has, and the bins. */
const DRAWN_BYTES: usize = 1024;

/** ⌊(high · 2³² + low) · bound / 2⁶⁴⌋. */
function below(bound: u64, high: u32, low: u32): u32 {
  return <u32>((<u64>high * bound + ((<u64>low * bound) >> 32)) >> 32);
}

/** Marks a cell; lists it at the end of `fresh` unless that is 0. @returns the new end */
function mark(cell: u32, bits: usize, fresh: usize, found: u32): u32 {
  const address = bits + ((<usize>(cell >> 5)) << 2);
  const before = load<u32>(address);
  store<u32>(address, before | (1 << (cell & 31)));
  if (fresh) store<u32>(fresh + ((<usize>found) << 2), cell);
  return found + (~(before >> (cell & 31)) & 1);
}

function markCells(cells: usize, count: u32, bits: usize, fresh: usize, found: u32): u32 {
  for (const end = cells + ((<usize>count) << 2); cells < end; cells += 4) {
    found = mark(load<u32>(cells), bits, fresh, found);
  }
  return found;
}

/**
 * Mark the whole numbers below `bound` that a stream gives for `count` indices from `first` on, and list those that were
 * not marked before at `fresh` (0: no list), in any order.
 *
 * @returns how many these are
 */
export function markDraws(
  key0: u32,
  key1: u32,
  trial: u32,
  purpose: u32,
  first: u32,
  count: u32,
  bound: u32,
  bits: usize,
  fresh: usize,
  scratch: usize,
): u32 {
  const filled = scratch + DRAWN_BYTES * 2;
  const bins = filled + DRAWN_BYTES;
  memory.fill(filled, 0, CELL_BINS * 4);
  const isSparse = count < bound / LINE_BITS;
  let shift: u32 = 6;
  while ((bound - 1) >> shift >= CELL_BINS) shift++;
  let found: u32 = 0;
  for (let drawn: u32 = 0; drawn < count; drawn += DRAWN_TOGETHER) {
    const together = min(count - drawn, DRAWN_TOGETHER);
    let index = i32x4.add(i32x4.splat(first + drawn), i32x4(0, 1, 2, 3));
    for (let at: usize = 0; at < (<usize>together) << 2; at += 16) {
      const words = scratch + at;
      v128.store(words, index);
      philoxWords(key0, key1, trial, purpose, words, words, words + DRAWN_BYTES);
      index = i32x4.add(index, i32x4.splat(4));
    }
    for (let at: usize = 0; at < (<usize>together) << 2; at += 4) {
      const cell = below(bound, load<u32>(scratch + at), load<u32>(scratch + at, DRAWN_BYTES));
      if (isSparse) {
        found = mark(cell, bits, fresh, found);
        continue;
      }
      const bin = cell >> shift;
      const number = filled + ((<usize>bin) << 2);
      const before = load<u32>(number);
      store<u32>(bins + <usize>bin * BIN_BYTES + ((<usize>before) << 2), cell);
      store<u32>(number, before + 1);
      if (before + 1 < BIN_CELLS) continue;
      found = markCells(bins + <usize>bin * BIN_BYTES, BIN_CELLS, bits, fresh, found);
      store<u32>(number, 0);
    }
  }
  for (let bin: u32 = 0; bin < CELL_BINS; bin++) {
    const number = load<u32>(filled + ((<usize>bin) << 2));
    found = markCells(bins + <usize>bin * BIN_BYTES, number, bits, fresh, found);
  }
  return found;
}

/** Mark of listed cells those whose number of the stream, of 53 bits, is not below a limit. */
export function markKinds(
  key0: u32,
  key1: u32,
  trial: u32,
  purpose: u32,
  cells: usize,
  count: u32,
  limitHigh: u32,
  limitLow: u32,
  bits: usize,
  scratch: usize,
): void {
  const limit = ((<u64>limitHigh) << 32) | <u64>limitLow;
  for (let done: u32 = 0; done < count; done += 4) {
    const from = cells + ((<usize>done) << 2);
    philoxWords(key0, key1, trial, purpose, from, scratch, scratch + 16);
    const together = min(count - done, 4);
    for (let at: usize = 0; at < (<usize>together) << 2; at += 4) {
      const high = <u64>load<u32>(scratch + at);
      const low = <u64>load<u32>(scratch + at, 16);
      const number = ((high >> 5) << 26) | (low >> 6);
      const cell = load<u32>(from + at);
      const address = bits + ((<usize>(cell >> 5)) << 2);
      store<u32>(address, load<u32>(address) | ((<u32>(number >= limit)) << (cell & 31)));
    }
  }
}

/** Exchanges the places of bits of the index of every bit: those that are `shift` apart, of which `places` has the lower. */
function exchanged(words: v128, shift: i32, places: u64): v128 {
  const different = v128.and(v128.xor(words, i64x2.shr_u(words, shift)), i64x2.splat(places));
  return v128.xor(v128.xor(words, different), i64x2.shl(different, shift));
}

/** Of words of 2, 4 or 8 interleaved words the bits of each side by side. */
function unmixed(words: v128, mux: u32): v128 {
  if (mux == 2) {
    words = exchanged(words, 31, 0x00000000aaaaaaaa);
    words = exchanged(words, 15, 0x0000aaaa0000aaaa);
    words = exchanged(words, 7, 0x00aa00aa00aa00aa);
    words = exchanged(words, 3, 0x0a0a0a0a0a0a0a0a);
    return exchanged(words, 1, 0x2222222222222222);
  }
  if (mux == 4) {
    words = exchanged(words, 30, 0x00000000cccccccc);
    words = exchanged(words, 6, 0x00cc00cc00cc00cc);
    words = exchanged(words, 15, 0x0000aaaa0000aaaa);
    return exchanged(words, 3, 0x0a0a0a0a0a0a0a0a);
  }
  words = exchanged(words, 28, 0x00000000f0f0f0f0);
  words = exchanged(words, 14, 0x0000cccc0000cccc);
  return exchanged(words, 7, 0x00aa00aa00aa00aa);
}

/** Rows of four interleaved words of 64 bits. */
function arrangeRowsOfFour(source: usize, target: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++, source += 32, target += 32) {
    const low = unmixed(v128.load(source), 4);
    const high = unmixed(v128.load(source, 16), 4);
    v128.store(target, v128.shuffle<i16>(low, high, 0, 4, 8, 12, 1, 5, 9, 13));
    v128.store(target, v128.shuffle<i16>(low, high, 2, 6, 10, 14, 3, 7, 11, 15), 16);
  }
}

/** A row of words, all of whose bits are used: a matrix of groups of bits, transposed. */
function arrangeRow(source: usize, target: usize, mux: u32, rowWords: u32): void {
  const groupBytes = 8 / mux;
  for (let at: u32 = 0; at < rowWords; at++) {
    let groups = <u64>(
      i64x2.extract_lane(unmixed(i64x2.splat(load<u64>(source + ((<usize>at) << 3))), mux), 0)
    );
    for (let word: u32 = 0; word < mux; word++) {
      const to = target + <usize>((word * rowWords + at) * groupBytes);
      if (groupBytes == 4) store<u32>(to, <u32>groups);
      else if (groupBytes == 2) store<u16>(to, <u16>groups);
      else store<u8>(to, <u8>groups);
      groups >>= groupBytes << 3;
    }
  }
}

/**
 * From the bits of a memory's cells in rows of `mux` interleaved words of `wordBits` to the first `usedBits` of each word,
 * word after word.
 */
export function arrangeBits(
  source: usize,
  target: usize,
  rows: u32,
  mux: u32,
  wordBits: u32,
  usedBits: u32,
): void {
  const columns = <u64>mux * <u64>wordBits;
  const isWhole = usedBits == wordBits && columns % 64 == 0;
  if (isWhole && mux == 1) {
    memory.copy(target, source, <usize>((<u64>rows * columns) >> 3));
    return;
  }
  if (isWhole && mux == 4 && wordBits == 64) {
    arrangeRowsOfFour(source, target, rows);
    return;
  }
  // Groups of bits are whole bytes.
  if (isWhole && mux <= 8 && wordBits % 8 == 0) {
    const rowWords = <u32>(columns / 64);
    for (let row: u32 = 0; row < rows; row++) {
      const offset = (<usize>row * <usize>rowWords) << 3;
      arrangeRow(source + offset, target + offset, mux, rowWords);
    }
    return;
  }
  memory.fill(target, 0, <usize>((<u64>rows * <u64>mux * <u64>usedBits + 7) >> 3));
  const muxShift = ctz(mux);
  const cells = <u64>rows * columns;
  for (let first: u64 = 0; first < cells; first += 64) {
    for (let left = load<u64>(source + <usize>(first >> 3)); left; left &= left - 1) {
      const cell = first + ctz(left);
      if (cell >= cells) break;
      const row = cell / columns;
      const column = <u32>(cell - row * columns);
      const bit = column >> muxShift;
      if (bit >= usedBits) continue;
      const place = (row * <u64>mux + <u64>(column & (mux - 1))) * <u64>usedBits + <u64>bit;
      const address = target + <usize>(place >> 3);
      store<u8>(address, load<u8>(address) | <u8>(1 << (<u8>(place & 7))));
    }
  }
}

/** How many bits are set in words of 64. */
export function countBits(words: usize, count: u32): u32 {
  let bits: u32 = 0;
  for (const end = words + ((<usize>count) << 3); words < end; words += 8) {
    bits += <u32>popcnt(load<u64>(words));
  }
  return bits;
}
