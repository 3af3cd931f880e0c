import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openResults } from '../../../campaign/index.js';
import {
  checkContent,
  lastNumber,
  newFolder,
  openTestStore,
  startWriter,
} from './writer-process.js';

describe('openStore', () => {
  test('refuses a store that another process has open, and leaves it alone', async () => {
    const folder = newFolder();
    const file = join(folder, 'study.duckdb');
    const writer = startWriter(folder, { most: 8 });
    await writer.said('done');
    const message = `${file} is in use by process ${writer.child.pid} on ${hostname()}: wait until that has ended, or choose another folder`;
    await expect(openTestStore(folder)).rejects.toThrow(message);
    await expect(openResults(folder)).rejects.toThrow(message);
    writer.child.stdin?.end();
    await writer.ended;
    expect(await checkContent(folder)).toBe(lastNumber(writer.lines, 'saved'));
  });

  test('keeps what was saved when a write fails, and continues when there is space again', async () => {
    const folder = newFolder();
    const file = join(folder, 'study.duckdb');
    const full = startWriter(folder, { batch: 200, fileLimit: 1900 });
    await full.ended;
    const error = full.lines.at(-1);
    expect(error).toMatch(new RegExp(`^error Cannot (write|open) ${file}: .*File too large`));
    const saved = lastNumber(full.lines, 'saved');
    expect(saved).toBeGreaterThan(0);
    expect(await checkContent(folder)).toBe(saved);

    const most = saved + 400;
    const writer = startWriter(folder, { batch: 200, most });
    await writer.said('done');
    writer.child.stdin?.end();
    await writer.ended;
    expect(await checkContent(folder)).toBe(most);
  });

  test('leaves nothing behind when there is no space to begin with', async () => {
    const folder = newFolder();
    for (const fileLimit of [4, 300]) {
      const writer = startWriter(folder, { fileLimit });
      await writer.ended;
      expect(writer.lines).toEqual([
        expect.stringMatching(/^error Cannot (write|open) .*File too large/),
      ]);
      expect(readdirSync(folder)).toEqual([]);
    }
    (await openTestStore(folder)).close();
    expect(await checkContent(folder)).toBe(0);
  });

  test('shows every difference between the stored study and the wanted one', async () => {
    const folder = newFolder();
    const configuration = {
      seed: 1,
      rates: [0, 0.1],
      checksums: { data: 'a', networks: { alexnet: 'b' } },
    };
    (await openTestStore(folder, { configuration })).close();
    const changed = {
      seed: 2,
      rates: [0, 0.2],
      precision: 2,
      checksums: { data: 'a', networks: { alexnet: 'c' } },
    };
    await expect(openTestStore(folder, { configuration: changed })).rejects.toThrow(
      `${join(folder, 'study.duckdb')} is of another study: seed 1 is now 2; rates [0,0.1] is now [0,0.2]; checksums.networks.alexnet "b" is now "c"; precision not given is now 2`,
    );
    (await openTestStore(folder, { configuration })).close();
  });

  test('takes a store that says no requirement for one of the default requirement', async () => {
    const folder = newFolder();
    (await openTestStore(folder, { configuration: { seed: 1 } })).close();
    const asked = { seed: 1, within: 2, yield: 0.9 };
    (await openTestStore(folder, { configuration: asked })).close();
    const other = { seed: 1, within: 3, yield: 0.9 };
    await expect(openTestStore(folder, { configuration: other })).rejects.toThrow(
      'is of another study: within 2 is now 3',
    );
  });

  test('refuses a file that is no study, and leaves nothing behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
    const file = join(folder, 'study.duckdb');
    writeFileSync(file, 'no database '.repeat(1000));
    const message = `${file} is not a study of Bitcell: choose another folder`;
    await expect(openTestStore(folder)).rejects.toThrow(message);
    await expect(openResults(folder)).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual(['study.duckdb']);
    await expect(openResults(tmpdir())).rejects.toThrow(`${tmpdir()} holds no results of a study`);
  });

  test('removes what a killed creation left behind', async () => {
    const folder = newFolder();
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder);
    // No process has this number: Linux and macOS count to 2^22 at most.
    writeFileSync(join(folder, '.study.duckdb.99999999'), 'half');
    writeFileSync(join(folder, `.study.duckdb.${process.pid}.wal`), 'half');
    const store = await openTestStore(folder);
    expect(store.finished).toEqual([]);
    store.close();
    expect(readdirSync(folder)).toEqual(['study.duckdb']);
  });
});
