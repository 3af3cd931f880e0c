import type { FaultModel } from './model/fault-model.js';

/**
 * A memory as a fault map sees it: one bit of SRAM at (bank, row, column). `rows` and `columns` count all
 * cells of a bank: data first, then check columns, then spare columns; spare rows are the last rows.
 */
export interface CellGeometry {
  readonly banks: number;
  readonly rows: number;
  readonly columns: number;
  /** Of `rows`, how many are spare; undefined is none. */
  readonly spareRows?: number | undefined;
  /** Of `columns`, how many hold check bits; undefined is none. */
  readonly checkColumns?: number | undefined;
  /** Of `columns`, how many are spare; undefined is none. */
  readonly spareColumns?: number | undefined;
}

/** Where a map came from. */
export type Provenance =
  | {
      readonly source: 'generated';
      readonly model: FaultModel;
      readonly seed: number;
      readonly trial: number;
      readonly rate: number;
      /** The cells that a caller restricted the map to, in words; undefined: none but the model's scope. */
      readonly selection?: string | undefined;
    }
  | { readonly source: 'file'; readonly file: string };

/** Distinct faulty cells of one geometry, sorted. */
export interface FaultMap {
  readonly geometry: CellGeometry;
  /** Ascending, distinct cell indices (bank · rows + row) · columns + column; exact up to 2^53. */
  readonly cells: Float64Array;
  /** Index into FAULT_KINDS, one per cell. */
  readonly kinds: Uint8Array;
  readonly provenance: Provenance;
}

/** Number of cells of a geometry. */
export function cellCount(geometry: CellGeometry): number {
  return geometry.banks * geometry.rows * geometry.columns;
}
