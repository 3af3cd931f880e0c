import { requireMemory } from '../../../core/index.js';
import type { CellGeometry, FaultMap } from '../../../fault/index.js';
import type { DieLevel } from './die-grid.js';
import type { DieLabels } from './measured-dies.js';

/** A die at a voltage, in the memory of an accelerator. */
export interface PlacedDie extends DieLabels {
  readonly file: string;
  /** Faulty cells of the memory. */
  readonly faults: number;
  /** Where its faults begin among those of all dies. */
  readonly start: number;
}

/** The dies of one voltage; map number k is that of die k. */
export interface PlacedLevel {
  /** In volts; null: it is not known. */
  readonly voltage: number | null;
  readonly dies: readonly PlacedDie[];
}

/** Measured dies in the memory of an accelerator, their faults in memory that all threads see. */
export interface PlacedDies {
  readonly geometry: CellGeometry;
  /** Voltages, falling. */
  readonly levels: readonly PlacedLevel[];
  /** Of all dies, one behind the other; see `FaultMap`. */
  readonly cells: Float64Array;
  readonly kinds: Uint8Array;
  /** What was noticed. */
  readonly warnings: readonly string[];
}

/** Copy the faults of dies into shared memory. */
export function shareDies(
  geometry: CellGeometry,
  levels: readonly DieLevel[],
  warnings: readonly string[],
): PlacedDies {
  const all = levels.flatMap(({ dies }) => dies);
  const total = all.reduce((sum, { map }) => sum + map.cells.length, 0);
  requireMemory(9 * total, `${total} faults of ${all.length} fault maps`);
  const cells = new Float64Array(new SharedArrayBuffer(8 * total));
  const kinds = new Uint8Array(new SharedArrayBuffer(total));
  let start = 0;
  const placed = levels.map(({ voltage, dies }) => ({
    voltage,
    dies: dies.map(({ map, die, lot, wafer, x, y, file }): PlacedDie => {
      const one = { die, lot, wafer, x, y, file, faults: map.cells.length, start };
      cells.set(map.cells, start);
      kinds.set(map.kinds, start);
      start += one.faults;
      return one;
    }),
  }));
  return { geometry, levels: placed, cells, kinds, warnings };
}

/** The dies at a voltage. */
export function levelOfDies({ levels }: PlacedDies, voltage: number | undefined): PlacedLevel {
  const found = levels.find((level) => (level.voltage ?? undefined) === voltage);
  if (!found) throw new Error(`no die at ${voltage} V`);
  return found;
}

/** The fault map of a die. */
export function mapOfDie(
  { geometry, cells, kinds }: PlacedDies,
  { file, start, faults }: PlacedDie,
): FaultMap {
  return {
    geometry,
    cells: cells.subarray(start, start + faults),
    kinds: kinds.subarray(start, start + faults),
    provenance: { source: 'file', file },
  };
}
