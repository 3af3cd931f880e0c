import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseStudy, prepareStudy, type StudyInput } from '../../campaign/index.js';
import { faultMapOf, parseFaultModel, writeFaultMap } from '../../fault/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
const files = writeTinyNetwork(folder);
const base: StudyInput = { model: files.int8, format: 'int8', mitigations: ['none'], images: 2 };
const conditionsOf = (options: StudyInput) =>
  prepareStudy(parseStudy({ ...base, ...options })).data.conditions;

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('fault models of a study', () => {
  test('a preset has its rates for voltages, all of its table or those wanted', () => {
    const all = conditionsOf({ faults: 'kc705-b' });
    expect(all.map(({ voltage }) => voltage)).toEqual([0.59, 0.58, 0.57, 0.56, 0.55, 0.54, 0.53]);
    expect(all.at(-1)?.rate).toBeCloseTo(2274 / (890 * 16384), 15);
    expect(conditionsOf({ faults: 'kc705-b', voltage: 0.55 })).toEqual([{ ...all[4], index: 0 }]);
  });

  test('a published state has its own rate beside the rates of others', () => {
    const faults = ['flip', 'stutz-chip-1@0.02744', 'kc705-b@0.55V'];
    const conditions = conditionsOf({ faults, rates: [0, 0.1] });
    expect(conditions.map(({ rate, voltage }) => [rate, voltage])).toEqual([
      [0, undefined],
      [0.1, undefined],
      [0.02744, undefined],
      [252 / (890 * 16384), 0.55],
    ]);
  });

  test('a model is read from a file, or stands in the study', () => {
    const model = { model: 'rows', faults: 'stuck-at-0' } as const;
    const path = file('rows.yaml', 'model: rows\nfaults: stuck-at-0\n');
    const [fromFile, inline] = conditionsOf({ faults: [path, model], rate: 0.1 });
    expect(fromFile.source).toMatchObject({ name: path, model });
    expect(inline.source).toMatchObject({ name: JSON.stringify(model), model });
  });

  test('a number of faults is exactly that, in every scope', () => {
    const conditions = conditionsOf({ faultCounts: [1, 3], scopes: ['all', 'layer:fc1', 'bit:7'] });
    expect(conditions.map(({ faultCount }) => faultCount)).toEqual([1, 3, 1, 3, 1, 3]);
  });

  test.each<[StudyInput, string]>([
    [{ faults: 'kc705-b', rates: [0.1], voltages: [0.55] }, 'study: rates are given, but every'],
    [{ faults: 'flip', voltages: [0.55] }, 'study: voltages are given, but no fault model has'],
    [
      { faults: 'stutz-chip-1' },
      'stutz-chip-1 has published states: give one of stutz-chip-1@0.02',
    ],
    [{ faults: 'stutz-chip-1@0.5' }, 'has published figures for the rates 0.02744, 0.00866 only'],
    [{ faults: 'kc705-b@low' }, 'expected a voltage such as kc705-b@0.55V'],
    [{ faults: 'kc705-b@0.2V' }, 'The voltage is 0.2 V, but the table of rates reaches'],
    [{ faults: { model: 'rows' }, faultCount: 1 }, 'study: faultCounts need uniform faults'],
    [{ faultCount: 1e9 }, 'study: faultCounts: 1000000000 faults, but scope all has 262144 cells'],
  ])('refuses %j', (options, message) => {
    expect(() => conditionsOf(options)).toThrow(message);
  });
});

describe('fault map files of a study', () => {
  const int8 = { banks: 1, rows: 1024, columns: 256 };
  const float32 = { ...int8, banks: 2 };
  const model = parseFaultModel({ model: 'uniform', faults: 'stuck-at-0' }, 'test');
  const spec = (names: string) =>
    names
      .split(',')
      .map((name) => join(folder, name))
      .join(',');

  test.each(['map.hex', 'map0.csv,map1.csv', 'map.mbist', 'map.csv', 'map.json', 'map.bfm'])(
    '%s is read for the memory of each word format',
    (names) => {
      for (const [format, geometry] of [
        ['int8', int8],
        ['float32', float32],
      ] as const) {
        const map = faultMapOf(model, geometry, 3, 0, 1e-3);
        writeFaultMap(spec(names), map, { columnMux: 4 });
        const { faultMaps, conditions } = prepareStudy(
          parseStudy({ ...base, format, faultMap: spec(names) }),
        ).data;
        const [read] = faultMaps.values();
        expect([...read.cells]).toEqual([...map.cells]);
        expect(conditions[0].rate).toBe(map.cells.length / (geometry.banks * 262144));
      }
    },
  );

  test('one for another memory is refused, and both formats need one choice', () => {
    const path = spec('one.json');
    writeFaultMap(path, faultMapOf(model, int8, 3, 0, 1e-3));
    expect(() => conditionsOf({ format: ['int8', 'float32'], faultMap: path })).toThrow(
      /one\.json is for a memory of 1 banks .*, but this memory has 2 banks .* choose one with --format\./,
    );
  });
});
