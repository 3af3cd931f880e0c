import { InputError } from '../core/index.js';
import { type Cell, type CellGeometry, cellAt } from '../fault/index.js';
import type { WeightMemory } from './interfaces.js';

/** One bit of a memory word; bit 0 is the least significant. */
export interface WordBit {
  readonly address: number;
  readonly bit: number;
}

/** Word widths are multiples of this, so that a memory word holds whole weights of 8 and of 32 bits. */
const WORD_BITS_STEP = 32;

/**
 * A checked weight memory.
 * @throws InputError unless all four are positive integers, `wordBits` is a multiple of 32, `columnMux` is a
 * power of two (memory compilers such as OpenRAM offer 1, 2, 4, 8, 16) and the number of cells is at most 2^53.
 */
export function defineWeightMemory(memory: WeightMemory): WeightMemory {
  const { banks, rows, wordBits, columnMux } = memory;
  for (const [name, value] of Object.entries({ banks, rows, wordBits, columnMux })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new InputError(`Weight memory: ${name} must be a positive integer, not ${value}.`);
    }
  }
  if (wordBits % WORD_BITS_STEP !== 0) {
    throw new InputError(
      `Weight memory: wordBits must be a multiple of ${WORD_BITS_STEP} to hold whole weights, not ${wordBits}.`,
    );
  }
  if (!Number.isInteger(Math.log2(columnMux))) {
    throw new InputError(
      `Weight memory: columnMux must be a power of two such as 1, 2, 4, 8 or 16, not ${columnMux}.`,
    );
  }
  if (BigInt(banks) * BigInt(rows) * BigInt(wordBits) * BigInt(columnMux) > 2n ** 53n) {
    throw new InputError(
      `Weight memory: ${banks} banks × ${rows} rows × ${wordBits} bits × column mux ${columnMux} is more than 2^53 cells; use fewer or smaller banks.`,
    );
  }
  return { banks, rows, wordBits, columnMux };
}

/** The memory as a fault map sees it: a row holds `columnMux` interleaved words of `wordBits`. */
export function memoryGeometry(memory: WeightMemory): CellGeometry {
  return {
    banks: memory.banks,
    rows: memory.rows,
    columns: memory.wordBits * memory.columnMux,
  };
}

/** Number of memory words. */
export function wordCount(memory: WeightMemory): number {
  return memory.banks * memory.rows * memory.columnMux;
}

/** Number of weights of `weightBits` that fit. */
export function slotCount(memory: WeightMemory, weightBits: 8 | 32): number {
  return wordCount(memory) * (memory.wordBits / weightBits);
}

/**
 * From a cell's index (bank · rows + row) · columns + column to the number a · wordBits + b of the bit it
 * stores: bit b of the word at address a. A permutation of 0 … cells − 1; unchecked, for hot paths.
 */
export function bitNumberOfCell(memory: WeightMemory, cell: number): number {
  // ⌊a / b⌋ of doubles is exact for integers a < 2^53, and faster than a % b beyond 32 bits.
  const { wordBits, columnMux } = memory;
  const columns = wordBits * columnMux;
  const line = Math.floor(cell / columns);
  const column = cell - line * columns;
  const bit = Math.floor(column / columnMux);
  const word = column - bit * columnMux;
  return (line * columnMux + word) * wordBits + bit;
}

/** Inverse of `bitNumberOfCell`. */
export function cellOfBitNumber(memory: WeightMemory, bitNumber: number): number {
  const { wordBits, columnMux } = memory;
  const address = Math.floor(bitNumber / wordBits);
  const bit = bitNumber - address * wordBits;
  const line = Math.floor(address / columnMux);
  const word = address - line * columnMux;
  return line * wordBits * columnMux + bit * columnMux + word;
}

/**
 * The word bit that a cell stores.
 * @throws InputError when the cell lies outside the memory.
 */
export function wordBitOfCell(memory: WeightMemory, cell: Cell): WordBit {
  const { banks, rows, columns } = memoryGeometry(memory);
  requireIndex('bank', cell.bank, banks);
  requireIndex('row', cell.row, rows);
  requireIndex('column', cell.column, columns);
  const number = bitNumberOfCell(memory, (cell.bank * rows + cell.row) * columns + cell.column);
  const address = Math.floor(number / memory.wordBits);
  return { address, bit: number - address * memory.wordBits };
}

/**
 * The cell that stores a word bit; inverse of `wordBitOfCell`.
 * @throws InputError when the address or the bit lies outside the memory.
 */
export function cellOfWordBit(memory: WeightMemory, { address, bit }: WordBit): Cell {
  requireIndex('address', address, wordCount(memory));
  requireIndex('bit', bit, memory.wordBits);
  return cellAt(memoryGeometry(memory), cellOfBitNumber(memory, address * memory.wordBits + bit));
}

/** Bank of the default memory: 1024 rows of four interleaved 64-bit words (32 KiB). */
const DEFAULT_BANK = { rows: 1024, wordBits: 64, columnMux: 4 } as const;

/**
 * The default weight memory: the smallest whole number of banks that holds the network, a bank being
 * 1024 rows × 64-bit words × column mux 4, which is 32 KiB.
 */
export function defaultResidentMemory(weights: number, weightBits: 8 | 32): WeightMemory {
  const slotsPerBank = slotCount({ banks: 1, ...DEFAULT_BANK }, weightBits);
  return defineWeightMemory({
    banks: Math.max(1, Math.ceil(weights / slotsPerBank)),
    ...DEFAULT_BANK,
  });
}

function requireIndex(name: string, value: number, limit: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= limit) {
    throw new InputError(
      `Weight memory: ${name} must be an integer from 0 to ${limit - 1}, not ${value}.`,
    );
  }
}
