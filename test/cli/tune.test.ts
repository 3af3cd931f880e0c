import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CaseResult } from '../../campaign/verify/index.js';
import { areaUnderCurve, readThresholds } from '../../mitigation/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { ACTIVATED_LAYERS, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const files = writeTinyNetwork(folder);
const SMALL = ['--maps', '2', '--images', '10', '--rounds', '2', '--least-rounds', '1'];
const RATES = { int8: '0.05,0.02', float32: '1e-3,1e-4' } as const;

function tune(format: 'int8' | 'float32', output: string, ...options: string[]): string[] {
  const model = ['--model', files.int8, '--format', format, '--rates', RATES[format]];
  return ['tune', ...model, '-o', output, ...SMALL, '--threads', '2', ...options];
}

interface TuneJson {
  readonly layers: {
    readonly name: string;
    readonly actMax: number;
    readonly threshold: number;
    readonly auc: { readonly before: number; readonly after: number };
  }[];
  readonly judged: { readonly auc: Readonly<Record<string, number>> };
  readonly cost: { readonly products: number; readonly bruteForceProducts: number };
}

test('profile, tune, export and verify follow each other', async () => {
  const output = join(folder, 'thresholds.json');
  const profile = ['--model', files.int8, '--output', output, '--images', '40'];
  await bitcellJson(['profile', ...profile]);
  const profiled = readThresholds(output);
  for (const format of ['int8', 'float32'] as const) {
    const result = await bitcellJson(tune(format, output, '--thresholds', output));
    const { layers, judged, cost } = result as unknown as TuneJson;
    expect(result).toMatchObject({ output, seed: 1, tuning: { format, maps: 2, images: 10 } });
    expect(layers.map(({ name }) => name)).toEqual(ACTIVATED_LAYERS);
    for (const { actMax, threshold, auc } of layers) {
      expect(threshold).toBeGreaterThanOrEqual(0);
      expect(threshold).toBeLessThanOrEqual(actMax);
      expect(auc.after).toBeGreaterThanOrEqual(auc.before);
    }
    expect(cost.products).toBeLessThan(cost.bruteForceProducts);
    const found = readThresholds(output).tuned?.[format]?.found;
    expect(found).toMatchObject({
      method: 'interval-search',
      layers: layers.map(({ name, threshold }) => ({ name, threshold })),
    });
    expect(found?.judged).toEqual(judged);
    if (format === 'float32') continue;

    // The judgement is the study of the same seed.
    const { points } = await bitcellJson([
      'run',
      ...['--model', files.int8, '--format', format, '--rates', RATES[format]],
      ...['--mitigations', 'clip-tuned', '--thresholds', output, '--maps', '2', '--images', '10'],
    ]);
    const accuracies = (points as { accuracy: { mean: number } }[]).map((one) => one.accuracy.mean);
    expect(judged.auc['clip-tuned']).toBeCloseTo(areaUnderCurve(accuracies), 12);
  }
  expect(await refusal(['profile', ...profile])).toBe(
    `${output} holds thresholds that a search found: choose another file, or remove it`,
  );
  const { tuned, ...rest } = readThresholds(output);
  expect(rest).toEqual(profiled);
  expect(Object.keys(tuned ?? {})).toEqual(['int8', 'float32']);

  for (const format of ['int8', 'float32']) {
    const exported = await bitcellJson([
      'export',
      ...['--model', files.int8, '--format', format, '--thresholds', output],
      ...['--output', join(folder, `${format}.onnx`)],
    ]);
    expect(exported).toMatchObject({
      format,
      mitigation: 'clip-tuned',
      clippedLayers: ACTIVATED_LAYERS,
    });
  }
  const verified = await bitcellJson([
    'verify',
    ...['--model', files.int8, '--thresholds', output, '--images', '3'],
  ]);
  const cases = verified.cases as CaseResult[];
  const ofTuned = cases.filter(({ name }) => name.includes('tuned'));
  expect(ofTuned.filter(({ name }) => name.startsWith('float32')).length).toBe(4);
  expect(ofTuned.length).toBeGreaterThanOrEqual(8);
  expect(ofTuned.some(({ name }) => name.includes('1e-2'))).toBe(true);
  for (const { mismatches, values } of cases) {
    expect(mismatches).toBe(0);
    expect(values).toBeGreaterThan(0);
  }
}, 300_000);

test('tune prints a table, its cost and the judgement as text', async () => {
  const { status, stdout, stderr } = await bitcell(
    tune('int8', 'out.json', '--thresholds', files.thresholds),
  );
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/\nlayer +ACT_max +threshold +area before, % +after, % +rounds\n/);
  expect(stdout).toMatch(/\nJudged on 2 fresh maps a rate × 10 test images: none [\d.]+ %, clip/);
  expect(stdout).toMatch(
    /\d+ thresholds scored by [\d,]+ image runs: [\d.]+ billion multiply-accumulates, [\d.]+ % of the /,
  );
  expect(stderr).toMatch(/scores of thresholds on maps/);
});

describe('tune refuses', () => {
  test.each([
    { args: ['--resume'], part: '--resume needs --out FOLDER' },
    { args: ['--rates', '0,0.1'], part: 'rate 0 is no point of the curve' },
    { args: ['--smallest-gain', '2'], part: '"2" is not a share of the area between 0 and 1.' },
    { args: ['--faulty', 'some'], part: 'Allowed choices are whole-network, tuned-layer.' },
    { args: ['--faults', 'flips'], part: 'tune: faults = "flips": ' },
  ])('$args', async ({ args, part }) => {
    expect(await refusal(tune('int8', 'out.json', ...args))).toContain(part);
  });

  test('a file of another network', async () => {
    const args = ['--thresholds', files.thresholds, '--model', files.float32];
    expect(await refusal(tune('float32', files.thresholds, ...args))).toContain(
      'holds thresholds of',
    );
  });
});

test('clip-tuned without tuned thresholds says how to find them', async () => {
  const args = ['--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'];
  expect(await refusal(['run', ...args, '--mitigations', 'none,clip-tuned'])).toBe(
    `${files.thresholds} holds no tuned thresholds of tiny for int8 words: find them with "bitcell tune --format int8 --output FILE" and give --thresholds FILE`,
  );
});

test('sweep prints what the thresholds of each layer are worth', async () => {
  const sizes = ['--maps', '2', '--images', '10', '--points', '2', '--rates', RATES.int8];
  const command = ['sweep', '--model', files.int8, '--thresholds', files.thresholds, ...sizes];
  const result = await bitcellJson(command);
  expect(result).toMatchObject({ seed: 1, rates: [0.02, 0.05], tuning: { method: 'sweep' } });
  const layers = result.layers as { name: string; actMax: number; points: unknown[] }[];
  expect(layers.map(({ name }) => name)).toEqual(ACTIVATED_LAYERS);
  for (const { points, actMax } of layers) {
    expect(points).toMatchObject([{ threshold: actMax / 2 }, { threshold: actMax }]);
  }
  const { stdout } = await bitcell(command);
  expect(stdout).toMatch(/\n *conv1 +area, %\n/);
  expect(await refusal([...command, '--resume'])).toContain('--resume needs --out FOLDER');
});
