import { FAULT_KINDS, type FaultMap, requireGeometry } from '../../fault/index.js';
import { memoryGeometry, type WeightMemory } from '../memory/weight-memory.js';

/**
 * The faulty bits of one memory word in lanes of 32 bits, the least significant first: data bits, then check bits from
 * a lane of their own on. What is read of a stored lane is ((stored & and) | or) ^ xor.
 */
export interface WordFaults {
  readonly and: Uint32Array;
  readonly or: Uint32Array;
  readonly xor: Uint32Array;
}

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

/** Lanes of 32 bits of a memory word. Check bits start a lane of their own, because wordBits is a multiple of 32. */
export function wordLanes({ wordBits, checkBits = 0 }: WeightMemory): number {
  return wordBits / 32 + Math.ceil(checkBits / 32);
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
  // The words of a row lie between one another, so that a row is taken together.
  const words = Array.from({ length: columnMux }, () => ({
    faults: noFaults(lanes),
    isStruck: false,
  }));
  const { cells, kinds } = map;
  for (let fault = 0; fault < cells.length; ) {
    const line = Math.floor(cells[fault] / columns);
    const bank = Math.floor(line / (rows + spareRows));
    const rowStart = line * columns;
    const isSpare = line - bank * (rows + spareRows) >= rows;
    const end = isSpare ? rowStart : rowStart + storedColumns;
    for (; fault < cells.length && cells[fault] < end; fault++) {
      const column = cells[fault] - rowStart;
      const bit = column >>> muxShift;
      const word = words[column & (columnMux - 1)];
      word.isStruck = true;
      const [lane, mask] = [bit >>> 5, 1 << (bit & 31)];
      if (kinds[fault] === STUCK_AT_0) word.faults.and[lane] &= ~mask;
      else if (kinds[fault] === STUCK_AT_1) word.faults.or[lane] |= mask;
      else word.faults.xor[lane] |= mask;
    }
    while (fault < cells.length && cells[fault] < rowStart + columns) fault++;
    const address = (line - bank * spareRows) * columnMux;
    for (let index = 0; index < columnMux; index++) {
      const word = words[index];
      if (!word.isStruck) continue;
      visit(address + index, word.faults);
      clear(word.faults);
      word.isStruck = false;
    }
  }
}

function noFaults(lanes: number): WordFaults {
  const faults = {
    and: new Uint32Array(lanes),
    or: new Uint32Array(lanes),
    xor: new Uint32Array(lanes),
  };
  clear(faults);
  return faults;
}

function clear({ and, or, xor }: WordFaults): void {
  and.fill(0xffffffff);
  or.fill(0);
  xor.fill(0);
}
