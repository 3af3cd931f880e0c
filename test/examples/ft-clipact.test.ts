import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterAll, expect, test } from 'vitest';
import { pairedDifference, readStudyFile } from '../../campaign/index.js';
import { formatCsv } from '../../cli/print/csv.js';
import { packageRoot } from '../../core/index.js';
import { CLEAN, type FixtureGains, writeMitigations } from './ft-clipact-tables.js';

const EXAMPLE = join(packageRoot(), 'examples', 'ft-clipact');
const PAGE = join(packageRoot(), 'docs', 'reproduction.md');
const NOTHING: FixtureGains = {};

const root = mkdtempSync(join(tmpdir(), 'bitcell-ft-clipact-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A module of the example; they are plain JavaScript. */
const load = (name: string) => import(pathToFileURL(join(EXAMPLE, name)).href);

const { parseCsv, formatCsv: writeCsv } = await load('csv.mjs');
const { compareAreas, comparePairs } = await load('comparisons.mjs');
const { verdict, placeOf, halvingRate } = await load('findings.mjs');
const { planSteps, chooseSteps } = await load('steps.mjs');
const { writeReport } = await load('report.mjs');

/** Files of a folder and what is below it, with their content. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => /\.(md|svg|json)$/.test(name)).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

async function pageOf(tables: string): Promise<Record<string, string>> {
  const target = mkdtempSync(join(root, 'page-'));
  await writeReport(tables, target);
  return contents(target);
}

test.each(readdirSync(join(EXAMPLE, 'studies')))('study %s is valid', (name) => {
  const study = readStudyFile(join(EXAMPLE, 'studies', name), { model: 'vgg16' });
  expect(study.models).toEqual(['vgg16']);
  expect(name).toContain(study.formats[0]);
});

test('steps have names of their own, and each kind has a study file or a command', () => {
  for (const quick of [true, false]) {
    const steps = planSteps(quick);
    const names = steps.map(({ name }: { name: string }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { command } of steps) {
      const file = command.find((part: string) => part.startsWith('STUDIES/'));
      if (file) expect(existsSync(join(EXAMPLE, file.replace('STUDIES', 'studies')))).toBe(true);
      else expect(['profile', 'sweep']).toContain(command[0]);
    }
  }
});

test('steps are chosen by name or its beginning, and an unknown name is refused', () => {
  const names = (only: string[]) =>
    chooseSteps(planSteps(true), only).map(({ name }: { name: string }) => name);
  expect(names(['spread-vgg16', 'sweep-alexnet-int8'])).toEqual([
    'spread-vgg16-float32',
    'spread-vgg16-int8',
    'sweep-alexnet-int8',
  ]);
  expect(() => names(['spread-vgg'])).toThrow(/--only spread-vgg: no such step; steps: .*spread-/);
});

const text = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', ' '), minLength: 1 });

propertyTest.prop([fc.array(fc.tuple(text, fc.option(text)), { minLength: 1 })])(
  'tables are read as the command line writes them',
  (rows) => {
    const columns = ['first', 'second, "quoted"'];
    const expected = rows.map(([first, second]) => ({
      [columns[0]]: first,
      [columns[1]]: second ?? undefined,
    }));
    expect(parseCsv(formatCsv({ columns, rows }))).toEqual(expected);
    expect(writeCsv(columns, expected)).toBe(formatCsv({ columns, rows }));
  },
);

/** Rows of a trial table: for each rate and mitigation the right images of the maps, of 10 each. */
function trials(correct: Readonly<Record<number, Readonly<Record<string, readonly number[]>>>>) {
  return Object.entries(correct).flatMap(([rate, mitigations]) =>
    Object.entries(mitigations).flatMap(([mitigation, counts]) =>
      counts.map((count, map) => ({
        ...{ rate, mitigation, map: String(map), images: '10' },
        ...{ correct: String(count), clean_correct: '9' },
      })),
    ),
  );
}

test('differences are paired by map, whatever the order of the rows', () => {
  const none = [9, 1, 5, 8];
  const clip = [9, 8, 5, 9, 3];
  const rows = trials({ 1e-6: { none, clip } }).reverse();
  // The rows are read backwards, so that clip comes first.
  const [{ maps, mitigation, reference, mean, low, high }] = comparePairs(rows);
  expect({ maps, mitigation, reference }).toEqual({
    maps: 4,
    mitigation: 'none',
    reference: 'clip',
  });
  const expected = pairedDifference(none, clip.slice(0, 4), 10);
  expect(mean).toBeCloseTo(expected.mean, 12);
  expect(low).toBeCloseTo(expected.low, 9);
  expect(high).toBeCloseTo(expected.high, 9);
});

test('areas are those of the maps that all points have, rate 0 excluded', () => {
  const [none, clip] = compareAreas(
    trials({
      0: { none: [10, 10], clip: [10, 10] },
      1e-7: { none: [10, 8, 0], clip: [10, 8] },
      1e-6: { none: [6, 4], clip: [8, 6] },
      1e-5: { none: [0, 2], clip: [4, 2] },
    }),
  );
  expect(none).toMatchObject({ maps: 2, rates: '1e-7 1e-6 1e-5', clean: 0.9 });
  // Trapezoids over the index: (1/2 + 0.6 + 0/2)/2 = 0.55 and (0.8/2 + 0.4 + 0.2/2)/2 = 0.45.
  expect(none.mean).toBeCloseTo(0.5, 12);
  // (1/2 + 0.8 + 0.4/2)/2 = 0.75 and (0.8/2 + 0.6 + 0.2/2)/2 = 0.55.
  expect(clip.mean).toBeCloseTo(0.65, 12);
  expect(clip.gain_mean).toBeCloseTo(0.15, 12);
  expect(clip.gain_low).toBeLessThan(0.15);
  expect(clip.gain_high).toBeGreaterThan(0.15);
  expect(none.gain_mean).toBeUndefined();
});

test('trials of pilots count for nothing', () => {
  const rows = trials({ 1e-6: { none: [9, 1, 5], clip: [9, 8, 5] } });
  const pilots = trials({ 1e-6: { none: [0, 0], clip: [10, 10] } }).map((row) => ({
    ...row,
    ...{ pilot: 'true', map: String(1_000_000 + Number(row.map)), images: '25' },
  }));
  expect(comparePairs([...pilots, ...rows])).toEqual(comparePairs(rows));
  expect(compareAreas([...pilots, ...rows])).toEqual(compareAreas(rows));
});

const pair = (rate: number, mean: number, low: number, high: number) => ({
  rate,
  difference: { mean, low, high },
});

test('a verdict follows from the intervals', () => {
  expect(verdict([pair(1e-3, 0.001, -0.01, 0.01), pair(1e-2, 0.002, -0.01, 0.02)], 'a', 'b')).toBe(
    'at no rate of the study can a be told from b: every interval of the difference holds 0; the largest is +0.2 [−1.0, +2.0] points at 1e-2.',
  );
  expect(verdict([pair(1e-3, 0, -0.01, 0.01), pair(1e-2, 0.2, 0.1, 0.3)], 'a', 'b')).toBe(
    'a is better than b at 1e-2, most at 1e-2: +20.0 [+10.0, +30.0] points; at the other rates the interval holds 0.',
  );
  const both = [pair(1e-3, -0.2, -0.3, -0.1), pair(1e-2, 0.2, 0.1, 0.3)];
  expect(verdict(both, 'a', 'b')).toMatch(/^a is better .* at 1e-2.*; a is worse .* at 1e-3/);
});

propertyTest.prop([
  fc.double({ noNaN: true }),
  fc.double({ noNaN: true }),
  fc.double({ noNaN: true }),
])('a figure lies inside, above or below an interval', (figure, one, other) => {
  const [low, high] = [Math.min(one, other), Math.max(one, other)];
  const place = placeOf(figure, { low, high });
  expect(place === 'inside').toBe(low <= figure && figure <= high);
  expect(place === 'above').toBe(figure > high);
});

test('a network is halved at the lowest rate with less than half its fault-free accuracy', () => {
  const at = (rate: number, mean: number) => ({ mitigation: 'none', rate, accuracy: { mean } });
  expect(halvingRate([at(1e-5, 0.1), at(1e-6, 0.4), at(1e-7, 0.8)], 0.9)).toBe(1e-6);
  expect(halvingRate([at(1e-5, 0.5)], 0.9)).toBeUndefined();
});

test('a page without tables says that nothing was run', async () => {
  const { 'reproduction.md': page, ...plots } = await pageOf(mkdtempSync(join(root, 'empty-')));
  expect(plots).toEqual({});
  expect(page.match(/This step was not run\./g)?.length).toBe(12);
  expect(page).not.toContain('{{');
});

test('the page follows from the tables alone: equal tables give equal bytes', async () => {
  const tables = mkdtempSync(join(root, 'tables-'));
  const gain = [0.6, 0.55, 0.65] as const;
  writeMitigations(
    tables,
    { model: 'vgg16', format: 'float32' },
    { unprotected: 0.15, gains: { clip: gain, 'clip-tuned': [0.69, 0.68, 0.7], clamp: gain } },
  );
  writeMitigations(
    tables,
    { model: 'vgg16', format: 'int8' },
    { unprotected: 0.6, gains: NOTHING },
  );
  const first = await pageOf(tables);
  expect(await pageOf(tables)).toEqual(first);
  const page = first['reproduction.md'];
  expect(page).toContain(
    '| clip, tuned | 84.00 [83.00, 85.00] | +69.00 [+68.00, +70.00] | +68.92 |',
  );
  expect(page).toContain(
    "The clip, tuned gains +69.00 [+68.00, +70.00] points; the paper's 68.92 lie inside",
  );
  expect(page).toContain(
    "The clip at ACT_max gains +60.00 [+55.00, +65.00] points; the paper's 68.92 lie above",
  );
  expect(page).toContain(`more than about ${(100 * (CLEAN - 0.15)).toFixed(2)} points`);
  expect(page).toContain(
    'accuracy at 1e-5 with float32 words and at no rate of the study with int8',
  );
  const [, int8] = page.split('- VGG-16, int8 words:');
  expect(int8).toMatch(/^\s+- at no rate of the study can clip be told from no protection/);
  expect(page).toContain('](reproduction/mitigations-vgg16.svg)');
  expect(first[join('reproduction', 'mitigations-vgg16.svg')]).toMatch(/^<svg/);
  expect(JSON.parse(first[join('reproduction', 'mitigations-vgg16.vl.json')])).toHaveProperty(
    '$schema',
  );
});

test('other numbers give other sentences', async () => {
  const tables = mkdtempSync(join(root, 'tables-'));
  writeMitigations(
    tables,
    { model: 'vgg16', format: 'int8' },
    { unprotected: 0.4, gains: { clip: [-0.1, -0.2, -0.05], 'clip-tuned': [0.3, 0.2, 0.4] } },
  );
  const page = (await pageOf(tables))['reproduction.md'];
  expect(page).toContain(
    '  - clip is worse than no protection at 1e-2, most at 1e-2: −10.0 [−20.0, −5.0]',
  );
  expect(page).toContain(
    '  - clip-tuned is better than no protection at 1e-2, most at 1e-2: +30.0',
  );
});

test.runIf(existsSync(PAGE))(
  'docs/reproduction.md is the page of the committed tables',
  async () => {
    const page = await pageOf(join(EXAMPLE, 'tables'));
    const docs = join(packageRoot(), 'docs');
    const committed = contents(join(docs, 'reproduction'));
    expect(page['reproduction.md']).toBe(readFileSync(PAGE, 'utf8'));
    const { 'reproduction.md': _, ...plots } = page;
    const names = Object.keys(committed).map((name) => join('reproduction', name));
    expect(Object.keys(plots)).toEqual(names);
    for (const name of names) expect(plots[name]).toBe(readFileSync(join(docs, name), 'utf8'));
  },
);
