import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openResults } from '../../../campaign/index.js';
import { STORE_VERSION } from '../../../campaign/store/versions/index.js';
import { sha256Hex } from '../../../core/index.js';
import { openSmall, saveNext } from './small-study.js';
import { checkedMaps, makeOldStore } from './store-checks.js';
import { newFolder } from './writer-process.js';

/** All statements and all cuts, or a share of them that continuous integration has the time for. */
const ALL = process.env.BITCELL_TEST_STATEMENTS === 'all';
const SHARE = 23;

const TIMEOUT = ALL ? 3_600_000 : 240_000;

/** Stands between the store and DuckDB: counts statements, and fails at one. */
const double = vi.hoisted(() => ({
  count: 0,
  failAt: Number.POSITIVE_INFINITY,
  afterEach: () => {},
  reset() {
    double.count = 0;
    double.failAt = Number.POSITIVE_INFINITY;
    double.afterEach = () => {};
  },
}));

vi.mock('@duckdb/node-api', async (importOriginal) => {
  const actual = await importOriginal<typeof import('@duckdb/node-api')>();
  /** Wraps the methods that make DuckDB do something; those that end something do not fail. */
  function watched<T extends object>(target: T): T {
    return new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name, object);
        if (typeof value !== 'function') return value;
        const call = value.bind(object);
        if (name === 'connect' || name === 'createAppender') {
          return async (...args: unknown[]) =>
            watched((await counted(() => call(...args))) as object);
        }
        if (name === 'run' || name === 'runAndReadAll') {
          return (...args: unknown[]) => counted(() => call(...args));
        }
        return call;
      },
    });
  }
  async function counted<T>(work: () => Promise<T>): Promise<T> {
    double.count += 1;
    if (double.count === double.failAt) throw new Error('IO Error: failed on purpose');
    const result = await work();
    double.afterEach();
    return result;
  }
  return {
    ...actual,
    DuckDBInstance: {
      create: (...args: Parameters<typeof actual.DuckDBInstance.create>) =>
        counted(async () => watched(await actual.DuckDBInstance.create(...args))),
    },
  };
});

beforeEach(() => double.reset());

/** Creates a store, saves two maps, closes it, opens it again and saves two more; `onSaved` after each. */
async function runStudy(folder: string, onSaved: (maps: number) => void): Promise<void> {
  for (const most of [2, 4]) {
    const store = await openSmall(folder);
    try {
      for (let maps = store.finished.length; maps < most; maps += 1) {
        await saveNext(store, maps);
        onSaved(maps + 1);
      }
    } finally {
      store.close();
    }
  }
}

test(
  'a statement that fails loses nothing that was saved, whichever it is',
  async () => {
    let failures = 0;
    for (let failAt = 1; ; failAt += ALL ? 1 : SHARE) {
      const folder = newFolder();
      double.reset();
      double.failAt = failAt;
      let saved = 0;
      const error = await runStudy(folder, (maps) => {
        saved = maps;
      }).then(
        () => undefined,
        (reason: Error) => reason,
      );
      double.reset();
      if (!error) break;
      failures += 1;
      expect(error.message).toMatch(/study\.duckdb.*: IO Error: failed on purpose[;.]/);
      if (existsSync(join(folder, 'study.duckdb'))) {
        expect(await checkedMaps(folder)).toBe(saved);
      } else {
        expect(saved).toBe(0);
      }
      await runStudy(folder, () => {});
      expect(await checkedMaps(folder)).toBe(4);
      rmSync(folder, { recursive: true });
    }
    expect(failures).toBeGreaterThan(ALL ? 60 : 2);
  },
  TIMEOUT,
);

test(
  'file and log as after each statement, the log cut anywhere, hold what was saved and nothing half',
  async () => {
    const folder = newFolder();
    const [file, log] = ['study.duckdb', 'study.duckdb.wal'].map((name) => join(folder, name));
    const kept = newFolder();
    mkdirSync(kept, { recursive: true });
    const moments = new Map<string, { maps: number; log: Buffer }>();
    let saved = 0;
    const keep = () => {
      if (!existsSync(file)) return;
      const bytes = readFileSync(file);
      const changes = existsSync(log) ? readFileSync(log) : Buffer.alloc(0);
      const name = `${sha256Hex(bytes)}-${sha256Hex(changes)}`;
      // The same bytes may be there before and after a transaction is told to be saved.
      moments.set(name, { maps: saved, log: changes });
      copyFileSync(file, join(kept, name));
    };
    double.afterEach = keep;
    await runStudy(folder, (maps) => {
      saved = maps;
      keep();
    });
    double.reset();
    const cases = [...moments].flatMap(([name, moment]) => {
      const cuts = Array.from({ length: Math.ceil(moment.log.length / 512) }, (_, at) => 512 * at);
      return [...cuts, moment.log.length].map((cut) => ({ name, cut, ...moment }));
    });
    expect(cases.length).toBeGreaterThan(15);
    const chosen = cases.filter(
      ({ cut, log: changes }, index) => ALL || index % SHARE === 0 || cut === changes.length,
    );
    const copy = newFolder();
    for (const { name, cut, maps, log: changes } of chosen) {
      rmSync(copy, { recursive: true, force: true });
      mkdirSync(copy, { recursive: true });
      copyFileSync(join(kept, name), join(copy, 'study.duckdb'));
      if (changes.length > 0) {
        writeFileSync(join(copy, 'study.duckdb.wal'), changes.subarray(0, cut));
      }
      const found = await checkedMaps(copy);
      if (cut === changes.length) expect(found).toBeGreaterThanOrEqual(maps);
      const store = await openSmall(copy);
      expect(store.finished).toHaveLength(found);
      store.close();
    }
  },
  TIMEOUT,
);

describe('a store of an older version that is continued', () => {
  let old: string;

  beforeAll(async () => {
    double.reset();
    old = newFolder();
    await makeOldStore(old, 3);
  });

  function copyOf(folder: string): string {
    const copy = newFolder();
    cpSync(folder, copy, { recursive: true });
    return copy;
  }

  /** Check that a store holds the three maps, as one version or the other; returns which. */
  async function checkedVersion(folder: string): Promise<unknown> {
    expect(await checkedMaps(folder)).toBe(3);
    const stored = await openResults(folder);
    const { versions, remainder } = stored;
    stored.close();
    expect(remainder.points).toEqual({ complete: 0, planned: 2 });
    expect([3, STORE_VERSION]).toContain(versions.store);
    return versions.store;
  }

  async function expectContinuable(folder: string): Promise<void> {
    const store = await openSmall(folder);
    expect(store.finished).toHaveLength(3);
    store.close();
    expect(await checkedVersion(folder)).toBe(STORE_VERSION);
  }

  test(
    'stays one when a statement fails, whichever it is',
    async () => {
      double.reset();
      (await openSmall(copyOf(old))).close();
      const statements = double.count;
      // The last ones change the store; those before read it alone.
      for (let failAt = statements; failAt > (ALL ? 0 : statements - 30); failAt -= ALL ? 1 : 4) {
        const folder = copyOf(old);
        double.reset();
        double.failAt = failAt;
        await expect(openSmall(folder)).rejects.toThrow('failed on purpose');
        double.reset();
        await checkedVersion(folder);
        await expectContinuable(folder);
        rmSync(folder, { recursive: true });
      }
    },
    TIMEOUT,
  );

  test(
    'is of one version or the other wherever a kill stops it',
    async () => {
      double.reset();
      const folder = copyOf(old);
      const moments = new Map<string, { file: Buffer; log: Buffer }>();
      double.afterEach = () => {
        const [file, log] = ['study.duckdb', 'study.duckdb.wal'].map((name) =>
          existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : Buffer.alloc(0),
        );
        moments.set(sha256Hex(sha256Hex(file) + sha256Hex(log)), { file, log });
      };
      (await openSmall(folder)).close();
      double.reset();
      const logs = [...moments.values()].filter(({ log }) => log.length > 0);
      expect(logs.length).toBeGreaterThan(0);
      const found = new Set<unknown>();
      const copy = newFolder();
      for (const { file, log } of logs) {
        for (let cut = log.length; cut > 0; cut -= ALL ? 16 : 700) {
          rmSync(copy, { recursive: true, force: true });
          mkdirSync(copy, { recursive: true });
          writeFileSync(join(copy, 'study.duckdb'), file);
          writeFileSync(join(copy, 'study.duckdb.wal'), log.subarray(0, cut));
          found.add(await checkedVersion(copy));
          await expectContinuable(copy);
        }
      }
      expect([...found].sort()).toEqual([3, STORE_VERSION]);
    },
    TIMEOUT,
  );
});
