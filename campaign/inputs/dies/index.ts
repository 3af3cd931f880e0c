import {
  type CellGeometry,
  type FaultMap,
  importDies,
  placeFaultMap,
  type ReadMapOptions,
  requireGeometry,
} from '../../../fault/index.js';
import type { Dies } from '../../study/dies.js';
import { dieFiles } from './die-files.js';
import { dieGrid, gridWarnings } from './die-grid.js';
import { measurementsOf } from './measured-dies.js';
import { type PlacedDies, shareDies } from './placed-dies.js';

export type { DieLabels } from './measured-dies.js';
export {
  levelOfDies,
  mapOfDie,
  type PlacedDie,
  type PlacedDies,
  type PlacedLevel,
} from './placed-dies.js';

/** The files of a study's dies. */
export function filesOfDies({ from, dieLabels }: Dies): string[] {
  return dieFiles(from, dieLabels).map(({ file }) => file);
}

/**
 * Read the fault maps of measured dies for the memory of an accelerator.
 *
 * @throws InputError naming the file, its place and the option that helps, when one cannot be read in one way alone, is
 *   for another memory, or the dies do not fit together
 */
export function readDies(
  dies: Dies,
  memory: { readonly geometry: CellGeometry; readonly columnMux: number },
): PlacedDies {
  const options = readOptions(dies, memory);
  const measurements = dieFiles(dies.from, dies.dieLabels).flatMap((file) =>
    measurementsOf(file, importDies(file.file, options)).map((one) => ({
      ...one,
      map: placed(one.map, dies, memory.geometry, file.file),
    })),
  );
  const levels = dieGrid(measurements, dies.missing);
  return shareDies(memory.geometry, levels, gridWarnings(levels));
}

function readOptions(
  dies: Dies,
  memory: { readonly geometry: CellGeometry; readonly columnMux: number },
): ReadMapOptions {
  const { format, kind, faultBit, columns, indexBase, addressBase, maskBase, select } = dies;
  const measured = measuredGeometry(dies);
  return {
    ...{ format, kind, faultBit, columns, indexBase, addressBase, maskBase },
    select: select && Object.entries(select).map(([name, value]) => ({ name, value })),
    geometry: measured ?? memory.geometry,
    columnMux: dies.columnMux ?? (measured === undefined ? memory.columnMux : undefined),
  };
}

/** The memory that was measured, where the study names it. */
function measuredGeometry({ mapGeometry }: Dies): CellGeometry | undefined {
  if (mapGeometry === undefined) return undefined;
  const [banks, rows, columns] = mapGeometry.split(/[x×]/).map(Number);
  return { banks, rows, columns };
}

/** A map in the memory of the accelerator. */
function placed(map: FaultMap, dies: Dies, onto: CellGeometry, file: string): FaultMap {
  const { tile, offset } = dies;
  const measured = measuredGeometry(dies);
  if (measured !== undefined) requireGeometry(map, measured, file);
  if (measured === undefined && tile === undefined && offset === undefined) {
    requireGeometry(map, onto, file);
    return map;
  }
  return placeFaultMap(map, onto, { tile: tile ?? 'once', offset }).map;
}
