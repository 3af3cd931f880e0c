import {
  type CellGeometry,
  type FaultMap,
  importFaultMap,
  placeFaultMap,
  type ReadMapOptions,
  requireGeometry,
  type Tiling,
} from '../../fault/index.js';

/** What a file of faults does not say itself, and where the memory that was measured lies in an accelerator's. */
export interface MeasuredMapOptions extends Omit<ReadMapOptions, 'geometry' | 'permutation'> {
  /** The memory that was measured, where it is not the accelerator's. */
  readonly mapGeometry?: CellGeometry | undefined;
  /** Default, where one of the others is given: once. */
  readonly tile?: Tiling | undefined;
  /** Bank, row and column at which it begins; default: 0, 0, 0. */
  readonly offset?: readonly [bank: number, row: number, column: number] | undefined;
}

/** A weight memory, and the words that interleave in its rows. */
export interface MapMemory {
  readonly geometry: CellGeometry;
  readonly columnMux: number;
}

/** The options by which a map is read that is for a weight memory. */
export function readingOptions(
  { mapGeometry, tile: _, offset: __, ...options }: MeasuredMapOptions,
  memory: MapMemory,
): ReadMapOptions {
  return {
    ...options,
    geometry: mapGeometry ?? memory.geometry,
    columnMux: options.columnMux ?? (mapGeometry === undefined ? memory.columnMux : undefined),
  };
}

/**
 * A measured map in the weight memory of an accelerator.
 *
 * @throws InputError naming its file when it is for another memory, or does not fit
 */
export function measuredMapOnto(
  map: FaultMap,
  { mapGeometry, tile, offset }: MeasuredMapOptions,
  onto: CellGeometry,
  file: string,
): FaultMap {
  if (mapGeometry !== undefined) requireGeometry(map, mapGeometry, file);
  if (mapGeometry === undefined && tile === undefined && offset === undefined) {
    requireGeometry(map, onto, file);
    return map;
  }
  return placeFaultMap(map, onto, { tile: tile ?? 'once', offset }).map;
}

/**
 * The fault map of a file in the weight memory of an accelerator.
 *
 * @throws InputError naming the file, its place and the option that helps, when it cannot be read in one way alone, or
 *   is for another memory
 */
export function loadMeasuredMap(
  file: string,
  options: MeasuredMapOptions,
  memory: MapMemory,
): FaultMap {
  const { map } = importFaultMap(file, readingOptions(options, memory));
  return measuredMapOnto(map, options, memory.geometry, file);
}
