import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { openResults, salvageRows } from '../../../campaign/index.js';
import { sha256Hex } from '../../../core/index.js';
import { makeStore, openSmall, saveNext } from './small-study.js';
import { checkedMaps, makeOldStore, tamper } from './store-checks.js';
import { newFolder } from './writer-process.js';

const SECRET = 'top-secret';

/** A store of three maps, copied by the tests; nothing of it is changed. */
let whole: string;

beforeAll(async () => {
  whole = newFolder();
  await makeStore(whole, 3);
});

function copyOf(folder: string): string {
  const copy = newFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
}

function contentOf(folder: string): string[] {
  return readdirSync(folder).map(
    (name) => `${name} ${sha256Hex(readFileSync(join(folder, name)))}`,
  );
}

async function readingError(folder: string): Promise<string> {
  const error = await openResults(folder).then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.name).toBe('InputError');
  return error?.message ?? '';
}

/** What reading and continuing a store say; neither may change it. */
async function refusals(folder: string): Promise<string[]> {
  const before = contentOf(folder);
  const messages: string[] = [];
  for (const open of [openResults, openSmall]) {
    const error = await open(folder).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.name).toBe('InputError');
    messages.push(error?.message ?? '');
  }
  expect(contentOf(folder)).toEqual(before);
  return messages;
}

describe('a store that holds what Bitcell does not write', () => {
  const secret = join(newFolder(), 'secret.txt');
  const aside = ['CREATE TABLE aside AS SELECT * FROM point', 'DROP TABLE point'];
  const remade = (columns: string) => [
    ...aside,
    `CREATE TABLE point AS SELECT ${columns} FROM aside`,
    'DROP TABLE aside',
  ];

  beforeAll(() => {
    mkdirSync(dirname(secret), { recursive: true });
    writeFileSync(secret, SECRET);
  });

  test.each([
    [
      'a view "point"',
      [
        ...aside,
        `CREATE VIEW point AS SELECT * REPLACE ((SELECT content FROM read_text('${secret}')) AS fault_model) FROM aside`,
      ],
    ],
    ['a view "mine"', ['CREATE VIEW mine AS SELECT 1']],
    ['a macro "count"', ['CREATE MACRO count(x) AS 7']],
    [
      'a macro "duckdb_tables"',
      [`CREATE MACRO duckdb_tables() AS TABLE SELECT content FROM read_text('${secret}')`],
    ],
    ['a type "mine"', [`CREATE TYPE mine AS ENUM ('a')`]],
    ['a schema "mine"', ['CREATE SCHEMA mine']],
    ['a sequence "mine"', ['CREATE SEQUENCE mine']],
    ['a index "mine"', ['CREATE INDEX mine ON point (rate)']],
    ['a table "mine"', ['CREATE TABLE mine (a INTEGER)']],
    ['a table "point" with other columns or constraints', remade('*')],
    [
      'a table "version" with other columns or constraints',
      [`ALTER TABLE version ALTER value SET DEFAULT (getvariable('a'))`],
    ],
    [
      'a table "plan" with other columns or constraints',
      [`ALTER TABLE plan ADD COLUMN more INTEGER DEFAULT 3`],
    ],
    ['the table trial is missing', ['DROP TABLE trial']],
  ])('%s', async (what, statements) => {
    const folder = copyOf(whole);
    await tamper(folder, statements);
    // Reading, continuing and salvaging share the check.
    const messages = statements.length > 1 ? await refusals(folder) : [await readingError(folder)];
    for (const message of messages) {
      expect(message).toContain(join(folder, 'study.duckdb'));
      expect(message).toContain(what);
      expect(message).not.toContain(SECRET);
    }
    if (statements.length > 1) await expect(salvageRows(folder, 'point')).rejects.toThrow(what);
  });

  test.each([
    ['accuracy_mean', ["UPDATE point SET accuracy_mean = 'nan'"]],
    ['format = "int9"', ["UPDATE trial SET format = 'int9'"]],
    ['mitigation', ["UPDATE plan SET mitigation = 'hope' WHERE mitigation = 'clip'"]],
    ['text of 70000 bytes', ["UPDATE point SET model = repeat('x', 70000)"]],
    ['name = "__proto__"', [`INSERT INTO configuration VALUES ('__proto__', '{"a": 1}')`]],
    ['not valid JSON', [`UPDATE configuration SET value = '{' WHERE name = 'seed'`]],
    ['another seed', ['UPDATE trial SET seed = 2']],
    ['other images', ['UPDATE trial SET images = 101']],
    ['once each', ['DELETE FROM trial WHERE map = 1']],
    ['no point of the plan', ["UPDATE trial SET scope = 'bit:7'"]],
    ['does not count', ['UPDATE point SET maps = 2']],
    ['no point of the plan', ['DELETE FROM plan']],
    [
      'tables of version 9, this Bitcell reads versions 3 to 8: use the newer Bitcell that wrote it',
      [`UPDATE version SET value = '9' WHERE name = 'store'`, 'ALTER TABLE point ADD COLUMN x INT'],
    ],
    [
      'tables of version 2, this Bitcell reads versions 3 to 8: use the older Bitcell that wrote it',
      [`UPDATE version SET value = '2' WHERE name = 'store'`],
    ],
    ['does not say the version', [`UPDATE version SET value = '"4"' WHERE name = 'store'`]],
    ['the table plan is missing', ['DROP TABLE plan']],
    ['code = undefined', ["DELETE FROM version WHERE name = 'code'"]],
    ['code.0 = 7', ["UPDATE version SET value = '[7]' WHERE name = 'code'"]],
  ])('values that it cannot have: %s', async (what, statements) => {
    const folder = copyOf(whole);
    await tamper(folder, statements);
    expect(await readingError(folder)).toContain(what);
  });

  test('counts of images that contradict each other', async () => {
    const folder = copyOf(whole);
    await tamper(folder, ['UPDATE trial SET correct = 101 WHERE map = 1']);
    const stored = await openResults(folder);
    await expect(stored.rows('trial', {})).rejects.toThrow('counts more images than there are');
    stored.close();
    await expect(openSmall(folder)).rejects.toThrow('counts more images than there are');
  });
});

describe('the log of a store', () => {
  /** Two copies of one study, and another study, each killed with a log. */
  let killed: string;
  let later: string;
  let other: string;

  beforeAll(async () => {
    [killed, later, other] = [newFolder(), newFolder(), newFolder()];
    const store = await openSmall(killed);
    await saveNext(store, 0);
    cpSync(killed, later, { recursive: true });
    store.close();
    rmSync(killed, { recursive: true });
    cpSync(later, killed, { recursive: true });
    // The copy has moved its log into the file and begun a new one.
    (await openSmall(later)).close();
    const continued = await openSmall(later);
    await saveNext(continued, 1);
    const kept = newFolder();
    cpSync(later, kept, { recursive: true });
    continued.close();
    later = kept;
    const another = await openSmall(other);
    await saveNext(another, 0);
    const otherKept = newFolder();
    cpSync(other, otherKept, { recursive: true });
    another.close();
    other = otherKept;
  });

  /** The file of one store beside the log of another. */
  function mixed(file: string, log: string): string {
    const folder = copyOf(file);
    cpSync(join(log, 'study.duckdb.wal'), join(folder, 'study.duckdb.wal'));
    return folder;
  }

  test('is read where it belongs, also after both were copied', async () => {
    expect(await checkedMaps(copyOf(killed))).toBe(1);
    const copy = copyOf(later);
    expect(await checkedMaps(copy)).toBe(2);
    const store = await openSmall(copy);
    expect(store.finished).toHaveLength(2);
    await saveNext(store, 2);
    store.close();
    expect(await checkedMaps(copy)).toBe(3);
  });

  test('of another study, or of an older or newer copy, is refused', async () => {
    const pairs = [
      [whole, other],
      [killed, other],
      [later, killed],
      [killed, later],
    ];
    for (const [file, log] of pairs) {
      const folder = mixed(file, log);
      for (const message of await refusals(folder)) {
        const path = join(folder, 'study.duckdb');
        expect(message).toBe(
          `${path}.wal is not the log of ${path}, but of another study or another copy of this one: move it away, or put the two files back that belong together`,
        );
      }
      rmSync(join(folder, 'study.duckdb.wal'));
      await checkedMaps(folder);
    }
  });

  test('without the identifier of a file is refused, where files have one', async () => {
    const old = join(newFolder());
    mkdirSync(old, { recursive: true });
    const instance = await DuckDBInstance.create(join(old, 'study.duckdb'));
    const connection = await instance.connect();
    await connection.run('CREATE TABLE version (name VARCHAR)');
    cpSync(join(old, 'study.duckdb.wal'), join(old, 'log'));
    connection.closeSync();
    instance.closeSync();
    const folder = copyOf(whole);
    cpSync(join(old, 'log'), join(folder, 'study.duckdb.wal'));
    for (const message of await refusals(folder)) expect(message).toContain('is not the log of');
  });

  test.each([0, 3, 4, 7])('with byte %i of its header wrong is refused', async (at) => {
    const folder = copyOf(killed);
    const log = readFileSync(join(folder, 'study.duckdb.wal'));
    log[at] ^= 0x90;
    writeFileSync(join(folder, 'study.duckdb.wal'), log);
    for (const message of await refusals(folder)) {
      expect(message).toMatch(/study\.duckdb( is damaged: |\.wal is not the log of )/);
    }
    const { rows, lost } = await salvageRows(folder, 'trial');
    expect(rows).toEqual([]);
    expect(lost).toHaveLength(1);
  });

  test('that is a link is left alone', async () => {
    const folder = copyOf(whole);
    const file = join(dirname(folder), 'letter.txt');
    writeFileSync(file, 'dear');
    symlinkSync(file, join(folder, 'study.duckdb.wal'));
    for (const message of await refusals(folder)) expect(message).toContain('not a regular file');
    expect(readFileSync(file, 'utf8')).toBe('dear');
  });
});

/** A store as the first Bitcell of version 3 made them: without a plan, and without an identifier in its log. */
async function oldStore(maps: number): Promise<string> {
  const source = newFolder();
  await makeOldStore(source, maps);
  const folder = newFolder();
  mkdirSync(folder);
  const instance = await DuckDBInstance.create(join(folder, 'study.duckdb'));
  const connection = await instance.connect();
  await connection.run(`ATTACH '${join(source, 'study.duckdb')}' AS source (READ_ONLY)`);
  await connection.run('COPY FROM DATABASE source TO study');
  await connection.run('CHECKPOINT study');
  connection.closeSync();
  instance.closeSync();
  return folder;
}

test('the first stores of version 3 are read and continued, but not with the log of another', async () => {
  const old = await oldStore(2);
  const stored = await openResults(old);
  expect(stored.remainder).toMatchObject({
    points: { complete: 0, planned: 2 },
    missing: [{ maps: { saved: 2, planned: 8 } }, { maps: { saved: 2, planned: 8 } }],
  });
  stored.close();
  const store = await openSmall(old);
  expect(store.finished).toHaveLength(2);
  await saveNext(store, 2);
  const killed = copyOf(old);
  store.close();
  expect(await checkedMaps(killed)).toBe(3);
  const further = await oldStore(5);
  const continued = copyOf(further);
  (await openSmall(continued)).close();
  // DuckDB would add its rows to those that are there, where the tables have as many columns.
  for (const [folder, problem] of [
    [further, 'is damaged'],
    [continued, 'contradicts itself'],
  ]) {
    cpSync(join(killed, 'study.duckdb.wal'), join(folder, 'study.duckdb.wal'));
    for (const message of await refusals(folder)) expect(message).toContain(problem);
  }
});

test.each(['md:x', ':memory:', '-x', 'q?/a?b', "it's\n=%41 é"])(
  'a path is a path: %j',
  async (name) => {
    const parent = newFolder();
    const folder = join(parent, name);
    const before = process.cwd();
    mkdirSync(parent, { recursive: true });
    process.chdir(parent);
    try {
      await makeStore(name, 1);
      const store = await openSmall(name);
      await saveNext(store, 1);
      store.close();
      expect(await checkedMaps(name)).toBe(2);
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(folder)).toEqual(['study.duckdb']);
    expect(readdirSync(parent)).toHaveLength(1);
  },
);

test('a name that is not UTF-8 is refused before anything is made', async () => {
  const folder = join(newFolder(), 'a\uFFFDb');
  await expect(openSmall(folder)).rejects.toThrow('is not UTF-8: choose another folder');
  expect(existsSync(dirname(folder))).toBe(false);
});

test('a log beside a file with a question mark in its path is refused, not ignored', async () => {
  const folder = newFolder();
  const store = await openSmall(folder);
  await saveNext(store, 0);
  const moved = `${folder}?`;
  cpSync(folder, moved, { recursive: true });
  store.close();
  for (const message of await refusals(moved)) expect(message).toContain('give the folder another');
});

describe('while a study runs', () => {
  test('its folder is removed: the next write says so, and so does the end', async () => {
    const folder = newFolder();
    const store = await openSmall(folder);
    await saveNext(store, 0);
    rmSync(folder, { recursive: true });
    const message = `${join(folder, 'study.duckdb')} was removed or replaced while it was written`;
    await expect(saveNext(store, 1)).rejects.toThrow(message);
    expect(() => store.close()).toThrow(message);
  });

  test('its log alone is removed: what is saved from then on is safe', async () => {
    const folder = newFolder();
    const store = await openSmall(folder);
    await saveNext(store, 0);
    rmSync(join(folder, 'study.duckdb.wal'));
    await saveNext(store, 1);
    const copy = copyOf(folder);
    store.close();
    expect(await checkedMaps(copy)).toBe(2);
  });
});
