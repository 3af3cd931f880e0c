import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  loadNetwork,
  type PreparedStudy,
  parseStudy,
  parseStudyFields,
  prepareStudy,
  profileThresholds,
  runStudy,
  type StoppingRule,
  type StudyInput,
  type StudyResult,
  trialImages,
} from '../../campaign/index.js';
import { writeThresholds } from '../../mitigation/index.js';
import { loadCifar10 } from '../../models/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';
import { storedContent } from './stored-content.js';

const files = writeTinyNetwork(mkdtempSync(join(tmpdir(), 'bitcell-')));

const small: StudyInput = {
  model: files.int8,
  thresholds: files.thresholds,
  formats: ['float32', 'int8'],
  rates: [1e-6, 1e-3],
  mitigations: ['none', 'clip', 'clamp'],
  maps: 2,
  images: 6,
};

function run(options: StudyInput, more: Partial<Parameters<typeof runStudy>[1]> = {}) {
  return runStudy(prepareStudy(parseStudy(options)), { threads: 2, ...more });
}

function newFolder(): string {
  return join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'study');
}

describe('runStudy', () => {
  let result: StudyResult;

  test('gives a point for each format, rate and mitigation', async () => {
    result = await run(small);
    expect(result.complete).toBe(true);
    expect(
      result.points.map(({ format, rate, mitigation }) => `${format} ${rate} ${mitigation}`),
    ).toEqual(
      ['float32', 'int8'].flatMap((format) =>
        ['0.000001', '0.001'].flatMap((rate) =>
          ['none', 'clip', 'clamp'].map((mitigation) => `${format} ${rate} ${mitigation}`),
        ),
      ),
    );
    for (const { accuracy, faults } of result.points) {
      expect(accuracy.low).toBeLessThanOrEqual(accuracy.mean);
      expect(accuracy.high).toBeGreaterThanOrEqual(accuracy.mean);
      expect(Math.abs(faults.injected - faults.requested)).toBeLessThanOrEqual(1);
      expect(faults.effective).toBeLessThanOrEqual(faults.injected);
    }
  });

  test('of weights by their name is the one that names no storage', async () => {
    const named = await run({ ...small, storages: ['weights'] });
    expect(named).toEqual(result);
    expect(new Set(named.points.map(({ storage }) => storage))).toEqual(new Set(['weights']));
  });

  test('breaks weights as a study of weights alone does, beside other storages', async () => {
    const storages = ['multipliers', 'weights', 'accumulators'];
    const { points, networks } = await run({ ...small, storages });
    const ofWeights = points.filter(({ storage }) => storage === 'weights');
    expect(ofWeights).toEqual(result.points);
    const others = points.filter(({ storage }) => storage !== 'weights');
    expect(others.map(({ faults }) => faults.effective)).toEqual(others.map(() => null));
    expect(
      networks.map(({ format, storages: broken }) => [
        format,
        ...broken.map(({ storage, valueBits, cells }) => [storage, valueBits, cells]),
      ]),
    ).toEqual([
      // 16 × 16 registers, and banks of 1024 × 256 cells.
      [
        'float32',
        ['weights', 32, 2 * 2 ** 18],
        ['accumulators', 32, 8192],
        ['multipliers', 32, 8192],
      ],
      ['int8', ['weights', 8, 2 ** 18], ['accumulators', 32, 8192], ['multipliers', 18, 4608]],
    ]);
  });

  test('does not depend on the number of threads', async () => {
    expect(await run(small, { threads: 1 })).toEqual(result);
  });

  test('does not depend on which other points are asked for', async () => {
    const { points } = await run({ ...small, formats: ['int8'], rates: [1e-3] });
    expect(points).toEqual(
      result.points.filter(({ format, rate }) => format === 'int8' && rate === 1e-3),
    );
  });

  test('saves the same for any number of threads, interrupted or not', async () => {
    const [one, two, stopped] = [newFolder(), newFolder(), newFolder()];
    await run(small, { out: one, threads: 1 });
    await run(small, { out: two, threads: 3 });
    const controller = new AbortController();
    const interrupted = await run(small, {
      out: stopped,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(interrupted.complete).toBe(false);
    const saved = (await storedContent(stopped)).trials.length;
    expect(saved).toBeGreaterThan(0);
    expect(saved).toBeLessThan(24);
    expect(await run(small, { out: stopped, resume: true })).toEqual(result);
    const content = await storedContent(one);
    expect(content.trials.length).toBe(24);
    expect(content.points).toEqual(result.points);
    expect(await storedContent(two)).toEqual(content);
    expect(await storedContent(stopped)).toEqual(content);
  });

  test('gives points as many maps as the stopping rule wants, whatever the threads', async () => {
    // Enough is a sum of right images, so points need different numbers of maps.
    const rule: StoppingRule = {
      maxMaps: 8,
      decide: ({ correct }) =>
        correct.reduce((sum, value) => sum + value, 0) < 6 ? 'continue' : 'stop',
      interval: () => ({ low: 0, high: 1 }),
    };
    const study = parseStudy({ ...small, formats: ['int8'], images: 12, maps: 8 });
    const prepared: PreparedStudy = { ...prepareStudy(study), ruleOf: () => rule };
    const [one, three] = [newFolder(), newFolder()];
    const { points } = await runStudy(prepared, { threads: 1, out: one });
    expect(await runStudy(prepared, { threads: 3, out: three })).toMatchObject({ points });
    const content = await storedContent(one);
    expect(await storedContent(three)).toEqual(content);
    expect(content.trials.length).toBe(points.reduce((sum, { maps }) => sum + maps, 0));
    expect(new Set(points.map(({ maps }) => maps)).size).toBeGreaterThan(1);
    for (const { maps, accuracy, images } of points) {
      expect(maps === 8 || Math.round(accuracy.mean * maps * images) >= 6).toBe(true);
    }
    const resumed = await runStudy(prepared, { threads: 1, out: three, resume: true });
    expect(resumed).toMatchObject({ points, complete: true });
  });

  test('a pilot chooses the images of each condition, whatever the threads, interrupted or not', async () => {
    const piloted = {
      ...small,
      formats: ['int8'],
      rates: [0, 1e-2],
      mitigations: ['none', 'clip'],
      images: 'pilot',
      precision: 20,
      maps: 12,
    } as const;
    const [one, three, stopped] = [newFolder(), newFolder(), newFolder()];
    const { points } = await run(piloted, { threads: 1, out: one });
    expect(await run(piloted, { threads: 3, out: three })).toMatchObject({ points });
    for (const most of [3, 14]) {
      const controller = new AbortController();
      await run(piloted, {
        ...{ out: stopped, resume: true, signal: controller.signal, threads: 2 },
        onProgress: ({ trials }) => trials.done >= most && controller.abort(),
      });
    }
    expect(await run(piloted, { out: stopped, resume: true })).toMatchObject({ points });
    const content = await storedContent(one);
    expect(await storedContent(three)).toEqual(content);
    expect(await storedContent(stopped)).toEqual(content);

    // A map costs nothing at rate 0, and much more than the images of this small network at 1e-2.
    const images = points.map((point) => point.images);
    expect(images[1]).toBe(images[0]);
    expect(images[3]).toBe(images[2]);
    expect(images[2]).toBeGreaterThan(2 * images[0]);
    // The pilot does not count: the points are those of the study that names the images.
    for (const rate of piloted.rates) {
      const own = points.filter((point) => point.rate === rate);
      const named = await run({ ...piloted, rates: [rate], images: own[0].images });
      expect(named.points).toEqual(own);
    }
    const pilots = content.trials.filter((row) => row.includes(true));
    expect(pilots.length).toBe((25 + 10) * 2);
    expect(content.trials.length).toBe(
      pilots.length + points.reduce((sum, { maps }) => sum + maps, 0),
    );
  });

  test('refuses a folder that holds results, another study or other files', async () => {
    const folder = newFolder();
    const tiny: StudyInput = {
      ...small,
      formats: ['int8'],
      rates: [0],
      mitigations: ['none'],
      maps: 1,
    };
    await run(tiny, { out: folder });
    await expect(run(tiny, { out: folder })).rejects.toThrow(
      `${folder} already holds results: choose another folder or add --resume`,
    );
    await expect(run({ ...tiny, seed: 2 }, { out: folder, resume: true })).rejects.toThrow(
      `${join(folder, 'study.duckdb')} is of another study: seed 1 is now 2`,
    );
    const other = mkdtempSync(join(tmpdir(), 'bitcell-'));
    writeFileSync(join(other, 'notes.txt'), 'mine');
    await expect(run(tiny, { out: other })).rejects.toThrow(
      `${other} is not empty and holds no study: choose another folder`,
    );
  });
});

describe('trialImages', () => {
  property.prop([fc.nat(), fc.nat(2_000_000), fc.integer({ min: 0, max: 300 }), fc.nat(300)])(
    'gives fewer images of a map as a part of more',
    (seed, map, most, fewer) => {
      const images = (count: number, imageChoice: 'drawn' | 'fixed' = 'drawn') =>
        trialImages({ seed, imageChoice }, { map, images: count }, 300);
      const all = images(most);
      expect(images(Math.min(fewer, most))).toEqual(all.subarray(0, fewer));
      expect(new Set(all).size).toBe(most);
      expect(images(most, 'fixed')).toEqual(
        trialImages({ seed, imageChoice: 'drawn' }, { map: 0, images: most }, 300),
      );
    },
  );
});

describe('mitigations with parameters', () => {
  const study = { ...small, formats: ['int8'], rates: [1e-3, 1e-2], images: 20 } as const;
  const neurons = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'neurons.json');
  const training = loadCifar10({ split: 'train', limit: 20 });
  writeThresholds(
    neurons,
    profileThresholds([loadNetwork(files.int8, 'int8')], training, 20, 'neuron'),
  );
  const named = { name: 'of my own', parts: [{ use: 'clip', thresholds: neurons }] } as const;
  const variants = [
    'none',
    'clip',
    { use: 'clip', position: 'requantised' },
    'clamp:layers=fc1',
    named,
  ] as const;
  const names = ['none', 'clip', 'clip:position=requantised', 'clamp:layers=fc1', 'of my own'];
  const accuracyOf = ({ points }: StudyResult, wanted: string) =>
    points
      .filter(({ mitigation }) => mitigation === wanted)
      .map(({ accuracy, sdc }) => [accuracy, sdc]);
  const out = newFolder();
  let result: StudyResult;

  test('share maps and images, each with the rows of a study of its own', async () => {
    result = await run({ ...study, mitigations: variants }, { out });
    expect(result.points.map(({ mitigation }) => mitigation)).toEqual([...names, ...names]);
    const alone = async (options: StudyInput) =>
      accuracyOf(await run({ ...study, ...options }), 'clip');
    const one: StudyInput = { mitigations: ['none', 'clip'] };
    expect(accuracyOf(result, 'clip')).toEqual(await alone(one));
    expect(accuracyOf(result, names[2])).toEqual(
      await alone({ ...one, clipPosition: 'requantised' }),
    );
    expect(accuracyOf(result, named.name)).toEqual(await alone({ ...one, thresholds: neurons }));
    const injected = new Map(result.points.map(({ rate, faults }) => [rate, faults.injected]));
    for (const { rate, faults, difference, mitigation } of result.points) {
      expect(faults.injected).toBe(injected.get(rate));
      expect(difference === undefined).toBe(mitigation === 'none');
    }
    const clipped = new Set(names.slice(1).map((name) => JSON.stringify(accuracyOf(result, name))));
    expect(clipped.size).toBeGreaterThan(2);
  });

  test('resume under their names', async () => {
    const again = await run({ ...study, mitigations: variants }, { out, resume: true });
    expect(again.points).toEqual(result.points);
    await expect(
      run({ ...study, mitigations: [...variants.slice(0, 4), 'clamp'] }, { out, resume: true }),
    ).rejects.toThrow('is of another study: mitigations ["none"');
  });

  test('in the memory leave the data faults and the other rows as they are', async () => {
    const protecting = ['secded', 'rotate:by=data', 'secded+clip'];
    const mitigations = ['none', 'clip', ...protecting];
    const { points } = await run({ ...study, mitigations });
    expect(points.filter(({ mitigation }) => !protecting.includes(mitigation))).toEqual(
      (await run({ ...study, mitigations: ['none', 'clip'] })).points,
    );
    const effective = (name: string) =>
      points.filter(({ mitigation }) => mitigation === name).map(({ faults }) => faults.effective);
    for (const [at, unprotected] of effective('none').entries()) {
      expect(effective('clip')[at]).toBe(unprotected);
      expect(effective('secded')[at]).toBeLessThan(unprotected ?? Number.NaN);
      expect(effective('secded+clip')[at]).toBe(effective('secded')[at]);
    }
  });

  test('stand with intermittent faults, and know every one of them', async () => {
    const mitigations = ['none', 'rotate', 'closest-value', 'word-masking+reorder'];
    const options: StudyInput = { ...study, rates: [1e-3], mitigations };
    const outcomes = async (faults: StudyInput['faults']) =>
      (await run({ ...options, faults })).points.map(({ accuracy, sdc, faults: counts }) => {
        return { accuracy, sdc, counts };
      });
    const permanent = await outcomes({ model: 'uniform', faults: 'stuck-at' });
    const active = { model: 'uniform', faults: 'stuck-at', activeProbability: 1 } as const;
    expect(await outcomes(active)).toEqual(permanent);
    const now = await outcomes({ ...active, activeProbability: 0.3 });
    expect(now.map(({ counts }) => counts)).toEqual(permanent.map(({ counts }) => counts));
    expect(now[0]).not.toEqual(permanent[0]);
  });

  test('know the cells of another voltage, or a share of those of a map', async () => {
    const model = { model: 'voltage', faults: 'stuck-at' } as const;
    const table = [
      { voltage: 0.7, rate: 1e-4 },
      { voltage: 0.6, rate: 1e-3 },
      { voltage: 0.5, rate: 1e-2 },
    ];
    const names = [
      'invert',
      ...['0.5', '0.6', '0.7'].map((volts) => `invert:knows=voltage/${volts}`),
    ];
    const { points } = await run({
      ...study,
      faults: { ...model, table },
      rates: [1e-4, 1e-3, 1e-2],
      mitigations: ['none', ...names, 'invert:knows=share/1'],
    });
    const effective = (rate: number, name: string) =>
      points.find((point) => point.rate === rate && point.mitigation === name)?.faults.effective;
    for (const [rate, volts] of [
      [1e-4, '0.7'],
      [1e-3, '0.6'],
      [1e-2, '0.5'],
    ] as const) {
      expect(effective(rate, `invert:knows=voltage/${volts}`)).toBe(effective(rate, 'invert'));
      expect(effective(rate, 'invert:knows=share/1')).toBe(effective(rate, 'invert'));
    }
    // The higher the voltage of the test, the fewer cells it finds.
    const worst = ['0.5', '0.6', '0.7'].map((volts) =>
      Number(effective(1e-2, `invert:knows=voltage/${volts}`)),
    );
    expect(worst).toEqual(worst.toSorted((a, b) => a - b));
    expect(new Set(worst).size).toBe(3);
    expect(() => run({ ...study, mitigations: ['rotate:knows=voltage/0.6'] })).toThrow(
      'study: mitigation rotate:knows=voltage/0.6: knows = voltage/0.6: the fault model flip has no rates by voltage: take one that has, such as kc705-b, or give a share of the faulty cells instead, as in knows=share/0.95',
    );
    expect(() =>
      run({ ...study, faults: { ...model, table }, mitigations: ['invert:knows=voltage/0.9'] }),
    ).toThrow('The voltage is 0.9 V, but the table of rates reaches from 0.5 V to 0.7 V');
  });

  test('may be limited to layers that are there', () => {
    expect(() => run({ ...study, mitigations: ['clip:layers=fc3'] })).toThrow(
      'mitigation clip:layers=fc3: tiny has no layer "fc3" with weights (did you mean "fc1"?)',
    );
  });
});

describe('parseStudy', () => {
  test.each([
    [{ rates: [0.1, 2] }, 'study: rates.1 = 2: '],
    [{ faults: 'flips' }, 'study: faults.0 = "flips": '],
    [{ formats: ['int4'] }, 'study: formats.0 = "int4": '],
    [{ mitigations: [] }, 'study: mitigations = []: '],
    [{ mitigations: ['clip', 'clip'] }, 'study: mitigations = ["clip","clip"]: values must differ'],
    [
      { mitigations: ['clip', { use: 'clip', granularity: 'layer' }], granularity: 'layer' },
      'study: mitigations = ["clip","clip"]: values must differ, or be named',
    ],
    [{ mitigations: ['clip+clamp'] }, 'study: mitigations.0 = "clip+clamp": clip and clamp cannot'],
    [
      { mitigations: [{ name: 'stored', parts: ['clip:position=requantised'] }] },
      'study: mitigation stored: position = requantised is for int8 words',
    ],
    [{ images: 10_001 }, 'study: images = 10001: '],
    [{ maps: 0 }, 'study: maps = 0: '],
    [{ wrong: 1 }, 'Unrecognized key: "wrong"'],
    [{ faultMap: 'map.json', rates: [0.1] }, 'study: give either a fault map or rates'],
    [{ faultMap: 'map.json', maps: 3 }, 'study: maps = 3, but a given fault map is one map'],
    [{ faultMap: 'map.json', precision: 1 }, 'study: precision needs drawn fault maps'],
    [{ model: 'alexnet', models: ['vgg16'] }, 'study: give either model or models, not both'],
    [{ scope: 'row:3' }, 'study: scopes.0 = "row:3": expected all, layer:NAME, '],
    [
      { storage: 'multiplier' },
      'study: storages.0 = "multiplier": expected weights, weight-registers, inputs, activations, accumulators, multipliers, or several with + between them (did you mean "multipliers"?)',
    ],
    [{ storage: 'weights+inputs+weights' }, 'expected each storage once'],
    [
      { storages: ['inputs+weights', 'weights+inputs'] },
      'study: storages = ["inputs+weights","weights+inputs"]: values must differ',
    ],
    [
      { storages: ['weights', 'inputs'], dies: { from: 'dies.csv' } },
      'study: dies are of the weight memory, not of storage inputs',
    ],
    [
      { storage: 'weights+inputs', faultCounts: [1] },
      'study: numbers of faults are of one storage, but weights+inputs are broken at once: give rates',
    ],
    [
      { storages: ['weights', 'accumulators'], mitigations: ['none', 'secded'] },
      'study: mitigation secded cannot protect storage accumulators: secded stands in words of a memory, and these are registers',
    ],
    [
      { storage: 'activations', mitigations: ['range-check'] },
      'study: mitigation range-check cannot protect storage activations: range-check is made for the words of weights',
    ],
    [{ precision: 0 }, 'study: precision = 0: '],
    [{ images: 'some' }, 'study: images = "some": expected a whole number from 1 to 10,000, or'],
    [{ images: 'pilot' }, 'study: images = "pilot" needs a precision to choose them for'],
    [{ granularity: 'kernel' }, 'study: granularity = "kernel": '],
    [{ clipPosition: 'output' }, 'study: clipPosition = "output": '],
    [
      { clipPosition: 'requantised' },
      'study: clipPosition = requantised is for int8 words: float32 words have no requantisation; give formats: [int8]',
    ],
    [
      { models: ['alexnet', 'vgg16'], thresholds: 'a.json' },
      'study: thresholds = "a.json" is one file for 2 models: give a file for each model',
    ],
    [{ thresholds: { vgg16: 'a.json' } }, 'study: thresholds are given for vgg16, which is not in'],
  ])('refuses %j', (options, message) => {
    expect(() => parseStudyFields(options)).toThrow(message);
  });

  test('is told by the types what a study may hold', () => {
    // @ts-expect-error a field that no study has
    expect(() => parseStudy({ modle: 'vgg16' })).toThrow('Unrecognized key: "modle"');
    // @ts-expect-error a value that no axis has
    expect(() => parseStudy({ format: 'int4' })).toThrow('study: formats.0 = "int4": ');
  });

  test('lets a pilot choose the images of a precision, unless they are given', () => {
    expect(parseStudy({ precision: 2 }).images).toBe('pilot');
    expect(parseStudy({ precision: 2, images: 40 }).images).toBe(40);
  });

  test('gives a study of one fault map one map', () => {
    expect(parseStudy({ faultMap: 'map.json' }).maps).toBe(1);
  });

  test('takes one value or a list, under the singular or the plural name', () => {
    const plural = parseStudy({
      models: ['vgg16'],
      formats: ['int8'],
      rates: [0.1],
      scopes: ['all'],
    });
    expect(parseStudy({ model: 'vgg16', format: 'int8', rate: 0.1, scope: 'all' })).toEqual(plural);
    expect(parseStudy({ models: 'vgg16', formats: 'int8', rates: 0.1 })).toEqual(plural);
    expect(parseStudy({ model: ['vgg16'], format: ['int8'], rate: [0.1] })).toEqual(plural);
  });

  test('names storages that are broken at once in one order', () => {
    const { storages } = parseStudy({ storages: ['multipliers + weights', 'inputs'] });
    expect(storages).toEqual(['weights+multipliers', 'inputs']);
    expect(parseStudy({ storages })).toEqual(
      parseStudy({ storage: ['weights+multipliers', 'inputs'] }),
    );
    expect(parseStudy({}).storages).toEqual(['weights']);
    // Parts may stand in one of them alone.
    expect(parseStudy({ storage: 'weights+multipliers', mitigation: 'secded' }).storages).toEqual([
      'weights+multipliers',
    ]);
  });

  test('gives the one model its one file of thresholds', () => {
    const { thresholds } = parseStudy({ model: 'vgg16', thresholds: 'a.json' });
    expect(thresholds).toEqual({ vgg16: 'a.json' });
  });
});
