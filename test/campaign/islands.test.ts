import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  openResults,
  parseStudy,
  prepareStudy,
  type RunOptions,
  runStudy,
} from '../../campaign/index.js';
import { islandVersions } from '../../campaign/inputs/checksums.js';
import { isIsland, loadNetwork } from '../../models/index.js';
import { writeIslandNetwork } from '../sim/islands.js';
import { tamper } from './store/store-checks.js';
import { storedContent } from './stored-content.js';

const model = writeIslandNetwork(mkdtempSync(join(tmpdir(), 'bitcell-')));
const study = parseStudy({
  model,
  formats: ['float32'],
  rates: [0, 3e-4],
  mitigations: ['none'],
  maps: 3,
  images: 8,
  imageChoice: 'fixed',
});

/** What other machines computed the islands by. */
const OTHER = 'onnxruntime 1.30.0 on x64 avx';
const ELSEWHERE = `UPDATE version SET value = '["${OTHER}"]' WHERE name = 'islands'`;

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

async function islandsOf(folder: string): Promise<unknown> {
  const stored = await openResults(folder);
  stored.close();
  return stored.versions.islands;
}

test('weights of an island are among those that faults strike', () => {
  const network = loadNetwork(model, 'float32');
  expect(network.layers.filter(isIsland).length).toBe(1);
  expect(network.layers.map(({ kind }) => kind)).toContain('stored-weights');
});

test('a study is the same on two threads, and says what computed the islands', async () => {
  const other = newFolder();
  await run(other, { threads: 2 });
  expect(await storedContent(other)).toEqual(await storedContent(whole));
  const now = islandVersions([loadNetwork(model, 'float32')]);
  expect(now).toMatch(/^onnxruntime 1\.30\.\d+ on /);
  expect(await islandsOf(other)).toEqual([now]);
});

test('the plain engine finds the same', async () => {
  const other = newFolder();
  await run(other, { engine: 'plain' });
  expect(await storedContent(other)).toEqual(await storedContent(whole));
});

test('elsewhere a saved trial is run again, and what computed the islands is noted', async () => {
  const out = await copyOf(whole, [ELSEWHERE]);
  const repeated: unknown[] = [];
  const onRepeat: RunOptions['onRepeat'] = (trials, by) => repeated.push(trials.length, by);
  expect((await run(out, { resume: true, onRepeat })).complete).toBe(true);
  expect(repeated).toEqual([1, 'islands']);
  expect(await islandsOf(out)).toEqual([OTHER, islandVersions([loadNetwork(model, 'float32')])]);
  repeated.length = 0;
  await run(out, { resume: true, onRepeat });
  expect(repeated).toEqual([]);
});

test('a study that is not repeated elsewhere is refused', async () => {
  const out = await copyOf(whole, [
    ELSEWHERE,
    'UPDATE trial SET injected = injected + 1 WHERE "condition" = 1',
  ]);
  await expect(run(out, { resume: true })).rejects.toThrow(
    /\/study was saved where networks' islands were computed by onnxruntime 1\.30\.0 on x64 avx, and onnxruntime 1\.30\.\d+ on .* does not repeat it: condition 1, map 0, mitigation none: injected/,
  );
});

test('networks without islands need and note nothing of it', () => {
  expect(islandVersions([loadNetwork('alexnet', 'int8')])).toBeUndefined();
});
