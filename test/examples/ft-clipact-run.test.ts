import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';

const EXAMPLE = join(packageRoot(), 'examples', 'ft-clipact');
const STEP = 'resilience-alexnet-float32';
const MINUTES = 60_000;

const root = mkdtempSync(join(tmpdir(), 'bitcell-ft-clipact-run-'));
afterAll(() => rmSync(root, { recursive: true }));

const load = (name: string) => import(pathToFileURL(join(EXAMPLE, name)).href);

const { planSteps } = await load('steps.mjs');
const { describe, readRecord, writeRecord } = await load('records.mjs');
const { writeTables } = await load('tables.mjs');
const { openTables } = await load('read-tables.mjs');

/** Run the example to its end. */
function run(
  args: readonly string[],
  onStart: (child: ChildProcess) => void = () => {},
): Promise<{ status: number | null; stderr: string }> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BITCELL_'));
  const child = spawn(process.execPath, [join(EXAMPLE, 'run.mjs'), ...args], {
    cwd: root,
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  onStart(child);
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stderr })));
}

const table = (out: string) => readFileSync(join(out, 'tables', `${STEP}.csv`), 'utf8');

test(
  'a run that was interrupted continues, and gives the tables of one that was not',
  async () => {
    const [whole, parts] = [join(root, 'whole'), join(root, 'parts')];
    const args = ['--quick', '--only', STEP, '--threads', '1', '--out'];
    expect(await run([...args, whole])).toMatchObject({ status: 0 });

    const first = await run([...args, parts], (child) => {
      const watch = setInterval(() => {
        if (!existsSync(join(parts, 'stores', STEP, 'study.duckdb'))) return;
        clearInterval(watch);
        child.kill('SIGINT');
      }, 20);
    });
    expect(first.status).toBe(130);
    expect(first.stderr).toContain('interrupted: the same command continues');
    expect(existsSync(join(parts, 'tables', `${STEP}.csv`))).toBe(false);

    expect(await run([...args, parts])).toMatchObject({ status: 0 });
    expect(table(parts)).toBe(table(whole));
    const page = readFileSync(join(parts, 'report', 'reproduction.md'), 'utf8');
    expect(page).toContain('AlexNet, float32 words, 2 maps × 5 test images:');
    expect(existsSync(join(parts, 'report', 'reproduction', 'resilience-alexnet.svg'))).toBe(true);

    const again = await run([...args, parts]);
    expect(again.status).toBe(0);
    expect(again.stderr).toContain(`${STEP}: complete`);
    const full = await run(['--only', STEP, '--out', parts]);
    expect(full.status).toBe(2);
    expect(full.stderr).toContain('is of another command: choose another --out');
  },
  5 * MINUTES,
);

test('an unknown step is refused', async () => {
  const { status, stderr } = await run(['--quick', '--only', 'spred']);
  expect(status).toBe(2);
  expect(stderr).toContain('--only spred: no such step');
});

/** An output folder in which a step printed a result. */
function outWith(name: string, result: object): { out: string; step: object } {
  const out = mkdtempSync(join(root, 'out-'));
  const step = planSteps(true).find((found: { name: string }) => found.name === name);
  writeRecord(out, { ...describe(step), threads: null, seconds: 75, result });
  return { out, step };
}

test('a sweep becomes a table', async () => {
  const layers = ['conv1', 'fc1'].map((name, place) => ({
    name,
    actMax: 6 * (place + 1),
    points: [1, 2, 3].map((third) => ({
      threshold: 2 * third * (place + 1),
      area: [0.4, 0.65, 0.6][third - 1],
    })),
  }));
  const { out, step } = outWith('sweep-alexnet-int8', { layers, rates: [1e-3, 1e-2] });
  await writeTables([step], out);
  const tables = openTables(join(out, 'tables'));
  expect(tables.sweep('sweep-alexnet-int8')).toEqual(
    layers.map(({ name, ...layer }) => ({ layer: name, ...layer })),
  );
  expect(tables.steps()).toMatchObject([
    { step: 'sweep-alexnet-int8', threads: 'all', seconds: 75 },
  ]);
  expect(readRecord(out, { name: 'sweep-vgg16-int8', command: [] })).toBeUndefined();
});

test('distributions become a table of the fault-free and three faulty ones', async () => {
  const { out, step } = outWith('distributions-alexnet', {});
  const at = (rate: number) => ({
    rate,
    layers: [
      {
        name: 'conv1',
        values: 90,
        nonFinite: 10,
        largest: rate === 0 ? 7 : null,
        histogram: [
          { from: -2, count: 3 },
          { from: 0, count: 5 },
          { from: 0.25, count: 70 },
          { from: 4, count: 12 },
        ],
      },
    ],
  });
  const distributions = { float32: [0, 1e-7, 1e-6, 1e-5, 1e-4].map(at), int8: [0, 1e-3].map(at) };
  mkdirSync(join(out, 'profiles'));
  const file = join(out, 'profiles', 'alexnet.distributions.json');
  writeFileSync(file, JSON.stringify(distributions));
  await writeTables([step], out);
  const rows = openTables(join(out, 'tables')).distributions('distributions-alexnet');
  expect(rows.map(({ format, rate }: { format: string; rate: number }) => [format, rate])).toEqual([
    ...[0, 1e-7, 1e-5, 1e-4].map((rate) => ['float32', rate]),
    ...[0, 1e-3].map((rate) => ['int8', rate]),
  ]);
  const octaves = [
    { exponent: -2, count: 70 },
    { exponent: 2, count: 12 },
  ];
  expect(rows[0]).toMatchObject({
    layer: 'conv1',
    values: 100,
    nonFinite: 10,
    largest: 7,
    octaves,
  });
  expect(rows[1].largest).toBeUndefined();
});
