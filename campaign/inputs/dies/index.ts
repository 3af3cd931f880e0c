import { type CellGeometry, importDies } from '../../../fault/index.js';
import type { Dies } from '../../study/dies.js';
import {
  type MapMemory,
  type MeasuredMapOptions,
  measuredMapOnto,
  readingOptions,
} from '../measured-map.js';
import { dieFiles } from './die-files.js';
import { dieGrid, gridWarnings } from './die-grid.js';
import { measurementsOf } from './measured-dies.js';
import { type PlacedDies, shareDies } from './placed-dies.js';

export { type DieLabels, dieKey, dieName } from './measured-dies.js';
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
export function readDies(dies: Dies, memory: MapMemory): PlacedDies {
  const options = mapOptions(dies);
  const measurements = dieFiles(dies.from, dies.dieLabels).flatMap((file) =>
    measurementsOf(file, importDies(file.file, readingOptions(options, memory))).map((one) => ({
      ...one,
      map: measuredMapOnto(one.map, options, memory.geometry, file.file),
    })),
  );
  const levels = dieGrid(measurements, dies.missing);
  return shareDies(memory.geometry, levels, gridWarnings(levels));
}

/** How the files are read, and where what was measured lies. */
function mapOptions(dies: Dies): MeasuredMapOptions {
  const { format, kind, faultBit, columns, indexBase, addressBase, maskBase, select } = dies;
  const { columnMux, tile, offset } = dies;
  return {
    ...{ format, kind, faultBit, columns, indexBase, addressBase, maskBase },
    ...{ columnMux, tile, offset },
    select: select && Object.entries(select).map(([name, value]) => ({ name, value })),
    mapGeometry: measuredGeometry(dies),
  };
}

/** The memory that was measured, where the study names it. */
function measuredGeometry({ mapGeometry }: Dies): CellGeometry | undefined {
  if (mapGeometry === undefined) return undefined;
  const [banks, rows, columns] = mapGeometry.split(/[x×]/).map(Number);
  return { banks, rows, columns };
}
