import type { Repairs } from '../../mitigation/index.js';
import type { StudyPoint } from '../points/point.js';
import { addRepairs, NO_REPAIRS } from '../points/repairs.js';
import type { ImagesOfMaps } from '../statistics/index.js';
import type { PointKey } from '../study/columns.js';
import type { Database } from './duckdb/database.js';
import { hasTable } from './duckdb/objects.js';
import {
  checkRecords,
  type DieRecord,
  dieRecordSchema,
  keyOfRecord,
  type PairedOf,
  type PointRecord,
  type RepairRecord,
  type RepairsOf,
  remarkRecordSchema,
  repairRecordSchema,
  type TrialRecord,
} from './records.js';
import { presentRows, type StoreVersion } from './versions/index.js';

/** What the trials of a point counted: an entry a fault map, maps 0, 1, … in this order. */
export interface PointCounts extends PointKey {
  /** Number of the condition in its study. */
  readonly condition: number;
  /** Images of each map: one number where all have as many. */
  readonly images: ImagesOfMaps;
  /** Right images without faults, unprotected. */
  readonly cleanCorrect: readonly number[];
  /** Right images. */
  readonly correct: readonly number[];
  /** Images whose top-1 class is not the fault-free one. */
  readonly sdc: readonly number[];
}

/**
 * The counts of points, each where its first trial is; trials of pilots count for none.
 *
 * @param rows of each point in the order of the maps
 */
export function countsOfTrials(rows: readonly TrialRecord[]): PointCounts[] {
  const groups = new Map<string, TrialRecord[]>();
  for (const row of rows) {
    if (row.pilot) continue;
    const id = `${row.condition} ${row.mitigation}`;
    const group = groups.get(id);
    if (group) group.push(row);
    else groups.set(id, [row]);
  }
  return [...groups.values()].map((group) => ({
    ...keyOfRecord(group[0]),
    condition: group[0].condition,
    images: imagesOf(group),
    cleanCorrect: group.map((row) => row.clean_correct),
    correct: group.map((row) => row.correct),
    sdc: group.map((row) => row.sdc),
  }));
}

function imagesOf(group: readonly TrialRecord[]): ImagesOfMaps {
  const [{ images }] = group;
  return group.every((row) => row.images === images) ? images : group.map((row) => row.images);
}

/** What spare lines made of the maps of all trials; stores of before it was saved tell nothing. */
export async function readRepairs(database: Database): Promise<RepairsOf> {
  const records = await repairRecords(database);
  const found = new Map(records.map((record) => [idOf(record, record.map), repairsOf(record)]));
  return (trial) => found.get(idOf(trial, trial.map));
}

/** The dies of a study; none of a study without. */
export async function dieRecords(database: Database, version: StoreVersion): Promise<DieRecord[]> {
  if (!(await hasTable(database, 'die'))) return [];
  const { objects } = await database.read(
    `${presentRows(version, 'die')} ORDER BY "condition", map, rowid`,
  );
  return checkRecords(dieRecordSchema, objects, { file: database.file, table: 'die' });
}

/** The images on which the dies of all trials differ from the fault-free network. */
export async function readPaired(database: Database, version: StoreVersion): Promise<PairedOf> {
  const records = await dieRecords(database, version);
  const found = new Map(
    records.map((record) => {
      const { lost, gained } = record;
      return [idOf(record, record.map), { lost, gained }];
    }),
  );
  return (trial) => found.get(idOf(trial, trial.map));
}

/** What a point has beside its row: what spare lines made of its maps together, and remarks. */
export type PointNotes = (point: PointRecord) => Pick<StudyPoint, 'repairs' | 'remarks'>;

/** @throws InputError when rows are damaged */
export async function readPointNotes(database: Database): Promise<PointNotes> {
  const sums = new Map<string, { readonly repairs: Repairs; readonly maps: number }>();
  for (const record of await repairRecords(database)) {
    if (record.pilot) continue;
    const { repairs, maps } = sums.get(idOf(record)) ?? { repairs: NO_REPAIRS, maps: 0 };
    sums.set(idOf(record), { repairs: addRepairs(repairs, repairsOf(record)), maps: maps + 1 });
  }
  const remarks = new Map<string, string[]>();
  for (const record of await remarkRecords(database)) {
    remarks.set(idOf(record), [...(remarks.get(idOf(record)) ?? []), record.remark]);
  }
  return (point) => {
    const sum = sums.get(idOf(point));
    const found = remarks.get(idOf(point));
    return {
      // Of a study that older code began, some maps may not tell.
      ...(sum?.maps === point.maps && { repairs: sum.repairs }),
      ...(found && { remarks: found }),
    };
  };
}

async function repairRecords(database: Database): Promise<RepairRecord[]> {
  if (!(await hasTable(database, 'repair'))) return [];
  const { objects } = await database.read('SELECT * FROM repair');
  return checkRecords(repairRecordSchema, objects, { file: database.file, table: 'repair' });
}

async function remarkRecords(database: Database) {
  if (!(await hasTable(database, 'remark'))) return [];
  const { objects } = await database.read('SELECT * FROM remark ORDER BY rowid');
  return checkRecords(remarkRecordSchema, objects, { file: database.file, table: 'remark' });
}

function repairsOf(record: RepairRecord): Repairs {
  return {
    banks: Number(record.banks),
    repaired: Number(record.repaired),
    notProvedOptimal: Number(record.not_proved_optimal),
    uncoveredCells: Number(record.uncovered_cells),
  };
}

function idOf(
  { condition, mitigation }: { readonly condition: number; readonly mitigation: string },
  map?: number,
): string {
  return JSON.stringify([condition, mitigation, map]);
}
