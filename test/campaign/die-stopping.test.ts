import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  clopperPearson,
  continueCommand,
  dieLooks,
  differenceAtLook,
  isSettled,
  openResults,
  parseStudyFields,
  prepareStudy,
  replayTrial,
  runStudy,
  type Study,
  type StudyResult,
} from '../../campaign/index.js';
import { decodeImageSet } from '../../campaign/trial/sample-set.js';
import { InputError, packageRoot } from '../../core/index.js';
import { tamper } from './store/store-checks.js';

const VERSIONS = join(packageRoot(), 'test', 'campaign', 'store', 'versions');
const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
for (const name of ['tiny.onnx', 'thresholds.json', 'small.yaml']) {
  copyFileSync(join(VERSIONS, name), join(folder, name));
}

/** Dies that end at different looks: a sound one, some with few faults, and one with many. */
const HEAD = 'die,lot,voltage,bank,row,column,kind';
const LINES = [
  'A,L1,0.60,,,,',
  ...Array.from({ length: 5 }, (_, bit) => `B,L1,0.6,0,1,${6 + bit},flip`),
  ...Array.from({ length: 40 }, (_, bit) => `C,L2,0.6,0,${bit % 16},${bit},flip`),
  'E,L1,0.6,0,1,6,flip',
  'F,L2,0.6,0,0,7,flip',
  ...Array.from({ length: 160 }, (_, bit) => `D,L2,0.6,1,${bit % 16},${bit % 64},stuck-at-1`),
];

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, [HEAD, ...new Set(lines), ''].join('\n'));
  return path;
}

const TABLE = file('dies.csv', LINES);
const IMAGES = 700;
const WITHIN = 2;

function studyOf(fields: Record<string, unknown> = {}, dies: Record<string, unknown> = {}): Study {
  return parseStudyFields({
    model: join(folder, 'tiny.onnx'),
    thresholds: join(folder, 'thresholds.json'),
    format: 'int8',
    accelerator: join(folder, 'small.yaml'),
    placement: 'streamed',
    mitigations: ['none', 'secded+rotate'],
    images: IMAGES,
    within: WITHIN,
    ...fields,
    dies: { from: TABLE, ...dies },
  });
}

function withoutFiles({ dies, points }: StudyResult) {
  // A point is named after the files.
  const named = points.map(({ faultModel: _, ...point }) => point);
  return { points: named, rows: dies?.rows.map(({ file: _, ...row }) => row) };
}

async function resultOf(study: Study, threads = 1, engine?: 'plain') {
  return withoutFiles(await runStudy(prepareStudy(study), { threads, engine }));
}

let files = 0;

describe('dies that end when they are settled', async () => {
  const expected = await resultOf(studyOf());

  test('run different numbers of images', () => {
    const images = new Map(expected.rows?.map((row) => [row.die, row.images]));
    expect(images.size).toBe(6);
    expect(new Set(images.values()).size).toBeGreaterThan(1);
    const looks = dieLooks(IMAGES).map((look) => look.images);
    for (const count of images.values()) expect(looks).toContain(count);
  });

  property.prop(
    [
      fc.shuffledSubarray(LINES, { minLength: LINES.length }),
      fc.array(fc.integer({ min: 0, max: 2 }), {
        minLength: LINES.length,
        maxLength: LINES.length,
      }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(undefined, 'plain' as const),
    ],
    { numRuns: 5 },
  )('depend on no threads, order, engine, or files', async (lines, parts, threads, engine) => {
    const from = [...new Set(parts)].map((part) => {
      files += 1;
      return file(
        `part-${files}.csv`,
        lines.filter((_, at) => parts[at] === part),
      );
    });
    expect(await resultOf(studyOf({}, { from }), threads, engine)).toEqual(expected);
  });

  test('are points in which each die counts once, with the images that it ran', () => {
    for (const point of expected.points.filter(({ rate }) => rate > 0)) {
      const rows = expected.rows?.filter(({ mitigation }) => mitigation === point.mitigation) ?? [];
      const shares = rows.map((row) => row.accuracy.mean);
      expect(point.accuracy.mean).toBeCloseTo(shares.reduce((a, b) => a + b) / rows.length, 12);
      expect(point.perMap.worst).toBe(Math.min(...shares));
      expect(point.perMap.best).toBe(Math.max(...shares));
      expect(point.images).toBe(Math.max(...rows.map((row) => row.images)));
      const good = rows.filter((row) => row.difference.mean >= -WITHIN / 100 - 1e-9).length;
      expect(point.yield).toMatchObject({
        share: good / rows.length,
        ...clopperPearson(good, rows.length),
      });
    }
  });

  test.each([{}, { precision: 3 }, { mitigations: ['none', 'clip'], within: 3, images: 500 }])(
    'end at the first look that settles them: %j',
    (fields) => {
      const settled = prepareStudy(studyOf(fields));
      const { images: most, within, precision } = settled.data.study;
      if (most === 'pilot') throw new Error('dies without a number of images');
      const whole = prepareStudy(studyOf({ ...fields, precision: undefined }, { stop: 'never' }));
      const fixedOf = (prepared: typeof whole, condition: number, map: number) =>
        replayTrial(prepared, { condition, map }).result;
      const [clean] = fixedOf(whole, 0, 0).outcomes;
      const cleanRight = new Set(decodeImageSet(clean.fixed?.correct ?? ''));
      for (const map of [0, 1, 2, 3, 4, 5]) {
        const [short, long] = [fixedOf(settled, 1, map), fixedOf(whole, 1, map)];
        expect(long.trial.images).toBe(most);
        const upTo = (end: number, places = '') =>
          decodeImageSet(places).filter((place) => place < end);
        const end = dieLooks(most).find((look) =>
          long.outcomes.every(({ mitigation, fixed, effective }) => {
            const right = new Set(upTo(look.images, fixed?.correct));
            const right0 = [...cleanRight].filter((place) => place < look.images);
            const lost = right0.filter((place) => !right.has(place)).length;
            const gained = right.size - (right0.length - lost);
            const isSame = effective === 0 && !mitigation.includes('clip');
            const difference = differenceAtLook({ lost, gained }, look, isSame);
            return isSettled(difference, {
              within: within / 100,
              precision: precision === undefined ? undefined : precision / 100,
            });
          }),
        );
        const images = end?.images ?? most;
        expect(short.trial.images).toBe(images);
        for (const [at, outcome] of short.outcomes.entries()) {
          const { fixed } = long.outcomes[at];
          expect(decodeImageSet(outcome.fixed?.correct ?? '')).toEqual(
            upTo(images, fixed?.correct),
          );
          expect(decodeImageSet(outcome.fixed?.sdc ?? '')).toEqual(upTo(images, fixed?.sdc));
          expect(outcome.correct).toBe(upTo(images, fixed?.correct).length);
        }
      }
    },
  );

  test('are saved, continued in the middle, and run again by other code', async () => {
    const out = join(folder, 'out');
    const stopping = new AbortController();
    const part = await runStudy(prepareStudy(studyOf()), {
      ...{ threads: 1, out, signal: stopping.signal },
      onProgress: () => stopping.abort(),
    });
    expect(part.complete).toBe(false);
    await tamper(out, [`UPDATE version SET value = '["other"]' WHERE name = 'code'`]);
    const options = { threads: 1, out, resume: true };
    const whole = await runStudy(prepareStudy(studyOf()), options);
    expect(withoutFiles(whole)).toEqual(expected);
    const stored = await openResults(out);
    expect(stored.dies({})).toEqual(whole.dies?.rows);
    expect(stored.points({})).toEqual(whole.points);
    const images = (await stored.rows('trial', {})).columns.indexOf('images');
    expect(new Set((await stored.rows('trial', {})).rows.map((row) => row[images])).size).toBe(
      new Set(expected.rows?.map((row) => row.images)).add(IMAGES).size,
    );
    expect((await stored.counts({})).some((counts) => typeof counts.images !== 'number')).toBe(
      true,
    );
    expect(continueCommand(stored.configuration, 'out')).not.toContain('--stop');
    stored.close();
    for (const other of [studyOf({ precision: 3 }), studyOf({}, { stop: 'never' })]) {
      await expect(runStudy(prepareStudy(other), options)).rejects.toThrow(/of another study/);
    }
    await tamper(out, ['UPDATE trial SET images = images + 1 WHERE map = 1']);
    await expect(openResults(out)).rejects.toThrow(/other images than the study/);
  });
});

test('all images of a die are run where that is asked for, with the interval of one look', async () => {
  const study = studyOf({ images: 200 }, { stop: 'never' });
  expect(parseStudyFields(JSON.parse(JSON.stringify(study)))).toEqual(study);
  const { rows } = await resultOf(study);
  for (const { images, accuracy } of rows ?? []) {
    expect(images).toBe(200);
    const correct = Math.round(accuracy.mean * images);
    expect(accuracy).toMatchObject(clopperPearson(correct, images));
  }
});

test('a precision of dies is a number of points, and says nothing beside stop: never', () => {
  expect(studyOf({ precision: 1.5 }).precision).toBe(1.5);
  for (const precision of [0, -1, 51, '2']) {
    expect(() => studyOf({ precision })).toThrow(InputError);
  }
  expect(() => studyOf({ precision: 2 }, { stop: 'never' })).toThrow(/--stop never/);
  expect(() => studyOf({ precision: 2, images: 'pilot' })).toThrow(/number of images/);
});
