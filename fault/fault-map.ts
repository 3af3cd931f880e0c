import { excerpt, InputError } from '../core/index.js';
import type { CellBits } from './cell-bits.js';
import type { FaultList } from './fault-list.js';
import { type CellGeometry, equalGeometries, formatGeometry } from './geometry.js';
import type { FaultModel } from './model/fault-model.js';

/** How a measured map lies in a larger memory; see `placeFaultMap`. */
export const TILINGS = ['once', 'repeat', 'macros'] as const;

/** One of TILINGS. */
export type Tiling = (typeof TILINGS)[number];

/** Where a map was placed in a larger memory, and the size of the map that was. */
export interface MapPlacement {
  readonly tile: Tiling;
  readonly banks: number;
  readonly rows: number;
  readonly columns: number;
  /** Bank, row and column. */
  readonly offset: readonly [number, number, number];
}

/** A map that was read from a file, with what the file says besides its faults. */
export interface FileProvenance {
  readonly source: 'file';
  readonly file: string;
  /** Values of columns without a meaning of their own (die, voltage, march element, …), by their names. */
  readonly labels?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The first comments. */
  readonly comments?: readonly string[] | undefined;
  /** What the memory holds, in a word; undefined: the file does not say. */
  readonly storage?: string | undefined;
  readonly placed?: MapPlacement | undefined;
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
      /** What the memory holds, in a word; undefined: it does not say. */
      readonly storage?: string | undefined;
    }
  | FileProvenance;

/** Distinct faulty cells of one geometry, sorted. */
export interface FaultMap {
  readonly geometry: CellGeometry;
  /** Ascending, distinct cell indices (bank · rows + row) · columns + column; exact up to 2^53. */
  readonly cells: Float64Array;
  /** Index into FAULT_KINDS, one per cell. */
  readonly kinds: Uint8Array;
  /** The same cells as bitmaps, where they are many: the lists are then made when they are asked for. */
  readonly bits?: CellBits | undefined;
  readonly provenance: Provenance;
}

/** How many faulty cells a map has. */
export function faultsOfMap(map: FaultMap): number {
  return map.bits?.faults ?? map.cells.length;
}

/** The map of listed faults; lists that are made when they are asked for are not made here. */
export function mapOfFaults(
  list: FaultList,
  { geometry, provenance }: Pick<FaultMap, 'geometry' | 'provenance'>,
): FaultMap {
  const { bits } = list;
  if (bits === undefined) return { geometry, cells: list.cells, kinds: list.kinds, provenance };
  const map: FaultMap = {
    geometry,
    get cells() {
      return list.cells;
    },
    get kinds() {
      return list.kinds;
    },
    provenance,
  };
  // Not enumerable: what is made of this map with other cells ({ ...map, cells }) does not have its bitmaps.
  return Object.defineProperty(map, 'bits', { value: bits });
}

/**
 * What the memory of a map holds, as the map says it: `weights`, `activations`, … undefined: it does not say.
 */
export function storageOfMap({ provenance }: FaultMap): string | undefined {
  if (provenance.storage !== undefined || provenance.source !== 'file') return provenance.storage;
  const labels = Object.entries(provenance.labels ?? {});
  const values = labels.find(([label]) => isStorageLabel(label))?.[1];
  return values?.length === 1 ? values[0] : undefined;
}

/** Whether a label of a table says what the memory holds. */
export function isStorageLabel(label: string): boolean {
  return label.trim().toLowerCase() === 'storage';
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
      `${where} is for a memory of ${formatGeometry(map.geometry)}, but this memory has ${formatGeometry(geometry)}; use a map that was made for it.`,
    );
  }
}

/**
 * Checks that a fault map is of the storage it is to be used with; one that does not say of which it is may be of any.
 *
 * @param where Name of the map (its file), at the start of the message.
 * @throws InputError that names both storages when they differ.
 */
export function requireStorage(map: FaultMap, storage: string, where: string): void {
  const said = storageOfMap(map);
  if (said === undefined || said === storage) return;
  const other = excerpt(said);
  throw new InputError(
    `${where} is a map of the storage ${other}, but ${storage} is asked for: give another map, or --storage ${other}`,
  );
}
