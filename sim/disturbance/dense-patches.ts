import { type CellBits, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import type { Placement } from '../memory/placement.js';
import { wordSlots } from '../memory/weight-memory.js';

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

const [STUCK_AT_0, FLIP] = [FAULT_KINDS.indexOf('stuck-at-0'), FAULT_KINDS.indexOf('flip')];

/**
 * What a map with bitmaps inverts of the words of a placement whose slots hold the weights in their order: the bitmaps in
 * the order of the weights, of a stuck cell where the stored bit is another one.
 *
 * @returns undefined for another map or placement
 */
export function invertedBits(
  { bits }: FaultMap,
  placement: Placement,
  words: StoredWords,
): InvertedBits | undefined {
  if (bits === undefined || !placement.isInOrder) return undefined;
  const [changed, atOne] = bits.arranged;
  arrange(bits, bits.faulty, changed, placement);
  const bytes = words.length * words.BYTES_PER_ELEMENT;
  const { buffer } = bits.memory;
  if (bits.kind === FLIP) {
    const { wordBits } = placement.memory;
    const isWhole = wordSlots(placement.memory, placement.weightBits).usedBits === wordBits;
    // All cells are arranged then; where most weights are, counting the others is quicker.
    const effectiveFaults = isWhole
      ? bits.faults - bitsBeyond(bits, changed, bytes)
      : countedBits(bits, changed, bytes);
    return { inverted: wordsAt(buffer, changed, words), effectiveFaults };
  }
  const isMixed = bits.kind === undefined;
  if (isMixed) arrange(bits, bits.stuckAt1, atOne, placement);
  // Four bytes at a time where the words lie so; the bits of what follows the last word are not asked for.
  const isAligned = words.byteOffset % 4 === 0;
  const whole = isAligned ? Math.floor(bytes / 4) : 0;
  keepChanging(
    new Uint32Array(buffer, changed, whole),
    isMixed ? new Uint32Array(buffer, atOne, whole) : undefined,
    isAligned ? new Uint32Array(words.buffer, words.byteOffset, whole) : new Uint32Array(0),
    bits.kind === STUCK_AT_0,
  );
  const rest = whole * 4;
  keepChanging(
    new Uint8Array(buffer, changed + rest, bytes - rest),
    isMixed ? new Uint8Array(buffer, atOne + rest, bytes - rest) : undefined,
    new Uint8Array(words.buffer, words.byteOffset + rest, bytes - rest),
    bits.kind === STUCK_AT_0,
  );
  return {
    inverted: wordsAt(buffer, changed, words),
    effectiveFaults: countedBits(bits, changed, bytes),
  };
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

/** Keep the bits of faulty cells that hold another bit than the one that they are stuck at. */
function keepChanging(
  faulty: StoredWords,
  atOne: StoredWords | undefined,
  words: StoredWords,
  isAtZero: boolean,
): void {
  if (atOne) {
    for (let place = 0; place < faulty.length; place += 1) {
      faulty[place] &= words[place] ^ atOne[place];
    }
    return;
  }
  const stuckAt = isAtZero ? 0 : -1;
  for (let place = 0; place < faulty.length; place += 1) faulty[place] &= words[place] ^ stuckAt;
}

/** The bits that are set in the first `bytes` of an arranged bitmap, which loses the others. */
function countedBits({ memory, bytes: all }: CellBits, address: number, bytes: number): number {
  new Uint8Array(memory.buffer, address + bytes, all - bytes).fill(0);
  return memory.functions.countBits(address, Math.ceil(bytes / 8));
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

function wordsAt(buffer: ArrayBuffer, address: number, { length, BYTES_PER_ELEMENT }: StoredWords) {
  return BYTES_PER_ELEMENT === 1
    ? new Uint8Array(buffer, address, length)
    : new Uint32Array(buffer, address, length);
}
