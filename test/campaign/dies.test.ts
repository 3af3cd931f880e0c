import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type DieRow,
  type DieVerdict,
  dieVerdict,
  dieVmins,
  dieYields,
  openResults,
  parseStudyFields,
  prepareStudy,
  runStudy,
  type Study,
} from '../../campaign/index.js';
import { clopperPearson } from '../../campaign/statistics/index.js';
import { InputError, packageRoot } from '../../core/index.js';

const VERSIONS = join(packageRoot(), 'test', 'campaign', 'store', 'versions');

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
copyFileSync(join(VERSIONS, 'tiny.onnx'), join(folder, 'tiny.onnx'));
copyFileSync(join(VERSIONS, 'thresholds.json'), join(folder, 'thresholds.json'));
const ACCELERATOR = join(folder, 'small.yaml');
writeFileSync(
  ACCELERATOR,
  'name: small\narray: { rows: 16, columns: 16, dataflow: weight-stationary }\nweightMemory: { banks: 2, rows: 16, wordBits: 64, columnMux: 1 }\n',
);

/** Lines of a table of three dies at two voltages, of which one is clean, one has a few faults and one many. */
const HEAD = 'die,lot,voltage,bank,row,column,kind';
const LINES = [
  'A,L1,0.60,,,,',
  'A,L1,0.55,,,,',
  'B,L1,0.6,0,1,6,flip',
  'B,L1,0.55,0,1,6,flip',
  'B,L1,0.55,1,3,62,stuck-at-1',
  'C,L2,0.6,0,0,7,flip',
  ...Array.from({ length: 64 }, (_, bit) => `C,L2,0.55,0,${bit % 16},${bit},flip`),
];

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, [HEAD, ...lines, ''].join('\n'));
  return path;
}

const TABLE = file('dies.csv', LINES);

function studyOf(dies: Record<string, unknown>): Study {
  return parseStudyFields({
    model: join(folder, 'tiny.onnx'),
    thresholds: join(folder, 'thresholds.json'),
    format: 'int8',
    accelerator: ACCELERATOR,
    placement: 'streamed',
    mitigations: ['none', 'clip'],
    images: 40,
    dies,
  });
}

async function rowsOf(dies: Record<string, unknown>, threads = 1, engine?: 'plain') {
  const result = await runStudy(prepareStudy(studyOf(dies)), { threads, engine });
  expect(result.complete).toBe(true);
  return result.dies?.rows.map(({ file: _, ...row }) => row) ?? [];
}

describe('verdicts', () => {
  test('depend on no threads, order, engine, or how dies are split over files', async () => {
    const expected = await rowsOf({ from: TABLE });
    expect(expected).toHaveLength(2 * 3 * 2);
    expect(await rowsOf({ from: TABLE }, 2, 'plain')).toEqual(expected);
    const parts = [0, 1, 2].map((part) =>
      file(
        `split/${part}.csv`,
        LINES.toReversed().filter((_, line) => line % 3 === part),
      ),
    );
    expect(await rowsOf({ from: parts.toReversed() })).toEqual(expected);
    expect(await rowsOf({ from: join(folder, 'split') })).toEqual(expected);
    expect(await rowsOf({ from: join(folder, 'split', '?.csv') })).toEqual(expected);
  });

  test('of a die without an effective fault are those of its mitigation without faults', async () => {
    const rows = await rowsOf({ from: TABLE });
    const [none, clip] = rows.filter(({ die, voltage }) => die === 'A' && voltage === 0.6);
    expect(none).toMatchObject({ effective: 0, difference: { mean: 0, low: 0, high: 0 } });
    expect(none.verdict).toBe('pass');
    expect(clip.mitigation).toBe('clip');
    expect(clip.effective).toBe(0);
    expect(clip.difference.low).toBeLessThan(0);
  });

  test('of a sound die are known to the images that were run where a code changes weights by itself', async () => {
    const { mitigations: _, ...study } = JSON.parse(JSON.stringify(studyOf({ from: TABLE })));
    const coded = parseStudyFields({ ...study, mitigations: ['none', 'in-place-ecc'] });
    const { dies } = await runStudy(prepareStudy(coded), { threads: 1 });
    const [none, ecc] = (dies?.rows ?? []).filter(
      ({ die, voltage }) => die === 'A' && voltage === 0.6,
    );
    expect([none.effective, ecc.effective]).toEqual([0, 0]);
    expect(none.difference).toEqual({ mean: 0, low: 0, high: 0 });
    expect(ecc.difference.low).toBeLessThan(0);
  });

  property.prop([
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  ])('are pass, fail or undecided as the interval of the drop lies', (low, width) => {
    const high = Math.min(1, low + width);
    const within = 0.02;
    const expected: DieVerdict = -low <= within ? 'pass' : -high > within ? 'fail' : 'undecided';
    expect(dieVerdict({ mean: low, low, high }, within)).toBe(expected);
  });
});

test('a study of dies is saved, printed and continued', async () => {
  const out = join(folder, 'out');
  const study = studyOf({ from: TABLE });
  expect(parseStudyFields(JSON.parse(JSON.stringify(study)))).toEqual(study);
  const stopping = new AbortController();
  const options = { threads: 1, out, signal: stopping.signal };
  const part = await runStudy(prepareStudy(study), {
    ...options,
    onProgress: () => stopping.abort(),
  });
  expect(part.complete).toBe(false);
  const whole = await runStudy(prepareStudy(study), { threads: 1, out, resume: true });
  const alone = await runStudy(prepareStudy(study), { threads: 1 });
  expect(whole.dies).toEqual(alone.dies);
  const stored = await openResults(out);
  expect(stored.dies({})).toEqual(alone.dies?.rows);
  expect((await stored.rows('die', {})).rows).toHaveLength(12);
  expect(stored.remainder.missing).toEqual([]);
  stored.close();
  const again = await runStudy(prepareStudy(study), { threads: 1, out, resume: true });
  expect(again.dies).toEqual(alone.dies);
});

describe('dies that do not fit together', () => {
  const refused = (dies: Record<string, unknown>) => {
    try {
      prepareStudy(studyOf(dies));
    } catch (error) {
      if (error instanceof InputError) return error.message;
      throw error;
    }
    return undefined;
  };

  test('lack lines at a voltage', async () => {
    const from = file('faults.csv', LINES.slice(2));
    expect(refused({ from })).toBeUndefined();
    const lacking = file('lacking.csv', [...LINES.slice(2), 'A,L1,0.55,0,0,0,flip']);
    expect(refused({ from: lacking })).toMatch(/lacking\.csv: die A of lot L1 .*0\.6 V.*--missing/);
    const clean = await rowsOf({ from: lacking, missing: 'clean' });
    expect(clean.filter(({ die, voltage }) => die === 'A' && voltage === 0.6)).toHaveLength(2);
    const skipped = await rowsOf({ from: lacking, missing: 'skip' });
    expect(skipped.filter(({ die, voltage }) => die === 'A' && voltage === 0.6)).toEqual([]);
  });

  test('contradict each other, their files or the pattern of their names', () => {
    const one = file('one.csv', ['A,L1,0.6,0,0,0,flip']);
    const other = file('other.csv', ['A,L1,0.60,0,0,0,stuck-at-0']);
    expect(refused({ from: [one, other] })).toMatch(/other\.csv: cell 0 .*stuck-at-0.*flip.*one/);
    expect(refused({ from: one, dieLabels: '{die}.csv' })).toMatch(/one\.csv: .*die one.*die A/);
    expect(refused({ from: one, dieLabels: '{die}_{voltage}V.csv' })).toMatch(/one\.csv: its name/);
    expect(refused({ from: one, dieLabels: '{dye}.csv' })).toMatch(/\{dye\}.*die/);
    expect(refused({ from: join(folder, 'no.csv') })).toMatch(/no\.csv/);
    expect(refused({ from: join(folder, '*.none') })).toMatch(/\*\.none/);
  });

  test('are asked for beside what they say themselves', () => {
    const fields = { model: 'alexnet', dies: { from: TABLE } };
    for (const other of [
      { rates: [0.1] },
      { voltages: [0.6] },
      { faultMap: TABLE },
      { faults: 'stuck-at' },
      { scopes: ['bit:0'] },
      { maps: 2 },
      { images: 'pilot', precision: 2 },
      { precision: 2, dies: { from: TABLE, stop: 'never' } },
      { dies: { from: TABLE, stop: 'always' } },
      { imageChoice: 'drawn' },
    ]) {
      expect(() => parseStudyFields({ ...fields, ...other })).toThrow(InputError);
    }
  });
});

test('labels come from names of files, and maps that are not nested are told', () => {
  const head = 'bank,row,column,kind\n';
  mkdirSync(join(folder, 'named'));
  writeFileSync(join(folder, 'named', 'D1_0.60V.csv'), `${head}0,1,1,flip\n`);
  writeFileSync(join(folder, 'named', 'D1_0.55V.csv'), `${head}0,2,2,flip\n`);
  const from = join(folder, 'named');
  const { data } = prepareStudy(studyOf({ from, dieLabels: '{die}_{voltage}V.csv' }));
  const [dies] = data.dies.values();
  expect(dies.levels.map(({ voltage }) => voltage)).toEqual([0.6, 0.55]);
  expect(dies.levels[0].dies).toMatchObject([{ die: 'D1', lot: null, faults: 1 }]);
  expect(dies.warnings).toEqual([
    'die D1: 1 of the cells that fail at 0.6 V do not at 0.55 V: its maps are not nested in voltage',
  ]);
});

test('a measured memory is repeated over that of the accelerator', () => {
  const from = file('macro.csv', ['A,L1,0.6,0,1,6,flip']);
  const { data } = prepareStudy(studyOf({ from, mapGeometry: '1x16x64', tile: 'repeat' }));
  const [dies] = data.dies.values();
  expect([...dies.cells]).toEqual([70, 16 * 64 + 70]);
});

describe('what a die is programmed with', () => {
  /** Of each die: no fault at 0.6 V, some at 0.58 V, more at 0.55 V. */
  const cells = [0, 1, 2].map((die) =>
    Array.from({ length: 40 }, (_, index) => (7 * die + 51 * index) % (2 * 16 * 64)),
  );
  const linesAt = (die: number, voltage: number, count: number) =>
    count === 0
      ? [`D${die},L1,${voltage},,,,`]
      : cells[die]
          .slice(0, count)
          .map(
            (cell) =>
              `D${die},L1,${voltage},${Math.floor(cell / 1024)},${Math.floor(cell / 64) % 16},${cell % 64},stuck-at-1`,
          );
  const all = [0, 1, 2].flatMap((die) => [
    ...linesAt(die, 0.6, 0),
    ...linesAt(die, 0.58, 12),
    ...linesAt(die, 0.55, 40),
  ]);
  const studyWith = (dies: Record<string, unknown>, mitigations: readonly string[]) => {
    const { mitigations: _, ...study } = JSON.parse(JSON.stringify(studyOf(dies)));
    return parseStudyFields({ ...study, mitigations });
  };

  test('is what was measured of it at the voltage that a part knows', async () => {
    const from = file('nested.csv', all);
    const [part, every] = ['closest-value', 'spares:rows=1:columns=1'];
    const names = ['none', part, every].flatMap((name) =>
      name === 'none'
        ? [name]
        : [name, ...[0.6, 0.58, 0.55].map((volts) => `${name}:knows=voltage/${volts}`)],
    );
    const result = await runStudy(prepareStudy(studyWith({ from }, names)), { threads: 2 });
    const rows = result.dies?.rows ?? [];
    const found = (mitigation: string, voltage: number) =>
      rows
        .filter((row) => row.voltage === voltage && row.mitigation === mitigation)
        .map(({ effective, accuracy, difference }) => ({ effective, accuracy, difference }));
    for (const name of [part, every]) {
      for (const volts of [0.6, 0.58, 0.55]) {
        // Tested at the voltage of the row, it knows all.
        const knowing = (known: number) => found(`${name}:knows=voltage/${known}`, volts);
        expect(knowing(volts), `${name} at ${volts}`).toEqual(found(name, volts));
        expect(found(name, volts)).toHaveLength(3);
      }
      // Tested where nothing fails, it knows nothing.
      expect(found(`${name}:knows=voltage/0.6`, 0.55)).toEqual(found('none', 0.55));
      expect(found(`${name}:knows=voltage/0.58`, 0.55)).not.toEqual(found('none', 0.55));
      expect(found(`${name}:knows=voltage/0.58`, 0.55)).not.toEqual(found(name, 0.55));
    }
    const vmins = dieVmins(rows).map(({ mitigation }) => mitigation);
    expect(new Set(vmins)).toEqual(new Set(rows.map(({ mitigation }) => mitigation)));
  });

  test('does not depend on dies that others lack at a voltage', async () => {
    const skipped = all.filter((line) => !line.startsWith('D0,L1,0.55'));
    const names = ['none', 'closest-value:knows=voltage/0.58'];
    const rowsWith = async (dies: Record<string, unknown>) => {
      const { dies: found } = await runStudy(prepareStudy(studyWith(dies, names)), { threads: 1 });
      return found?.rows.map(({ file: _, ...row }) => row) ?? [];
    };
    const whole = await rowsWith({ from: file('nested.csv', all) });
    const lacking = await rowsWith({ from: file('skipped.csv', skipped), missing: 'skip' });
    expect(lacking).toEqual(whole.filter(({ die, voltage }) => die !== 'D0' || voltage !== 0.55));
  });

  test('is refused by name where nobody measured it', () => {
    const skipped = all.filter((line) => !line.startsWith('D1,L1,0.58'));
    const from = file('skipped.csv', skipped);
    const knowing = (voltage: number, dies: Record<string, unknown>) => () =>
      prepareStudy(studyWith(dies, ['none', `rotate:knows=voltage/${voltage}`]));
    expect(knowing(0.58, { from, missing: 'skip' })).toThrow(
      'study: mitigation rotate:knows=voltage/0.58: knows = voltage/0.58: die D1 of lot L1 was not measured at 0.58 V: say --missing clean',
    );
    expect(knowing(0.58, { from, missing: 'clean' })).not.toThrow();
    expect(knowing(0.57, { from, missing: 'skip' })).toThrow(
      'no die was measured at 0.57 V, but at 0.6, 0.58, 0.55 V',
    );
  });
});

const verdicts = fc.constantFrom<DieVerdict>('pass', 'fail', 'undecided');
const VOLTAGES = [0.6, 0.58, 0.55];

function row(die: string, lot: string, voltage: number, verdict: DieVerdict): DieRow {
  const estimate = { mean: 0, low: 0, high: 0 };
  return {
    ...{ die, lot, wafer: null, x: null, y: null, voltage, file: '', faults: 0 },
    ...{ model: 'm', format: 'int8', accelerator: 'a', mitigation: 'none' },
    ...{ effective: 0, images: 1, accuracy: estimate, difference: estimate, verdict },
  };
}

property.prop([
  fc.array(
    fc.record({ lot: fc.constantFrom('1', '2'), of: fc.tuple(verdicts, verdicts, verdicts) }),
    {
      minLength: 1,
    },
  ),
])(
  'yields count verdicts by lot and voltage, and Vmin ends at the first that is no pass',
  (dies) => {
    const rows = dies.flatMap(({ lot, of }, die) =>
      of.map((verdict, at) => row(`D${die}`, lot, VOLTAGES[at], verdict)),
    );
    for (const found of dieYields(rows, 0.02)) {
      const at = VOLTAGES.indexOf(found.voltage ?? 0);
      const own = dies.filter(({ lot }) => lot === found.lot).map(({ of }) => of[at]);
      const [pass, undecided] = [
        own.filter((one) => one === 'pass').length,
        own.filter((one) => one === 'undecided').length,
      ];
      expect(found).toMatchObject({ dies: own.length, pass, undecided, share: pass / own.length });
      expect(found.fail).toBe(own.length - pass - undecided);
      expect(found.low).toBe(clopperPearson(pass, own.length).low);
      expect(found.high).toBe(clopperPearson(pass + undecided, own.length).high);
    }
    const vmins = dieVmins(rows.toReversed());
    expect(vmins).toHaveLength(dies.length);
    for (const { die, vmin } of vmins) {
      const { of } = dies[Number(die?.slice(1))];
      const passing = of.findIndex((one) => one !== 'pass');
      expect(vmin).toBe([null, 0.6, 0.58, 0.55][passing === -1 ? 3 : passing]);
    }
  },
);
