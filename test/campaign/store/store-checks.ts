import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'vitest';
import { openResults } from '../../../campaign/index.js';
import { tablesOf } from '../../../campaign/store/versions/index.js';
import { correctOf, MITIGATIONS, makeStore } from './small-study.js';

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

/** A store of version 3 with the first maps of the study; the first ones of that version had no plan. */
export async function makeOldStore(folder: string, maps: number): Promise<void> {
  await makeStore(folder, maps);
  await tamper(folder, [
    'DROP TABLE plan',
    ...tablesOf(3)
      .filter(({ name }) => ['trial', 'point', 'die'].includes(name))
      .flatMap(({ name, columns }) => [
        `ALTER TABLE ${name} RENAME TO present`,
        `CREATE TABLE ${name} (${columns})`,
        `INSERT INTO ${name} SELECT * EXCLUDE storage FROM present ORDER BY rowid`,
        'DROP TABLE present',
      ]),
    "DELETE FROM configuration WHERE name = 'storages'",
    "UPDATE version SET value = '3' WHERE name = 'store'",
    "DELETE FROM version WHERE name = 'code'",
    `UPDATE configuration SET value = '{"data":"a","code":"b"}' WHERE name = 'checksums'`,
  ]);
}
