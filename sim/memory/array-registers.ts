import type { CellGeometry } from '../../fault/index.js';
import type { WordFormat } from '../../models/index.js';
import type { StorageName } from '../hardware/storages.js';
import type { SystolicArray } from '../hardware/systolic-array.js';

/** The storages that are registers of the processing elements. */
export type RegisterStorage = Extract<
  StorageName,
  'weight-registers' | 'accumulators' | 'multipliers'
>;

/**
 * Bits of one register. Multipliers of int8 words take operands of 9 bits, for their zero points are subtracted before;
 * their product has 18. Sums are int32 or float32.
 */
const REGISTER_BITS: Readonly<Record<RegisterStorage, Readonly<Record<WordFormat, number>>>> = {
  'weight-registers': { int8: 8, float32: 32 },
  accumulators: { int8: 32, float32: 32 },
  multipliers: { int8: 18, float32: 32 },
};

/** Registers of one kind in all processing elements. */
export interface ArrayRegisters {
  readonly storage: RegisterStorage;
  readonly array: SystolicArray;
  readonly bits: number;
  /**
   * Bit b of the register of element (r, c) is the cell of row r and column c · bits + b. Bank 0 holds the registers that
   * products are made with; bank 1, of an array that preloads weights, those through which these shift in.
   */
  readonly geometry: CellGeometry;
}

/** The registers of an array for words of a format. */
export function registersOf(
  storage: RegisterStorage,
  array: SystolicArray,
  format: WordFormat,
): ArrayRegisters {
  const bits = REGISTER_BITS[storage][format];
  const shiftsIn = storage === 'weight-registers' && array.preload === true;
  const geometry = { banks: shiftsIn ? 2 : 1, rows: array.rows, columns: array.columns * bits };
  return { storage, array, bits, geometry };
}

/** What a cell of the registers stores. */
export interface RegisterBit {
  readonly bank: number;
  /** The processing element, row · columns + column. */
  readonly element: number;
  readonly bit: number;
}

/** The register and bit of a cell, by its index in the geometry. */
export function registerBitOf(
  { array, bits, geometry }: ArrayRegisters,
  cell: number,
): RegisterBit {
  const line = Math.floor(cell / geometry.columns);
  const column = cell - line * geometry.columns;
  const bank = Math.floor(line / array.rows);
  const element = (line - bank * array.rows) * array.columns + Math.floor(column / bits);
  return { bank, element, bit: column % bits };
}
