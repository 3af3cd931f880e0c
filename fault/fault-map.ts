import { InputError } from '../core/index.js';
import { type CellGeometry, equalGeometries, formatGeometry } from './geometry.js';
import type { FaultModel } from './model/fault-model.js';

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

/**
 * Checks that a fault map is for the memory it is to be used with.
 *
 * @param where Name of the map (its file), at the start of the message.
 * @throws InputError that states both geometries when they differ.
 */
export function requireGeometry(map: FaultMap, geometry: CellGeometry, where: string): void {
  if (!equalGeometries(map.geometry, geometry)) {
    throw new InputError(
      `${where} is for a memory of ${formatGeometry(map.geometry)}, but this weight memory has ${formatGeometry(geometry)}; use a map that was made for it.`,
    );
  }
}
