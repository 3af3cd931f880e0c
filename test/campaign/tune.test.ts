import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createScope,
  parseTuning,
  prepareTuning,
  RACE_SIZES,
  runSweep,
  runTuning,
  type TuneOptions,
} from '../../campaign/index.js';
import { faultSourceOf, trialFaultMap } from '../../campaign/study/fault-source.js';
import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../../core/index.js';
import { createReferenceBackend } from '../../kernels/index.js';
import {
  activationUnits,
  areaUnderCurve,
  type LayerThresholds,
  thresholdsOf,
  thresholdsOfLayer,
} from '../../mitigation/index.js';
import { normalize } from '../../models/index.js';
import { applyFaultMap, createDatapath, placeNetwork } from '../../sim/index.js';
import { top1 } from '../../workload/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
const files = writeTinyNetwork(folder);
afterAll(() => rmSync(folder, { recursive: true }));

const RATES = { int8: [0.02, 0.1], float32: [1e-3, 1e-2] } as const;
const SMALL = { model: files.int8, maps: 2, images: 12, seed: 5 };
/** Room for what some maps of a search keep, not for all. */
const SOME_MEMORY = 100_000;
const ROUNDS = { mostRounds: 3, leastRounds: 1 };

function prepare(options: Readonly<Record<string, unknown>>) {
  const rates = RATES[options.format === 'float32' ? 'float32' : 'int8'];
  const limits = (options.method ?? 'interval-search') === 'interval-search' ? ROUNDS : {};
  const tuning = parseTuning({ ...SMALL, ...limits, rates, ...options });
  // The file has one threshold a float32 layer: a finer profile is made from the training images.
  const made = options.format === 'float32' && options.granularity === 'channel';
  return prepareTuning(tuning, made ? undefined : files.thresholds);
}

async function search(prepared: ReturnType<typeof prepare>, options: Partial<TuneOptions> = {}) {
  const found = await runTuning(prepared, { threads: 2, ...options });
  if (!found) throw new Error('the search was stopped');
  return found;
}

/** The score of thresholds from its definition: every image from its start, on the reference kernels. */
function areaByDefinition(
  prepared: ReturnType<typeof prepare>,
  layer: string,
  thresholds: LayerThresholds,
  maps = prepared.data.tuning.maps,
): number {
  const { network, tuning, accelerator, words, dataset } = prepared.data;
  const datapath = createDatapath(network, createReferenceBackend(), tuning.images);
  const placement = placeNetwork(network, accelerator, tuning.placement);
  const scope = createScope(
    tuning.faulty === 'tuned-layer' ? `layer:${layer}` : 'all',
    network,
    placement,
  );
  datapath.setActivationUnits(activationUnits('clip-tuned', network, thresholds));
  const accuracies = tuning.rates.map((rate) => {
    let correct = 0;
    for (let map = 2 ** 31; map < 2 ** 31 + maps; map += 1) {
      const { seed, faults } = tuning;
      const faultMap = trialFaultMap({
        source: faultSourceOf(faults),
        geometry: placement.geometry,
        ...{ scope, rate, seed, map },
        readMap: () => {
          throw new Error('no file is read');
        },
      });
      datapath.setDisturbance({ weights: applyFaultMap(faultMap, placement, words) });
      const stream = createRandomStream(seed, map, PURPOSE.imageChoice);
      const images = sampleWithoutReplacement(stream, dataset.count, tuning.images);
      const outputs = datapath.run(normalize(dataset, images), tuning.images);
      for (const [index, image] of images.entries()) {
        const scores = outputs.subarray(index * 10, (index + 1) * 10);
        if (top1(scores) === dataset.labels[image]) correct += 1;
      }
    }
    return correct / (maps * tuning.images);
  });
  return areaUnderCurve(accuracies);
}

describe.each([
  { format: 'int8', faulty: 'whole-network' },
  { format: 'int8', faulty: 'tuned-layer' },
  { format: 'float32', faulty: 'whole-network' },
] as const)('a search with $format words, faults in the $faulty', (options) => {
  const prepared = prepare(options);
  const { network, maxima } = prepared.data;
  let found: Awaited<ReturnType<typeof search>>;

  beforeAll(async () => {
    found = await search(prepared, { threads: 1 });
  });

  test('scores every threshold as the definition does', () => {
    const { thresholds } = found;
    if (found.found.method !== 'interval-search') throw new Error('another method');
    const { layers } = found.found;
    expect(layers.map(({ name }) => name)).toEqual(['conv1', 'fc1']);
    const current = new Map(maxima);
    const scores = new Set<number>();
    for (const { name, search: searched, auc, thresholds: tuned } of layers) {
      const layerMaxima = maxima.get(name) ?? [];
      expect(searched?.scored.length).toBeGreaterThanOrEqual(4);
      for (const { threshold, score } of searched?.scored ?? []) {
        const candidate = thresholdsOfLayer(network, name, layerMaxima, threshold);
        const defined = areaByDefinition(prepared, name, new Map([...current, [name, candidate]]));
        expect(score).toBe(defined);
        scores.add(score);
      }
      expect(auc).toEqual({ before: searched?.largest.score, after: searched?.best.score });
      current.set(name, tuned);
    }
    expect(scores.size).toBeGreaterThan(2);
    expect(thresholds.tuned?.[options.format]?.layers).toEqual(Object.fromEntries(current));
    expect(thresholds.tuned?.[options.format]?.found).toMatchObject({
      faulty: options.faulty,
      maps: 2,
    });
  });

  test('is the same for any number of threads and with little memory or none to keep anything', async () => {
    const { cost, ...rest } = found;
    const { cost: others, ...frugal } = await search(prepared, { threads: 3, memory: 0 });
    expect(frugal).toEqual(rest);
    const { cost: _, ...some } = await search(prepared, { threads: 2, memory: SOME_MEMORY });
    expect(some).toEqual(rest);
    expect(others.candidates).toBe(cost.candidates);
    expect(cost.products).toBeLessThan(others.products);
    expect(cost.products).toBeLessThan(cost.bruteForceProducts);
    expect(cost.imageRuns).toBe(cost.candidates * 2 * 2 * 12);
  });
});

describe.each([
  { format: 'int8', granularity: 'layer' },
  { format: 'int8', granularity: 'channel' },
  { format: 'float32', granularity: 'layer' },
  { format: 'float32', granularity: 'channel' },
] as const)('races with $format words, a threshold a $granularity', (options) => {
  const prepared = prepare({
    method: 'race',
    ...options,
    maps: 4,
    leastMaps: 2,
    factors: [0.5, 0.2],
  });
  const { network, maxima } = prepared.data;
  let found: Awaited<ReturnType<typeof search>>;

  beforeAll(async () => {
    found = await search(prepared, { threads: 1 });
  });

  test('score thresholds as the definition does', () => {
    if (found.found.method !== 'race') throw new Error('another method');
    for (const { factor, area, maps } of found.found.common) {
      const thresholds = new Map(
        [...maxima].map(([name, values]) => [
          name,
          thresholdsOf(options.granularity, network, name, values, factor),
        ]),
      );
      expect(area).toBeCloseTo(areaByDefinition(prepared, 'conv1', thresholds, maps), 12);
    }
    expect(new Set(found.found.common.map(({ area }) => area)).size).toBeGreaterThan(1);
    expect(found.thresholds.tuned?.[options.format]?.found).toMatchObject({
      method: 'race',
      granularity: options.granularity,
      layers: found.found.layers.map(({ name, factor, auc }) => ({ name, factor, auc })),
    });
  });

  test('are the same for any number of threads and with little memory or none to keep anything', async () => {
    const { cost, ...rest } = found;
    const { cost: others, ...frugal } = await search(prepared, { threads: 3, memory: 0 });
    expect(frugal).toEqual(rest);
    const { cost: _, ...some } = await search(prepared, { threads: 2, memory: SOME_MEMORY });
    expect(some).toEqual(rest);
    expect(others.imageRuns).toBe(cost.imageRuns);
    expect(cost.products).toBeLessThanOrEqual(others.products);
  });
});

describe('a sweep', () => {
  const prepared = prepare({ method: 'sweep', points: 3 });
  const { network, maxima } = prepared.data;

  test('scores each threshold as the definition does, other layers at their maxima', async () => {
    const found = await runSweep(prepared, { threads: 2 });
    expect(found?.layers.map(({ name }) => name)).toEqual(['conv1', 'fc1']);
    const areas = new Set<number>();
    for (const { name, actMax, points } of found?.layers ?? []) {
      expect(points.map(({ threshold }) => threshold / actMax)).toEqual([1 / 3, 2 / 3, 1]);
      for (const { threshold, area } of points) {
        const values = thresholdsOfLayer(network, name, maxima.get(name) ?? [], threshold);
        const thresholds = new Map([...maxima, [name, values]]);
        expect(area).toBe(areaByDefinition(prepared, name, thresholds));
        areas.add(area);
      }
    }
    expect(areas.size).toBeGreaterThan(1);
  });

  test('goes on where it was stopped, with any number of threads', async () => {
    const out = join(folder, 'sweep');
    const stopping = new AbortController();
    const { signal } = stopping;
    const onLayer = () => stopping.abort();
    expect(await runSweep(prepared, { threads: 2, out, signal, onLayer })).toBeUndefined();
    const resumed = await runSweep(prepared, { threads: 1, out, resume: true });
    const whole = await runSweep(prepared, { threads: 3, memory: 0 });
    expect(resumed?.layers).toEqual(whole?.layers);
  });
});

describe('a search that is kept in a folder', () => {
  const prepared = prepare({});

  test('goes on where it was stopped, and ends as if it never was', async () => {
    const out = join(folder, 'stopped');
    const stopping = new AbortController();
    const onLayer = () => stopping.abort();
    const stopped = await runTuning(prepared, {
      threads: 2,
      out,
      signal: stopping.signal,
      onLayer,
    });
    expect(stopped).toBeUndefined();
    const whole = await search(prepared);
    const resumed = await search(prepared, { threads: 1, out, resume: true });
    expect({ ...resumed, cost: undefined }).toEqual({ ...whole, cost: undefined });
    const again = await search(prepared, { out, resume: true });
    expect(again).toEqual(resumed);
  });

  test('is one at a time', async () => {
    const out = join(folder, 'shared');
    const first = search(prepared, { out });
    await expect(search(prepared, { out, resume: true })).rejects.toThrow(
      `${out} is in use by process ${process.pid} on ${hostname()}: `,
    );
    await first;
    expect(readdirSync(out)).toEqual(['tuning.json']);
  });

  test('refuses a folder of another search, naming the difference, and one not to be resumed', async () => {
    const out = join(folder, 'refused');
    await search(prepared, { out });
    const run = (options: Readonly<Record<string, unknown>>, resume: boolean) =>
      runTuning(prepare(options), { threads: 1, out, resume });
    await expect(run({}, false)).rejects.toThrow(
      `${out} already holds a search: choose another folder or add --resume`,
    );
    await expect(run({ maps: 3, seed: 6 }, true)).rejects.toThrow(
      `${out} holds another search: maps 2 is now 3; seed 5 is now 6`,
    );
    writeFileSync(
      join(out, 'tuning.json'),
      readFileSync(join(out, 'tuning.json'), 'utf8').slice(9),
    );
    await expect(run({}, true)).rejects.toThrow('which is not valid JSON there');
  });
});

test.each(['interval-search', 'race'])(
  'progress of the method %s never goes back and ends at its total',
  async (method) => {
    const steps: [number, number][] = [];
    await search(prepare({ method }), { onProgress: (done, total) => steps.push([done, total]) });
    const done = steps.map(([step]) => step);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(new Set(steps.map(([, total]) => total)).size).toBe(1);
    expect(done.at(-1)).toBe(steps[0][1]);
  },
);

describe('the options of a search', () => {
  test.each([
    [{ rates: [0, 0.1] }, 'tune: rates = [0,0.1]: rate 0 is no point of the curve'],
    [{ rates: [0.1, 0.1] }, 'tune: rates = [0.1,0.1]: values must differ'],
    [{ leastRounds: 5, mostRounds: 4 }, 'tune: leastRounds = 5 exceeds mostRounds = 4'],
    [{ images: 10_001 }, 'tune: images = 10001: '],
    [{ method: 'race', mostRounds: 3 }, 'tune: mostRounds = 3: the method race has no such option'],
    [{ sweeps: 3 }, 'tune: sweeps = 3: the method interval-search has no such option'],
    [{ method: 'sweep', sweeps: 3 }, 'tune: sweeps = 3: the method sweep has no such option'],
    [{ method: 'guess' }, 'tune: method = "guess": '],
    [{ method: 'race', faulty: 'tuned-layer' }, 'tune: faulty = "tuned-layer": '],
  ])('%j', (options, message) => {
    expect(() => parseTuning(options)).toThrow(message);
  });

  test('rates are taken in ascending order, and default to those of the word format', () => {
    expect(parseTuning({ rates: [0.1, 0.01] }).rates).toEqual([0.01, 0.1]);
    expect(parseTuning({ format: 'float32' }).rates).toEqual([1e-7, 1e-6, 3e-6, 1e-5, 3e-5]);
  });

  test('races have sizes by word format, unless they are given', () => {
    const race = { method: 'race' } as const;
    expect(parseTuning({ ...race, format: 'float32' })).toMatchObject(RACE_SIZES.float32);
    expect(parseTuning(race)).toMatchObject(RACE_SIZES.int8);
    const given = { maps: 7, images: 8, leastMaps: 2 };
    expect(parseTuning({ ...race, format: 'float32', ...given })).toMatchObject(given);
  });
});
