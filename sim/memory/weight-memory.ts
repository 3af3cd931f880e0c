import { InputError } from '../../core/index.js';
import { type Cell, type CellGeometry, cellAt } from '../../fault/index.js';

/**
 * A weight memory: `banks` of `rows` word lines; a row holds `columnMux` memory words of `wordBits`.
 * Bit b of word w of a row sits at column b·columnMux + w. Address a: w = a mod columnMux,
 * row = ⌊a / columnMux⌋ mod rows, bank = ⌊a / (columnMux · rows)⌋.
 *
 * Beside the data a bank may hold check bits of its words, which the same multiplexers select (check bit c of
 * word w sits at column (wordBits + c)·columnMux + w), then spare columns, and spare rows after the others.
 * None of them moves a data bit: address, row and bank are those of the memory without them.
 */
export interface WeightMemory {
  readonly banks: number;
  readonly rows: number;
  readonly wordBits: number;
  readonly columnMux: number;
  /** Spare rows of each bank; undefined is none. */
  readonly spareRows?: number | undefined;
  /** Spare columns of each bank; undefined is none. */
  readonly spareColumns?: number | undefined;
  /** Check bits of each memory word; undefined is none. */
  readonly checkBits?: number | undefined;
}

/**
 * One bit of a memory word; bit 0 is the least significant. Bits from `wordBits` on are check bits:
 * `wordBits` is the first of them.
 */
export interface WordBit {
  readonly address: number;
  readonly bit: number;
}

/** What `bitNumberOfCell` says of check cells and spare cells, and `weightBitOfCell` of unused ones, too. */
export const NO_DATA_BIT = -1;

/**
 * A checked weight memory; parts that are 0 are left out.
 * @throws InputError unless banks, rows, wordBits and columnMux are positive integers, `columnMux` is a power of two (memory compilers such as OpenRAM offer 1, 2, 4, 8, 16), spare rows,
 * spare columns and check bits are integers of at least 0, and the number of cells is at most 2^53.
 */
export function defineWeightMemory(memory: WeightMemory): WeightMemory {
  const { banks, rows, wordBits, columnMux } = memory;
  for (const [name, value] of Object.entries({ banks, rows, wordBits, columnMux })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new InputError(`Weight memory: ${name} must be a positive integer, not ${value}.`);
    }
  }
  if (!Number.isInteger(Math.log2(columnMux))) {
    throw new InputError(
      `Weight memory: columnMux must be a power of two such as 1, 2, 4, 8 or 16, not ${columnMux}.`,
    );
  }
  const { spareRows = 0, spareColumns = 0, checkBits = 0 } = memory;
  for (const [name, value] of Object.entries({ spareRows, spareColumns, checkBits })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new InputError(
        `Weight memory: ${name} must be an integer of at least 0, not ${value}.`,
      );
    }
  }
  const lines = BigInt(banks) * (BigInt(rows) + BigInt(spareRows));
  const columns = (BigInt(wordBits) + BigInt(checkBits)) * BigInt(columnMux) + BigInt(spareColumns);
  if (lines * columns > 2n ** 53n) {
    throw new InputError(
      `Weight memory: ${describe(memory)} is more than 2^53 cells; use fewer or smaller banks.`,
    );
  }
  return {
    banks,
    rows,
    wordBits,
    columnMux,
    ...(spareRows > 0 && { spareRows }),
    ...(spareColumns > 0 && { spareColumns }),
    ...(checkBits > 0 && { checkBits }),
  };
}

function describe(memory: WeightMemory): string {
  const { banks, rows, wordBits, columnMux, spareRows, spareColumns, checkBits } = memory;
  return [
    `${banks} banks × ${rows} rows × ${wordBits} bits × column mux ${columnMux}`,
    ...(checkBits ? [`${checkBits} check bits a word`] : []),
    ...(spareRows ? [`${spareRows} spare rows`] : []),
    ...(spareColumns ? [`${spareColumns} spare columns`] : []),
  ].join(', ');
}

/**
 * The memory as a fault map sees it: all cells of a bank, data columns first, then check columns, then spare
 * columns; data rows first, then spare rows. Parts that are 0 are left out.
 */
export function memoryGeometry(memory: WeightMemory): CellGeometry {
  const { banks, rows, wordBits, columnMux } = memory;
  const { spareRows = 0, spareColumns = 0, checkBits = 0 } = memory;
  const checkColumns = checkBits * columnMux;
  return {
    banks,
    rows: rows + spareRows,
    columns: wordBits * columnMux + checkColumns + spareColumns,
    ...(spareRows > 0 && { spareRows }),
    ...(checkColumns > 0 && { checkColumns }),
    ...(spareColumns > 0 && { spareColumns }),
  };
}

/** Number of memory words. */
export function wordCount(memory: WeightMemory): number {
  return memory.banks * memory.rows * memory.columnMux;
}

/** How weights of one size lie in memory words: several in one, or one in several. */
export interface WordSlots {
  /** Weights of a memory word; 1 where a weight takes several. */
  readonly perWord: number;
  /** Memory words of a weight, in the order of addresses, the least significant bits in the first. */
  readonly wordsPerWeight: number;
  /** Bits of a memory word that hold weights, its lowest; the others are unused cells. */
  readonly usedBits: number;
}

/**
 * A memory word holds as many whole weights as it has room for; where it is narrower than a weight, its bits divide
 * those of a weight, which takes several words of one bank.
 *
 * @throws InputError where weights cannot lie so
 */
export function wordSlots(memory: WeightMemory, weightBits: 8 | 32): WordSlots {
  const { rows, wordBits, columnMux } = memory;
  if (wordBits >= weightBits) {
    const perWord = Math.floor(wordBits / weightBits);
    return { perWord, wordsPerWeight: 1, usedBits: perWord * weightBits };
  }
  const wordsPerWeight = weightBits / wordBits;
  const weight = `${weightBits === 8 ? 'an int8' : 'a float32'} weight of ${weightBits} bits`;
  if (!Number.isInteger(wordsPerWeight)) {
    const divisors = [1, 2, 4, 8, 16].filter((bits) => bits < weightBits);
    throw new InputError(
      `Weight memory: ${weight} does not fit words of ${wordBits} bits: choose wordBits of at least ${weightBits}, or ${divisors.join(', ')}, so that it takes several whole words.`,
    );
  }
  if ((rows * columnMux) % wordsPerWeight !== 0) {
    throw new InputError(
      `Weight memory: ${weight} takes ${wordsPerWeight} words of ${wordBits} bits, but a bank has ${rows * columnMux} words: choose rows and columnMux whose product is a multiple of ${wordsPerWeight}.`,
    );
  }
  return { perWord: 1, wordsPerWeight, usedBits: wordBits };
}

/**
 * Number of weights of `weightBits` that fit.
 * @throws InputError where `wordSlots` does
 */
export function slotCount(memory: WeightMemory, weightBits: 8 | 32): number {
  const { perWord, wordsPerWeight } = wordSlots(memory, weightBits);
  return (wordCount(memory) / wordsPerWeight) * perWord;
}

/**
 * From a cell's index in the memory's geometry to the number a · wordBits + b of the data bit it stores: bit b
 * of the word at address a. One to one between the data cells and 0 … wordCount · wordBits − 1;
 * `NO_DATA_BIT` for check and spare cells. Unchecked, for hot paths.
 */
export function bitNumberOfCell(memory: WeightMemory, cell: number): number {
  // ⌊a / b⌋ of doubles is exact for integers a < 2^53, and faster than a % b beyond 32 bits.
  const { rows, wordBits, columnMux, spareRows = 0, spareColumns = 0, checkBits = 0 } = memory;
  const columns = (wordBits + checkBits) * columnMux + spareColumns;
  let line = Math.floor(cell / columns);
  const column = cell - line * columns;
  const bit = Math.floor(column / columnMux);
  if (bit >= wordBits) return NO_DATA_BIT;
  if (spareRows > 0) {
    const bank = Math.floor(line / (rows + spareRows));
    line -= bank * spareRows;
    if (line >= (bank + 1) * rows) return NO_DATA_BIT;
  }
  const word = column - bit * columnMux;
  return (line * columnMux + word) * wordBits + bit;
}

/**
 * From a cell's index in the memory's geometry to the number slot · weightBits + b of what it stores: bit b of a
 * weight-sized place. One to one between the cells that have room for weights and 0 … slotCount · weightBits − 1;
 * `NO_DATA_BIT` for unused, check and spare cells.
 */
export function weightBitOfCell(memory: WeightMemory, weightBits: 8 | 32, cell: number): number {
  const bitNumber = bitNumberOfCell(memory, cell);
  const { wordBits } = memory;
  const { usedBits } = wordSlots(memory, weightBits);
  if (usedBits === wordBits || bitNumber === NO_DATA_BIT) return bitNumber;
  const address = Math.floor(bitNumber / wordBits);
  const bit = bitNumber - address * wordBits;
  return bit < usedBits ? address * usedBits + bit : NO_DATA_BIT;
}

/** What `findDataBits` says of unused, check and spare cells. */
export const NO_SLOT = -1;

/**
 * `weightBitOfCell` of many cells, as weight-sized places ⌊number / weightBits⌋ and bits within them; fastest for
 * ascending cells, which stay long in one row. Unchecked, for hot paths.
 *
 * @param slots one for each cell, `NO_SLOT` for unused, check and spare cells
 * @param bits one for each cell, meaningless without a slot
 */
export function findDataBits(
  memory: WeightMemory,
  weightBits: 8 | 32,
  cells: Float64Array,
  slots: Float64Array,
  bits: Uint8Array,
): void {
  const { rows, wordBits, columnMux, spareRows = 0, spareColumns = 0, checkBits = 0 } = memory;
  const columns = (wordBits + checkBits) * columnMux + spareColumns;
  const { perWord, wordsPerWeight, usedBits } = wordSlots(memory, weightBits);
  const muxShift = 31 - Math.clz32(columnMux);
  const weightShift = 31 - Math.clz32(weightBits);
  let rowStart = 0;
  let rowEnd = 0;
  let firstWord = 0;
  let rowBits = 0;
  for (let place = 0; place < cells.length; place++) {
    const cell = cells[place];
    if (cell < rowStart || cell >= rowEnd) {
      const line = Math.floor(cell / columns);
      const bank = Math.floor(line / (rows + spareRows));
      rowStart = line * columns;
      rowEnd = rowStart + columns;
      firstWord = (line - bank * spareRows) * columnMux;
      // A spare row has none.
      rowBits = line - bank * (rows + spareRows) < rows ? usedBits : 0;
    }
    const column = cell - rowStart;
    const bit = column >>> muxShift;
    if (bit >= rowBits) {
      slots[place] = NO_SLOT;
      continue;
    }
    const word = column & (columnMux - 1);
    slots[place] = (firstWord + word) * perWord + (bit >>> weightShift);
    bits[place] = bit & (weightBits - 1);
  }
  if (wordsPerWeight > 1) joinWords(wordBits, wordsPerWeight, slots, bits, cells.length);
}

/** From memory words and bits within them to the weights that take several of them. */
function joinWords(
  wordBits: number,
  wordsPerWeight: number,
  slots: Float64Array,
  bits: Uint8Array,
  count: number,
): void {
  for (let place = 0; place < count; place++) {
    const address = slots[place];
    if (address === NO_SLOT) continue;
    const slot = Math.floor(address / wordsPerWeight);
    bits[place] += (address - slot * wordsPerWeight) * wordBits;
    slots[place] = slot;
  }
}

/** Inverse of `bitNumberOfCell` on the data bits. */
export function cellOfBitNumber(memory: WeightMemory, bitNumber: number): number {
  const address = Math.floor(bitNumber / memory.wordBits);
  return cellOfAddress(memory, address, bitNumber - address * memory.wordBits);
}

/** Inverse of `weightBitOfCell` on the cells that hold weights. */
export function cellOfWeightBit(
  memory: WeightMemory,
  weightBits: 8 | 32,
  weightBit: number,
): number {
  const { usedBits } = wordSlots(memory, weightBits);
  const address = Math.floor(weightBit / usedBits);
  return cellOfAddress(memory, address, weightBit - address * usedBits);
}

/** Index of the cell of a data or check bit. */
function cellOfAddress(memory: WeightMemory, address: number, bit: number): number {
  const { rows, wordBits, columnMux, spareRows = 0, spareColumns = 0, checkBits = 0 } = memory;
  const dataLine = Math.floor(address / columnMux);
  const word = address - dataLine * columnMux;
  const line = dataLine + Math.floor(dataLine / rows) * spareRows;
  return line * ((wordBits + checkBits) * columnMux + spareColumns) + bit * columnMux + word;
}

/**
 * The word bit, data or check, that a cell stores; undefined for a spare cell, which has no address of its own.
 * @throws InputError when the cell lies outside the memory.
 */
export function wordBitOfCell(memory: WeightMemory, cell: Cell): WordBit | undefined {
  const { banks, rows, columns } = memoryGeometry(memory);
  requireIndex('bank', cell.bank, banks);
  requireIndex('row', cell.row, rows);
  requireIndex('column', cell.column, columns);
  const bit = Math.floor(cell.column / memory.columnMux);
  if (cell.row >= memory.rows || bit >= storedBits(memory)) return undefined;
  const line = cell.bank * memory.rows + cell.row;
  return { address: line * memory.columnMux + (cell.column % memory.columnMux), bit };
}

/**
 * The cell that stores a word bit, data or check; inverse of `wordBitOfCell`.
 * @throws InputError when the address or the bit lies outside the memory.
 */
export function cellOfWordBit(memory: WeightMemory, { address, bit }: WordBit): Cell {
  requireIndex('address', address, wordCount(memory));
  requireIndex('bit', bit, storedBits(memory));
  return cellAt(memoryGeometry(memory), cellOfAddress(memory, address, bit));
}

/** Data and check bits of a memory word. */
function storedBits({ wordBits, checkBits = 0 }: WeightMemory): number {
  return wordBits + checkBits;
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
