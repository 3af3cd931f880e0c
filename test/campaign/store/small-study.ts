import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'vitest';
import type { PointRow } from '../../../campaign/collector.js';
import {
  type Condition,
  openResults,
  openStore,
  type StoreOptions,
  type StudyStore,
  type TrialResult,
} from '../../../campaign/index.js';

/** Fault maps of the study, and mitigations of each. */
export const MAPS = 8;
const MITIGATIONS = ['none', 'clip'] as const;

const CONDITION: Condition = {
  index: 0,
  model: 'alexnet',
  format: 'int8',
  accelerator: 'edge-16x16',
  source: { kind: 'model', name: 'flip', model: { model: 'uniform', faults: 'flip' } },
  scope: 'all',
  rate: 1e-3,
};

/** A study of one condition and two points. */
export const OPTIONS: StoreOptions = {
  configuration: {
    ...{ models: ['alexnet'], formats: ['int8'], rates: [1e-3], mitigations: MITIGATIONS },
    ...{ maps: MAPS, images: 100, seed: 1, checksums: { code: 'a' } },
  },
  versions: { bitcell: '0' },
  conditions: [CONDITION],
  mitigations: MITIGATIONS,
  maps: MAPS,
  seed: 1,
  resume: true,
};

export function openSmall(folder: string, options: Partial<StoreOptions> = {}) {
  return openStore(folder, { ...OPTIONS, ...options });
}

function correctOf(map: number, mitigation: number): number {
  return (map * 7 + mitigation) % 101;
}

export function resultOf(map: number): TrialResult {
  return {
    trial: { condition: 0, map, images: 100, mitigations: MITIGATIONS },
    ...{ requested: 10.5, injected: map + 7, effective: map, firstLayer: `conv${map}` },
    cleanCorrect: 90,
    outcomes: MITIGATIONS.map((mitigation, index) => ({
      ...{ mitigation, correct: correctOf(map, index), sdc: map, nonFinite: index, seconds: 0.25 },
    })),
  };
}

/** The points when so many maps are there. */
export function pointsOf(maps: number): PointRow[] {
  const { source, index, ...key } = CONDITION;
  return MITIGATIONS.map((mitigation) => ({
    condition: index,
    complete: maps === MAPS,
    point: {
      ...key,
      ...{ faultModel: 'flip', mitigation, maps, images: 100 },
      accuracy: { mean: 0.5, low: 0, high: 1 },
      perMap: { worst: 0, lowerQuartile: 0.25, median: 0.5, upperQuartile: 0.75, best: 1 },
      yield: { within: 0.02, share: 0, low: 0, high: 1, imagesNeeded: 50 },
      sdc: { share: 0, low: 0, high: 1 },
      nonFinite: 0,
      faults: { requested: 0, injected: 0, effective: 0 },
    },
  }));
}

/** Save the next map of the study. */
export async function saveNext(store: StudyStore, maps: number): Promise<void> {
  await store.write([resultOf(maps)], pointsOf(maps + 1));
}

/** A store with the first maps of the study. */
export async function makeStore(
  folder: string,
  maps: number,
  options: Partial<StoreOptions> = {},
): Promise<void> {
  const store = await openSmall(folder, options);
  for (let map = 0; map < maps; map += 1) await saveNext(store, map);
  store.close();
}

/** Check that a store holds the first maps of the study, each once and unharmed; returns how many. */
export async function checkedMaps(folder: string): Promise<number> {
  const stored = await openResults(folder);
  try {
    const { columns, rows } = await stored.rows('trial', {});
    const of = (name: string) => rows.map((row) => row[columns.indexOf(name)]);
    const expected = rows.map((_, row) => ({ map: row >> 1, mitigation: row & 1 }));
    expect(of('map')).toEqual(expected.map(({ map }) => map));
    expect(of('mitigation')).toEqual(expected.map(({ mitigation }) => MITIGATIONS[mitigation]));
    expect(of('correct')).toEqual(
      expected.map(({ map, mitigation }) => correctOf(map, mitigation)),
    );
    const maps = rows.length / 2;
    expect(stored.points({}).map((point) => point.maps)).toEqual(maps === 0 ? [] : [maps, maps]);
    return maps;
  } finally {
    stored.close();
  }
}

/** Run statements on the store of a folder, as somebody else might. */
export async function tamper(folder: string, statements: readonly string[]): Promise<void> {
  const file = join(folder, 'study.duckdb');
  expect(existsSync(file)).toBe(true);
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  for (const statement of statements) await connection.run(statement);
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}
