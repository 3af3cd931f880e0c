import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  parseStudy,
  prepareStudy,
  readStudyFile,
  replayCommand,
  replayTrial,
  type StudyPoint,
  studyInputOf,
} from '../../campaign/index.js';
import { type ImageSet, loadCifar10, normalize, writeQdq } from '../../models/index.js';
import { tamper } from '../campaign/store/store-checks.js';
import { storedContent } from '../campaign/stored-content.js';
import { runOnnx } from '../models/onnxruntime.js';
import { bitcell, bitcellJson, newFolder, shell, signalOnce } from './command.js';
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

const perMap = {
  worst: share,
  lowerQuartile: share,
  median: share,
  upperQuartile: share,
  best: share,
};

const difference = { mean: expect.any(Number), low: expect.any(Number), high: expect.any(Number) };

describe('run', () => {
  test('gives every point of both word formats, whatever the number of threads', async () => {
    const [one, two] = await Promise.all(
      ['1', '2'].map((threads) => bitcellJson([...small, '--threads', threads])),
    );
    expect(one.seconds).toBeGreaterThan(0);
    expect({ ...one, seconds: 0 }).toEqual({ ...two, seconds: 0 });
    // See timing.test.ts for the cycles.
    expect(one).toMatchObject({ seed: 5, cycles: 2152, energy: null });
    expect(one.study).toMatchObject({ seed: 5, models: [model] });

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
        accelerator: 'edge-16x16',
        storage: 'weights',
        faultModel: 'flip',
        scope: 'all',
        mitigation: point.mitigation,
        maps: 2,
        images: 40,
        accuracy: { mean: share, low: share, high: share },
        perMap,
        ...(point.mitigation !== 'none' && { difference }),
        yield: { within: 0.02, share, low: share, high: share, imagesNeeded: expect.any(Number) },
        sdc: { share, low: share, high: share },
        nonFinite: expect.any(Number),
        faults: {
          requested: rate * CELLS[format],
          injected: expect.any(Number),
          effective: expect.any(Number),
        },
        price: expect.objectContaining({
          cells: point.mitigation === 'none' ? { count: 0, share: 0 } : expect.anything(),
          notGiven: point.mitigation === 'none' ? [] : expect.anything(),
        }),
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

  test('clips each neuron and after requantisation where it is asked to', async () => {
    const neurons = join(newFolder(), 'neurons.json');
    const profile = ['profile', '--model', model, '--output', neurons, '--images', '5'];
    await bitcellJson([...profile, '--granularity', 'neuron']);
    const clip = async (...options: string[]) => {
      const args = ['run', '--model', model, '--format', 'int8', '--rates', '0', '--seed', '5'];
      const study = [...args, '--mitigations', 'none,clip', '--maps', '1', '--images', '300'];
      const { points } = await bitcellJson([...study, '--thresholds', neurons, ...options]);
      const [none, clipped] = points as StudyPoint[];
      expect(none.sdc.share).toBe(0);
      return clipped.accuracy.mean - none.accuracy.mean;
    };
    const [neuron, layer, requantised] = await Promise.all([
      clip(),
      clip('--granularity', 'layer'),
      clip('--granularity', 'layer', '--clip-position', 'requantised'),
    ]);
    // Five images leave most neurons far below what 300 others make of them, but not the layer's largest.
    expect(neuron).not.toBe(0);
    expect(Math.abs(layer)).toBeLessThan(Math.abs(neuron));
    expect(Math.abs(requantised)).toBeLessThanOrEqual(Math.abs(layer));
  });

  test('--dry-run prints the plan and writes nothing', async () => {
    const cwd = newFolder();
    const { study, ...plan } = await bitcellJson(
      [...small, '--thresholds', thresholds, '--threads', '2', '--dry-run', '--out', 'results'],
      { cwd },
    );
    expect(study).toEqual({
      models: [model],
      formats: ['float32', 'int8'],
      accelerators: ['edge-16x16'],
      storages: ['weights'],
      faults: ['flip'],
      scopes: ['all'],
      rates: RATES,
      mitigations: MITIGATIONS,
      thresholds: { [model]: thresholds },
      placement: 'resident',
      clipPosition: 'accumulator',
      maps: 2,
      images: 40,
      imageChoice: 'drawn',
      within: 2,
      yield: 0.9,
      seed: 5,
    });
    const file = join(newFolder(), 'resolved.json');
    writeFileSync(file, JSON.stringify(study));
    expect(studyInputOf(readStudyFile(file, {}))).toEqual(study);
    // Two formats, three rates, two maps. Of each format, the four trials with faults run their images once per
    // mitigation, and the fault-free network sees the images of each map once per mitigation.
    expect(plan).toEqual({
      seed: 5,
      conditions: 6,
      plan: ['float32', 'int8'].flatMap((format, place) =>
        RATES.map((rate, level) => ({
          ...{ condition: 3 * place + level, model, format, accelerator: 'edge-16x16' },
          ...{ storage: 'weights', faultModel: 'flip', scope: 'all', rate },
        })),
      ),
      points: 18,
      trials: 12,
      imageRuns: 2 * (4 * 3 * 40 + 2 * 3 * 40),
      seconds: expect.any(Number),
      estimatedFrom: '20 images of each network, timed now; 2 threads',
    });
    expect(plan.seconds).toBeGreaterThan(0);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('--only runs one trial, as the command that replays it says', async () => {
    const study = parseStudy({
      ...{ model, thresholds, rates: [0, 1e-2], mitigations: ['none', 'clip'], maps: 2, images: 7 },
    });
    const { result, changedWeights } = replayTrial(prepareStudy(study), { condition: 3, map: 1 });
    const command = replayCommand(study, result.trial);
    const { stdout, stderr } = await shell(`${command} --json && ${command} --limit 2`);
    expect(stderr).toBe('');
    const [json, ...text] = stdout.split('\n');
    const { weights, ...printed } = JSON.parse(json);
    const { requested, injected, cleanCorrect, outcomes } = result;
    expect(printed).toEqual({
      ...{
        schemaVersion: 1,
        study: studyInputOf(study),
        seed: 1,
        map: 1,
        images: 7,
        changedWeights,
      },
      ...{ requested, injected, cleanCorrect },
      condition: {
        ...{ condition: 3, model, format: 'int8', accelerator: 'edge-16x16' },
        ...{ storage: 'weights', faultModel: 'flip', scope: 'all', rate: 1e-2 },
      },
      outcomes: outcomes.map(({ seconds: _, ...outcome }) => outcome),
    });
    expect(weights).toHaveLength(changedWeights);
    expect(weights[0].storedWord).toMatch(/^0x[\da-f]{2}$/);
    const [{ correct, sdc, nonFinite }] = outcomes;
    expect(text).toContainEqual(
      expect.stringMatching(new RegExp(`^none +${correct} of 7 +${sdc} +${nonFinite} `)),
    );
    expect(text.filter((line) => /^(conv1|fc1|fc2) /.test(line))).toHaveLength(2);
    expect(text).toContain(`and ${changedWeights - 2} more (--limit N lists more, --json all)`);
  });

  test('prints a table as text, the progress on stderr', async () => {
    const { status, stdout, stderr } = await bitcell([...small, '--format', 'int8']);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^6 of 6 trials \| 9 of 9 points \| int8 \S+ none \d+\.\d \[\S+ \S+\] % \| \S+ a second \| 0 s left\n$/,
    );
    expect(stdout).toMatch(
      /^words +fault rate +faults +effective +none \[95 %\] +clip \[95 %\] +gain \[95 %\]/m,
    );
    expect(stdout).toMatch(/^int8 +1e-2 +2,62[12] +\d+ +\d+\.\d \[\d+\.\d, \d+\.\d\]/m);
    expect(stdout).toMatch(/^Seed 5, /m);
    expect(stdout).toContain('2,152 cycles an image');
  });

  test('--out saves the study, its trials and its results, once', async () => {
    const out = join(newFolder(), 'results');
    const args = [...small, '--format', 'int8', '--thresholds', thresholds, '--out', out];
    const { points } = await bitcellJson([...args, '--resume']);
    expect(readdirSync(out)).toEqual(['study.duckdb']);
    const before = await storedContent(out);
    // Prices are not saved: they follow from the network and its memory.
    const unpriced = (points as StudyPoint[]).map((point) => ({ ...point, price: undefined }));
    expect(before.points).toEqual(unpriced);

    const again = await bitcell([...args, '--quiet']);
    expect(again).toEqual({
      status: 2,
      stdout: '',
      stderr: `bitcell: ${out} already holds results: choose another folder or add --resume\n`,
    });
    await tamper(out, [`UPDATE version SET value = '["other"]' WHERE name = 'code'`]);
    const resumed = await bitcell([...args, '--resume', '--json']);
    expect(resumed.stderr).toBe(
      'The code has changed since these results were saved: running 1 trial again to compare\n',
    );
    expect(JSON.parse(resumed.stdout)).toMatchObject({ points });
    expect(await storedContent(out)).toEqual(before);
  });

  test('Ctrl-C saves the running trials, and --resume completes to the same results', async () => {
    const [whole, stopped] = [join(newFolder(), 'whole'), join(newFolder(), 'stopped')];
    const maps = 16;
    const args = [
      'run',
      ...['--model', model, '--format', 'int8', '--rates', '1e-3', '--maps', String(maps)],
      ...['--images', '200', '--mitigations', 'none,clip', '--thresholds', thresholds],
      ...['--threads', '1', '--json'],
    ];
    const interrupted = await bitcell([...args, '--out', stopped], {
      onStart: (child) => signalOnce(child, join(stopped, 'study.duckdb'), 'SIGINT'),
    });
    expect(interrupted.status).toBe(130);
    expect(interrupted.stdout).toBe('');
    expect(interrupted.stderr).toBe(
      `\nfinishing the running trials; Ctrl-C again stops at once\ninterrupted: continue with --out ${stopped} --resume\n`,
    );
    const saved = await storedContent(stopped);
    expect(saved.trials.length).toBeLessThan(2 * maps);

    await Promise.all([
      bitcellJson([...args, '--out', stopped, '--resume']),
      bitcellJson([...args, '--out', whole]),
    ]);
    const [resumed, uninterrupted] = await Promise.all([stopped, whole].map(storedContent));
    expect(resumed).toEqual(uninterrupted);
    expect(resumed.trials.length).toBe(2 * maps);
    expect(resumed.trials.slice(0, saved.trials.length)).toEqual(saved.trials);
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
          signalOnce(child, join(out, 'study.duckdb'), 'SIGINT');
          child.stderr?.once('data', () => child.kill('SIGINT'));
        },
      },
    );
    expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
    expect(stderr).toBe('\nfinishing the running trials; Ctrl-C again stops at once\n');
    expect((await storedContent(out)).trials).toEqual([]);
  });
});

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
