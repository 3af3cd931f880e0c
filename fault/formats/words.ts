import { InputError } from '../../core/index.js';
import { type CellGeometry, formatGeometry } from '../geometry.js';
import { dataGeometry } from '../regions.js';
import type { FaultFileOptions } from './read-options.js';

/** @throws InputError when a format needs a geometry and none is given. */
export function requireGivenGeometry(
  { geometry }: FaultFileOptions,
  file: string,
  format: string,
): CellGeometry {
  if (geometry === undefined) {
    throw new InputError(
      `${file} is ${format}, which does not say how large the memory is: give its banks, rows and columns (--geometry BxRxC), or name the network or accelerator that it is of.`,
    );
  }
  return geometry;
}

/** The words of a memory as an address counts them. */
export interface MemoryWords {
  /** Number of addresses; spare rows have none. */
  readonly addresses: number;
  /** Bits of a word that hold data. */
  readonly dataBits: number;
  /** Bits of a word: data bits, then check bits. Spare columns belong to no word. */
  readonly bits: number;
}

/**
 * The words of a memory: `columnMux` of them interleave in a row.
 *
 * @throws InputError when the columns are no multiple of the column mux.
 */
export function memoryWords(geometry: CellGeometry, columnMux: number, where: string): MemoryWords {
  const { banks, rows, columns } = dataGeometry(geometry);
  const checkColumns = geometry.checkColumns ?? 0;
  const isMux = Number.isSafeInteger(columnMux) && columnMux > 0;
  if (!isMux || columns % columnMux !== 0 || checkColumns % columnMux !== 0) {
    throw new InputError(
      `${where}: the column mux is ${columnMux}, but must be a positive whole number that divides the data and check columns of a memory of ${formatGeometry(geometry)}.`,
    );
  }
  return {
    addresses: banks * rows * columnMux,
    dataBits: columns / columnMux,
    bits: (columns + checkColumns) / columnMux,
  };
}

/**
 * The cell of a bit of the word at an address: bit b of word w of a row is column b · columnMux + w;
 * w = address mod columnMux, the row follows, then the bank. Check bits follow the data bits.
 */
export function cellOfWordBit(
  geometry: CellGeometry,
  columnMux: number,
  address: number,
  bit: number,
): number {
  const rows = dataGeometry(geometry).rows;
  const line = Math.floor(address / columnMux);
  const bank = Math.floor(line / rows);
  const row = line - bank * rows;
  const column = bit * columnMux + (address - line * columnMux);
  return (bank * geometry.rows + row) * geometry.columns + column;
}

/** The address and bit of a cell, the inverse of `cellOfWordBit`; undefined for cells outside all words. */
export function wordBitOf(
  geometry: CellGeometry,
  columnMux: number,
  cell: number,
): { readonly address: number; readonly bit: number } | undefined {
  const data = dataGeometry(geometry);
  const line = Math.floor(cell / geometry.columns);
  const column = cell - line * geometry.columns;
  const bank = Math.floor(line / geometry.rows);
  const row = line - bank * geometry.rows;
  if (row >= data.rows || column >= geometry.columns - (geometry.spareColumns ?? 0)) {
    return undefined;
  }
  const bit = Math.floor(column / columnMux);
  return { address: (bank * data.rows + row) * columnMux + column - bit * columnMux, bit };
}
