import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  openResults,
  parseStudy,
  prepareStudy,
  type RunOptions,
  replayCommand,
  runStudy,
  type Trial,
} from '../../campaign/index.js';
import { codeChecksum } from '../../campaign/inputs/checksums.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';
import { tamper } from './store/store-checks.js';
import { storedContent } from './stored-content.js';

const files = writeTinyNetwork(mkdtempSync(join(tmpdir(), 'bitcell-')));

const study = parseStudy({
  model: files.int8,
  thresholds: files.thresholds,
  formats: ['float32', 'int8'],
  rates: [0, 1e-3],
  mitigations: ['none', 'clip'],
  maps: 1,
  images: 6,
  imageChoice: 'fixed',
});

const OTHER_CODE = `UPDATE version SET value = '["other"]' WHERE name = 'code'`;

let whole: string;

beforeAll(async () => {
  whole = newFolder();
  await run(whole);
});

function newFolder(): string {
  return join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'study');
}

function run(out: string, more: Partial<RunOptions> = {}) {
  return runStudy(prepareStudy(study), { threads: 1, out, ...more });
}

async function copyOf(folder: string, statements: readonly string[]): Promise<string> {
  const copy = newFolder();
  cpSync(folder, copy, { recursive: true });
  await tamper(copy, statements);
  return copy;
}

/** Continue a study; returns the trials that were run again. */
async function continued(out: string): Promise<readonly Trial[]> {
  let repeated: readonly Trial[] = [];
  const onRepeat = (trials: readonly Trial[]) => {
    repeated = trials;
  };
  expect((await run(out, { resume: true, onRepeat })).complete).toBe(true);
  return repeated;
}

async function codeOf(folder: string): Promise<unknown> {
  const stored = await openResults(folder);
  stored.close();
  return stored.versions.code;
}

test('a study that other code saved goes on when that repeats a trial of each network', async () => {
  const out = await copyOf(whole, [OTHER_CODE]);
  // The first of each network in which faults have an effect.
  expect((await continued(out)).map(({ condition, map }) => [condition, map])).toEqual([
    [1, 0],
    [3, 0],
  ]);
  expect(await codeOf(out)).toEqual(['other', codeChecksum()]);
  expect(await storedContent(out)).toEqual(await storedContent(whole));
  expect(await continued(out)).toEqual([]);
});

test('a study without trials goes on, and the code is noted', async () => {
  const empty = newFolder();
  await run(empty, { signal: AbortSignal.abort() });
  const out = await copyOf(empty, [OTHER_CODE]);
  expect(await continued(out)).toEqual([]);
  expect(await codeOf(out)).toEqual(['other', codeChecksum()]);
});

describe('a study is refused, and stays as it is, when its code does not repeat', () => {
  test.each([
    ['none', 'injected = injected + 1', /injected: saved 525, now 524/],
    ['clip', 'non_finite = 6', /nonFinite: saved 6, now \d/],
    ['clip', "sdc = 1, sdc_images = '80'", /sdc: saved 1, now \d; sdcImages: saved 80, now /],
  ])('with %s: %s', async (mitigation, change, difference) => {
    const out = await copyOf(whole, [
      OTHER_CODE,
      `UPDATE trial SET ${change} WHERE "condition" = 1 AND mitigation = '${mitigation}'`,
    ]);
    const file = join(out, 'study.duckdb');
    const before = readFileSync(file);
    const error = await run(out, { resume: true }).catch((reason: Error) => reason);
    expect(error).toMatchObject({ name: 'InputError' });
    const { message } = error as Error;
    expect(message).toMatch(
      /^\/.*\/study was saved by other code, and this code does not repeat it: /,
    );
    expect(message).toContain(`condition 1, map 0, mitigation ${mitigation}: `);
    expect(message).toMatch(difference);
    expect(message).toContain(`"${replayCommand(study, { condition: 1, map: 0, images: 6 })}"`);
    expect(readdirSync(out)).toEqual(['study.duckdb']);
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});
