import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StudyPoint } from '../../campaign/index.js';
import { type ImageSet, loadCifar10, normalize, writeQdq } from '../../models/index.js';
import { runOnnx } from '../models/onnxruntime.js';
import { bitcell, bitcellJson, newFolder } from './command.js';
import { CELLS, INT8_NETWORK, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model, thresholds } = writeTinyNetwork(folder);

const RATES = [0, 1e-4, 1e-2];
const MITIGATIONS = ['none', 'clip', 'clamp'];
const small = [
  'run',
  ...['--model', model, '--rates', '0,1e-4,1e-2', '--mitigations', 'none,clip,clamp'],
  ...['--maps', '2', '--images', '40', '--seed', '5'],
];

const share = expect.toSatisfy((value) => typeof value === 'number' && value >= 0 && value <= 1);

describe('run', () => {
  test('gives every point of both word formats, whatever the number of threads', async () => {
    const [one, two] = await Promise.all(
      ['1', '2'].map((threads) => bitcellJson([...small, '--threads', threads])),
    );
    expect(one.seconds).toBeGreaterThan(0);
    expect({ ...one, seconds: 0 }).toEqual({ ...two, seconds: 0 });
    // See timing.test.ts for the cycles.
    expect(one).toMatchObject({ seed: 5, cycles: 2152, energy: null, study: { seed: 5, model } });

    const points = one.points as StudyPoint[];
    expect(points.map(({ format, rate, mitigation }) => [format, rate, mitigation])).toEqual(
      ['float32', 'int8'].flatMap((format) =>
        RATES.flatMap((rate) => MITIGATIONS.map((mitigation) => [format, rate, mitigation])),
      ),
    );
    for (const point of points) {
      const { format, rate, accuracy, faults } = point;
      expect(point).toEqual({
        model,
        format,
        rate,
        mitigation: point.mitigation,
        maps: 2,
        images: 40,
        accuracy: { mean: share, low: share, high: share },
        yield: { within: 0.02, share, low: share, high: share },
        nonFinite: expect.any(Number),
        faults: {
          requested: rate * CELLS[format],
          injected: expect.any(Number),
          effective: expect.any(Number),
        },
      });
      expect(accuracy.low).toBeLessThanOrEqual(accuracy.mean);
      expect(accuracy.high).toBeGreaterThanOrEqual(accuracy.mean);
      expect(Math.abs(faults.injected - faults.requested)).toBeLessThan(1);
      expect(faults.effective).toBeLessThanOrEqual(faults.injected);
      if (rate === 0 && point.mitigation === 'none') expect(point.yield.share).toBe(1);
    }
    // The same maps for every mitigation.
    for (let first = 0; first < points.length; first += MITIGATIONS.length) {
      const [none, clip, clamp] = points.slice(first, first + MITIGATIONS.length);
      expect([clip.faults, clamp.faults]).toEqual([none.faults, none.faults]);
    }
  });

  test('measures the accuracy that onnxruntime has on all test images', async () => {
    const test = loadCifar10({ split: 'test' });
    const [result, correct] = await Promise.all([
      bitcellJson([
        'run',
        ...['--model', model, '--format', 'int8', '--rates', '0', '--mitigations', 'none'],
        ...['--maps', '1', '--images', String(test.count)],
      ]),
      countCorrect(test),
    ]);
    const [{ accuracy }] = result.points as StudyPoint[];
    expect(accuracy.mean).toBe(correct / test.count);
  });

  test('takes an option from its flag, else the environment, else the study file', async () => {
    const file = join(newFolder(), 'study.yaml');
    writeFileSync(file, `model: ${model}\nmitigations: [none]\nimages: 2\nmaps: 2\nseed: 2\n`);
    const { study } = await bitcellJson(['run', file, '--seed', '4', '--dry-run'], {
      env: { BITCELL_SEED: '3', BITCELL_MAPS: '3' },
    });
    expect(study).toMatchObject({ images: 2, maps: 3, seed: 4 });
  });

  test('--dry-run prints the plan and writes nothing', async () => {
    const cwd = newFolder();
    const { study, ...plan } = await bitcellJson(
      [...small, '--thresholds', thresholds, '--dry-run', '--out', 'results'],
      { cwd },
    );
    expect(study).toEqual({
      model,
      formats: ['float32', 'int8'],
      rates: RATES,
      faults: 'flip',
      placement: 'resident',
      accelerator: 'edge-16x16',
      mitigations: MITIGATIONS,
      thresholds,
      maps: 2,
      images: 40,
      seed: 5,
    });
    // Two formats, two maps, three rates; each trial runs its images once per mitigation.
    expect(plan).toEqual({ seed: 5, trials: 12, imageRuns: 12 * 3 * 40 });
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('prints a table as text, the progress on stderr', async () => {
    const { status, stdout, stderr } = await bitcell([...small, '--format', 'int8']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^720 of 720 image runs, \d+ a second, 0 s left\n$/);
    expect(stdout).toMatch(/^words +fault rate +faults +effective +none \[95 %\] +clip \[95 %\]/m);
    expect(stdout).toMatch(/^int8 +1e-2 +2,62[12] +\d+ +\d+\.\d \[\d+\.\d, \d+\.\d\]/m);
    expect(stdout).toMatch(/^Seed 5, /m);
    expect(stdout).toContain('2,152 cycles an image');
  });

  test('--out saves the study, its trials and its results, once', async () => {
    const out = join(newFolder(), 'results');
    const args = [...small, '--format', 'int8', '--thresholds', thresholds, '--out', out];
    const { points } = await bitcellJson(args);
    expect(readdirSync(out).sort()).toEqual(['results.json', 'study.json', 'trials.jsonl']);
    const saved = () => readdirSync(out).map((file) => readFileSync(join(out, file), 'utf8'));
    const before = saved();
    expect(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')).points).toEqual(points);

    const again = await bitcell([...args, '--quiet']);
    expect(again).toEqual({
      status: 2,
      stdout: '',
      stderr: `bitcell: ${out} already holds results: choose another folder or add --resume\n`,
    });
    expect(await bitcellJson([...args, '--resume'])).toMatchObject({ points });
    expect(saved()).toEqual(before);
  });

  test('Ctrl-C saves the running trials, and --resume completes to the same results', async () => {
    const [whole, stopped] = [join(newFolder(), 'whole'), join(newFolder(), 'stopped')];
    const trials = 32;
    const args = [
      'run',
      ...['--model', model, '--format', 'int8', '--rates', '1e-3', '--maps', String(trials / 2)],
      ...['--images', '200', '--mitigations', 'none,clip', '--thresholds', thresholds],
      ...['--threads', '1', '--json'],
    ];
    const trialsFile = join(stopped, 'trials.jsonl');
    const interrupted = await bitcell([...args, '--out', stopped], {
      onStart: (child) => interruptOnce(child, trialsFile),
    });
    expect(interrupted.status).toBe(130);
    expect(interrupted.stdout).toBe('');
    expect(interrupted.stderr).toBe(
      `\nfinishing the running trials; Ctrl-C again stops at once\ninterrupted: continue with --out ${stopped} --resume\n`,
    );
    const lines = readFileSync(trialsFile, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(trials);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(existsSync(join(stopped, 'results.json'))).toBe(false);

    await Promise.all([
      bitcellJson([...args, '--out', stopped, '--resume']),
      bitcellJson([...args, '--out', whole]),
    ]);
    const [resumed, uninterrupted] = [stopped, whole].map((out) =>
      readFileSync(join(out, 'results.json'), 'utf8'),
    );
    expect(resumed).toBe(uninterrupted);
    const resumedLines = readFileSync(trialsFile, 'utf8').trimEnd().split('\n');
    expect(resumedLines.slice(0, lines.length)).toEqual(lines);
    expect(resumedLines.length).toBe(trials);
  });

  test('a second Ctrl-C stops at once', async () => {
    const out = join(newFolder(), 'results');
    const { status, stdout, stderr } = await bitcell(
      [
        ...['run', '--model', model, '--format', 'int8', '--rates', '0', '--mitigations', 'none'],
        ...['--images', '10000', '--maps', '1', '--out', out],
      ],
      {
        onStart(child) {
          interruptOnce(child, join(out, 'study.json'));
          child.stderr?.once('data', () => child.kill('SIGINT'));
        },
      },
    );
    expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
    expect(stderr).toBe('\nfinishing the running trials; Ctrl-C again stops at once\n');
    expect(readdirSync(out)).toEqual(['study.json']);
  });
});

/** Press Ctrl-C as soon as a file exists. */
function interruptOnce(child: ChildProcess, file: string): void {
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    child.kill('SIGINT');
  }, 5);
  child.on('close', () => clearInterval(timer));
}

/** Test images that the network, run by onnxruntime, puts into their class. */
async function countCorrect(set: ImageSet): Promise<number> {
  const bytes = writeQdq(INT8_NETWORK);
  const batch = 1000;
  let correct = 0;
  for (let first = 0; first < set.count; first += batch) {
    const indices = Uint32Array.from({ length: batch }, (_, image) => first + image);
    const outputs = await runOnnx(bytes, INT8_NETWORK, normalize(set, indices), 'all');
    const logits = outputs.get('logits') ?? [];
    for (let image = 0; image < batch; image += 1) {
      const scores = logits.slice(10 * image, 10 * image + 10);
      if (scores.indexOf(Math.max(...scores)) === set.labels[first + image]) correct += 1;
    }
  }
  return correct;
}
