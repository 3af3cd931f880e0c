import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { InputError, lockFile } from '../../core/index.js';

const root = mkdtempSync(join(tmpdir(), 'bitcell-'));
afterAll(() => rmSync(root, { recursive: true }));

const newLock = () => join(mkdtempSync(join(root, 'folder-')), 'lock');

/** The number of a process that has ended. */
const ENDED = spawnSync(process.execPath, ['--version']).pid;

function written(holder: object): string {
  const path = newLock();
  writeFileSync(path, JSON.stringify(holder));
  return path;
}

test('one process at a time, until it releases the lock', () => {
  const path = newLock();
  const lock = lockFile(path, 'the folder');
  const who = `process ${process.pid} on ${hostname()}`;
  expect(() => lockFile(path, 'the folder')).toThrow(
    new InputError(
      `the folder is in use by ${who}: wait until that has ended, or choose another folder; if it does not run any more, remove ${path}`,
    ),
  );
  lock.release();
  expect(existsSync(path)).toBe(false);
  lockFile(path, 'the folder').release();
});

const here = hostname();
test.each([
  ['has ended', { host: here, process: ENDED, started: null }],
  ['had the number of this process', { host: here, process: process.pid, started: '1' }],
  ['had the number of another process', { host: here, process: process.ppid, started: '1' }],
])('the lock of a process that %s is taken over', (_, holder) => {
  const path = written(holder);
  const lock = lockFile(path, 'the folder');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ process: process.pid });
  lock.release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test.each([
  ['of a process that runs', { host: here, process: process.ppid, started: null }],
  ['of another machine', { host: `not-${here}`, process: ENDED, started: null }],
])('the lock %s is left alone', (_, holder) => {
  const path = written(holder);
  expect(() => lockFile(path, 'the folder')).toThrow(
    `in use by process ${holder.process} on ${holder.host}: `,
  );
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(holder);
});

test('a lock that says nothing is left alone', () => {
  const path = newLock();
  writeFileSync(path, '');
  expect(() => lockFile(path, 'it')).toThrow(`in use by another process: `);
});
