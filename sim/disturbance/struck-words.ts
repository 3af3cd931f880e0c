import { FAULT_KINDS, type FaultMap, requireGeometry } from '../../fault/index.js';
import { memoryGeometry, type WeightMemory } from '../memory/weight-memory.js';

/**
 * The faulty bits of one memory word in lanes of 32 bits, the least significant first: data bits, then check bits from
 * a lane of their own on (see `laneBitOf`). What is read of a stored lane is ((stored & and) | or) ^ xor.
 */
export interface WordFaults {
  readonly and: Uint32Array;
  readonly or: Uint32Array;
  readonly xor: Uint32Array;
}

/** A lane of `and` without a stuck cell. */
const SOUND = 0xffffffff;

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

/** Lanes of 32 bits of a memory word's data. */
export function dataLanes({ wordBits }: WeightMemory): number {
  return Math.ceil(wordBits / 32);
}

/** Lanes of 32 bits of a memory word. Check bits start a lane of their own. */
export function wordLanes(memory: WeightMemory): number {
  return dataLanes(memory) + Math.ceil((memory.checkBits ?? 0) / 32);
}

/** Where a bit of a memory word, data or check, lies in its lanes: bit & 31 of lane bit >>> 5. */
export function laneBitOf(memory: WeightMemory, bit: number): number {
  const { wordBits } = memory;
  return bit < wordBits ? bit : bit + 32 * dataLanes(memory) - wordBits;
}

/**
 * Visit every memory word with a faulty data or check cell, in the order of addresses. Spare cells belong to no word.
 *
 * @param visit the faults are valid until it returns
 * @throws InputError when the map is of another memory
 */
export function forEachStruckWord(
  map: FaultMap,
  memory: WeightMemory,
  visit: (address: number, faults: WordFaults) => void,
): void {
  requireGeometry(map, memoryGeometry(memory), 'The fault map');
  const { rows, wordBits, columnMux, spareRows = 0, spareColumns = 0, checkBits = 0 } = memory;
  const columns = (wordBits + checkBits) * columnMux + spareColumns;
  const storedColumns = (wordBits + checkBits) * columnMux;
  const muxShift = 31 - Math.clz32(columnMux);
  const lanes = wordLanes(memory);
  const firstCheck = laneBitOf(memory, wordBits);
  // The words of a row lie between one another, so that a row is taken together.
  const [and, or, xor] = Array.from({ length: 3 }, () => new Uint32Array(columnMux * lanes));
  and.fill(SOUND);
  const words = Array.from({ length: columnMux }, (_, word) => ({
    and: and.subarray(word * lanes, (word + 1) * lanes),
    or: or.subarray(word * lanes, (word + 1) * lanes),
    xor: xor.subarray(word * lanes, (word + 1) * lanes),
  }));
  const isStruck = new Uint8Array(columnMux);
  const { cells, kinds } = map;
  for (let fault = 0; fault < cells.length; ) {
    const line = Math.floor(cells[fault] / columns);
    const bank = Math.floor(line / (rows + spareRows));
    const rowStart = line * columns;
    const isSpare = line - bank * (rows + spareRows) >= rows;
    const end = isSpare ? 0 : storedColumns;
    for (; fault < cells.length; fault++) {
      const column = cells[fault] - rowStart;
      if (column >= end) break;
      const stored = column >>> muxShift;
      const bit = stored < wordBits ? stored : stored - wordBits + firstCheck;
      const word = column & (columnMux - 1);
      isStruck[word] = 1;
      const lane = word * lanes + (bit >>> 5);
      const mask = 1 << (bit & 31);
      if (kinds[fault] === STUCK_AT_0) and[lane] &= ~mask;
      else if (kinds[fault] === STUCK_AT_1) or[lane] |= mask;
      else xor[lane] |= mask;
    }
    while (fault < cells.length && cells[fault] < rowStart + columns) fault++;
    const address = (line - bank * spareRows) * columnMux;
    for (let word = 0; word < columnMux; word++) {
      if (isStruck[word] === 0) continue;
      visit(address + word, words[word]);
      isStruck[word] = 0;
      // Not `fill`, which takes longer for so few.
      for (let lane = word * lanes; lane < (word + 1) * lanes; lane++) {
        and[lane] = SOUND;
        or[lane] = 0;
        xor[lane] = 0;
      }
    }
  }
}
