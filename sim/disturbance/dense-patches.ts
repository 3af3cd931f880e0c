import { type CellBits, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import type { Placement } from '../memory/placement.js';
import { slotCount, wordSlots } from '../memory/weight-memory.js';
import {
  joinInSlots,
  type LayerOrder,
  spreadFromSlots,
  spreadOtherBits,
} from '../memory/weight-stream.js';

/** Stored words of all weights of a network in network order: bytes for int8, IEEE 754 bits for float32. */
export type StoredWords = Uint8Array | Uint32Array;

/** What faults invert of the stored words. */
export interface InvertedBits {
  /** One word for each weight; valid until the memory of the map's bitmaps is used again. */
  readonly inverted: StoredWords;
  /** Faulty cells that change at least one weight. */
  readonly effectiveFaults: number;
}

/** Rows that are arranged by one call: compiled code is replaced by faster code between two calls alone. */
const ROWS_TOGETHER = 1024;

/** Where one fault comes to so many slots of a stream, or more, a pass over all weights takes less time than lists. */
const STREAM_SPACING = 32;

const [STUCK_AT_0, FLIP] = [FAULT_KINDS.indexOf('stuck-at-0'), FAULT_KINDS.indexOf('flip')];

/**
 * What a map with bitmaps inverts of the words of a placement: the bitmaps in the order of the weights, of a stuck cell
 * where the stored bit is another one.
 *
 * @param roomFor where the words of a streamed placement are written
 * @returns undefined for another map, for few faults in a stream, and where several layers share weights
 */
export function invertedBits(
  map: FaultMap,
  placement: Placement,
  words: StoredWords,
  roomFor: RoomForWords,
): InvertedBits | undefined {
  const { bits } = map;
  if (bits === undefined) return undefined;
  const { streamedLayers: layers } = placement;
  if (layers) {
    return bits.faults * STREAM_SPACING >= slotCount(placement.memory, placement.weightBits)
      ? invertedInStream(bits, placement, layers, words, roomFor)
      : undefined;
  }
  if (!placement.isInOrder) return undefined;
  const [changed, atOne] = bits.arranged;
  arrange(bits, bits.faulty, changed, placement);
  const bytes = words.length * words.BYTES_PER_ELEMENT;
  const inverted = wordsAt(bits.memory.buffer, changed, words, words.length);
  if (bits.kind === FLIP) return { inverted, effectiveFaults: flippedBits(bits, placement, bytes) };
  if (bits.kind === undefined) arrange(bits, bits.stuckAt1, atOne, placement);
  keepOther(bits, inverted, words, wordsAt(bits.memory.buffer, atOne, words, words.length));
  return { inverted, effectiveFaults: countedBits(bits, changed, bytes) };
}

/** Room for as many words of the same size. */
export type RoomForWords = (like: StoredWords) => StoredWords;

/** The same where slots hold weights one after the other: they get the bits of their slots. */
function invertedInStream(
  bits: CellBits,
  placement: Placement,
  layers: readonly LayerOrder[],
  words: StoredWords,
  roomFor: RoomForWords,
): InvertedBits {
  const { memory, weightBits } = placement;
  const { buffer } = bits.memory;
  const slots = slotCount(memory, weightBits);
  const [changed, atOne] = bits.arranged;
  const inverted = roomFor(words);
  const stream = { ofWeights: inverted, ofSlots: wordsAt(buffer, changed, words, slots) };
  arrange(bits, bits.faulty, changed, placement);
  const usedBytes = (Math.min(slots, words.length) * weightBits) / 8;
  if (bits.kind === FLIP) {
    spreadFromSlots(layers, stream);
    return { inverted, effectiveFaults: flippedBits(bits, placement, usedBytes) };
  }
  if (bits.kind === undefined) {
    arrange(bits, bits.stuckAt1, atOne, placement);
    spreadOtherBits(layers, stream, words, wordsAt(buffer, atOne, words, slots));
  } else {
    spreadFromSlots(layers, stream);
    keepOther(bits, inverted, words, inverted);
  }
  new Uint8Array(buffer, changed, bits.bytes).fill(0);
  joinInSlots(layers, stream);
  return { inverted, effectiveFaults: countedBits(bits, changed, usedBytes) };
}

/** Keep of the faulty bits those that hold another bit than the one that they are stuck at. */
function keepOther(
  { kind }: CellBits,
  faulty: StoredWords,
  words: StoredWords,
  atOne: StoredWords,
): void {
  const bytes = words.length * words.BYTES_PER_ELEMENT;
  // Four bytes at a time, then those that are left.
  const whole = Math.floor(bytes / 4);
  const stuckAt = kind === STUCK_AT_0 ? 0 : -1;
  const [faultyFours, storedFours] = [faulty, words].map((one) => fourTogether(one, whole));
  if (kind === undefined) keepOtherBits(faultyFours, storedFours, fourTogether(atOne, whole));
  else keepOtherThan(faultyFours, storedFours, stuckAt);
  for (let place = whole * 4; place < bytes; place += 1) {
    faulty[place] &= words[place] ^ (kind === undefined ? atOne[place] : stuckAt);
  }
}

/** The first `count` groups of four bytes of some words. */
function fourTogether(words: StoredWords, count: number): Int32Array {
  const aligned = words.byteOffset % 4 === 0 ? words : words.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, count);
}

/** The faulty bits that are stuck at another bit than the stored one. */
function keepOtherBits(faulty: Int32Array, stored: Int32Array, stuckAt: Int32Array): void {
  for (let place = 0; place < faulty.length; place += 1) {
    faulty[place] &= stored[place] ^ stuckAt[place];
  }
}

/** The same where all are stuck at one value: 0, or −1 where it is 1. */
function keepOtherThan(faulty: Int32Array, stored: Int32Array, stuckAt: number): void {
  for (let place = 0; place < faulty.length; place += 1) faulty[place] &= stored[place] ^ stuckAt;
}

/** Put the cells of a bitmap in the order of the weight-sized places that they belong to. */
function arrange(
  { memory, bytes }: CellBits,
  source: number,
  target: number,
  { memory: weightMemory, weightBits }: Placement,
): void {
  const { banks, rows, wordBits, columnMux } = weightMemory;
  const { usedBits } = wordSlots(weightMemory, weightBits);
  const { functions, buffer } = memory;
  const all = banks * rows;
  const [rowBits, rowUsedBits] = [wordBits * columnMux, usedBits * columnMux];
  for (let row = 0; row < all; row += ROWS_TOGETHER) {
    functions.arrangeBits(
      source + (row * rowBits) / 8,
      target + (row * rowUsedBits) / 8,
      Math.min(ROWS_TOGETHER, all - row),
      columnMux,
      wordBits,
      usedBits,
    );
  }
  const arranged = Math.ceil((all * rowUsedBits) / 8);
  new Uint8Array(buffer, target + arranged, bytes - arranged).fill(0);
}

/** The bits that are set in the first `bytes` of an arranged bitmap, which loses the others. */
function countedBits({ memory, bytes: all }: CellBits, address: number, bytes: number): number {
  new Uint8Array(memory.buffer, address + bytes, all - bytes).fill(0);
  return memory.functions.countBits(address, Math.ceil(bytes / 8));
}

/** The bits that are set in the first `bytes` of the arranged bitmap of all faulty cells. */
function flippedBits(bits: CellBits, { memory, weightBits }: Placement, bytes: number): number {
  const [address] = bits.arranged;
  // All cells are arranged where words have no others; where most hold weights, counting the rest is quicker.
  return wordSlots(memory, weightBits).usedBits === memory.wordBits
    ? bits.faults - bitsBeyond(bits, address, bytes)
    : countedBits(bits, address, bytes);
}

/** The bits that are set in an arranged bitmap beyond its first `bytes`. */
function bitsBeyond({ memory, bytes: all }: CellBits, address: number, bytes: number): number {
  const next = Math.ceil(bytes / 8) * 8;
  let bits = memory.functions.countBits(address + next, (all - next) / 8);
  for (const byte of new Uint8Array(memory.buffer, address + bytes, next - bytes)) {
    for (let left = byte; left !== 0; left &= left - 1) bits += 1;
  }
  return bits;
}

/** Words of the size of others. */
function wordsAt(
  buffer: ArrayBuffer,
  address: number,
  { BYTES_PER_ELEMENT }: StoredWords,
  length: number,
): StoredWords {
  return BYTES_PER_ELEMENT === 1
    ? new Uint8Array(buffer, address, length)
    : new Uint32Array(buffer, address, length);
}
