import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import {
  compareWithModel,
  dieLabelPattern,
  type FaultModelInput,
  faultMapOf,
  faultPreset,
  fitFaultModel,
  type MeasuredMap,
  ownDieLabel,
  parseFaultModel,
  rateAtVoltage,
} from '../../fault/index.js';

const memory = { banks: 16, rows: 256, columns: 64 };

/** Maps that a model draws for some dies, at its voltages or at one rate. */
function drawn(input: FaultModelInput, dies: number, seed: number, rate?: number): MeasuredMap[] {
  const model = parseFaultModel(input, 'test');
  const states =
    model.model === 'voltage' ? model.table : [{ voltage: undefined, rate: rate ?? 0.001 }];
  return Array.from({ length: dies }, (_, die) =>
    states.map(({ voltage, rate: of }) => ({
      die: `${die}`,
      voltage,
      file: `${die}-${voltage}`,
      map: faultMapOf(model, memory, seed, die, of),
    })),
  ).flat();
}

/** Within a factor. */
function expectNear(found: number, expected: number, factor: number): void {
  expect(Math.abs(Math.log(found / expected))).toBeLessThan(Math.log(factor));
}

describe('a fit of drawn maps', () => {
  const weakLines = fc.record(
    {
      clustering: fc.constantFrom(0.02, 0.1, 0.5),
      rowStride: fc.constantFrom(1, 2, 4),
      pairDistance: fc.constantFrom(1, 4, 8),
    },
    { requiredKeys: ['clustering', 'rowStride'] },
  );

  // Four dies have 4,096 to 16,384 lines: α comes out within a factor of 1.6, a rate within six deviations.
  test.prop([weakLines, fc.nat(), fc.constantFrom(0, 0.3, 1)], { numRuns: 12 })(
    'gives polarity, rates and weak lines back',
    (lines, seed, stuckAt1Share) => {
      const places = { model: 'weak-lines', ...lines } as const;
      const table = [
        { voltage: 0.6, rate: 1e-3 },
        { voltage: 0.5, rate: 1e-2 },
      ];
      const maps = drawn(
        { model: 'voltage', table, places, faults: 'stuck-at', stuckAt1Share },
        4,
        seed,
      );
      const { model, dies, warnings } = fitFaultModel(maps);
      expect([dies, warnings]).toEqual([4, []]);
      if (model.model !== 'voltage' || model.places.model !== 'weak-lines') {
        throw new Error(`expected weak lines by voltage, found ${JSON.stringify(model)}`);
      }
      expect(model.places.rowStride).toBe(lines.rowStride);
      expect(model.places.pairDistance).toBe(lines.pairDistance);
      expect(model.places.background).toBeUndefined();
      expectNear(model.places.clustering, lines.clustering, 1.6);
      const perLine = 256 / lines.rowStride;
      const lineCount = (4 * 4 * 256 * 64 * 4) / perLine / (lines.pairDistance ? 2 : 1) / 4 / 4;
      model.table.forEach(({ voltage, rate }, index) => {
        expect(voltage).toBe(table[index].voltage);
        const mean = table[index].rate * perLine;
        const deviation = Math.sqrt((mean + mean ** 2 / lines.clustering) / (lineCount * 4));
        expect(Math.abs(rate * perLine - mean)).toBeLessThan(6 * deviation);
      });
      const ones = model.faults === 'stuck-at' ? (model.stuckAt1Share ?? 0.5) : stuckAt1Share;
      expect(Math.abs(ones - stuckAt1Share)).toBeLessThan(0.1);
    },
  );

  test.each([
    { model: 'uniform', faults: 'flip' },
    { model: 'clusters', clustering: 0.3, region: 'bank', faults: 'flip' },
    { model: 'clusters', clustering: 0.3, region: 'row', faults: 'flip' },
  ] as const)('knows %j', (input) => {
    const { model } = fitFaultModel(drawn(input, 4, 7, 2e-3));
    expect(model).toEqual({
      ...parseFaultModel(input, 'test'),
      ...(model.model === 'clusters' && { clustering: model.clustering }),
    });
    if (model.model === 'clusters') expectNear(model.clustering, 0.3, 1.6);
  });

  test('gives kc705-b back from three chips', () => {
    const { faults } = faultPreset('kc705-b');
    if (faults.by !== 'voltage') throw new Error('expected a preset by voltage');
    const geometry = { banks: 890, rows: 1024, columns: 16 };
    const maps = [0, 1, 2].flatMap((die) =>
      [0.55, 0.54, 0.53].map((voltage) => {
        const rate = rateAtVoltage(faults.model.table, voltage);
        const map = faultMapOf(faults.model, geometry, 9, die, rate);
        return { file: `${die}`, map, ...ownDieLabel(map, `${die}`) };
      }),
    );
    const fit = fitFaultModel(maps);
    expect(fit.states.map(({ voltage }) => voltage)).toEqual([0.55, 0.54, 0.53]);
    if (fit.model.model !== 'voltage' || fit.model.places.model !== 'weak-lines') {
      throw new Error(`expected weak lines by voltage, found ${JSON.stringify(fit.model)}`);
    }
    const { clustering, background, ...shape } = fit.model.places;
    expect(shape).toEqual({ model: 'weak-lines', rows: 1024, rowStride: 2, pairDistance: 8 });
    expectNear(clustering, 0.0035, 1.6);
    expectNear(background?.clustering ?? 0, 0.1, 3);
    expect(background?.shares.map(({ rate }) => rate)).toEqual(
      fit.model.table.map(({ rate }) => rate),
    );
    [0, 0.05, 0.15].forEach((share, index) => {
      expect(Math.abs((background?.shares[index].share ?? 1) - share)).toBeLessThan(0.08);
    });
    const [, , lowest] = compareWithModel(fit, { draws: 20, seed: 1 });
    const variance = lowest.statistics.find(({ name }) => name === 'bankVariance');
    expect(variance?.measured.length).toBe(3);
    expect(variance?.drawn?.median).toBeGreaterThan(22);
  });
});

describe('a fit', () => {
  const die = { die: 'A', voltage: 0.5, file: 'a.csv' };
  const map = faultMapOf(parseFaultModel({ model: 'uniform' }, 'test'), memory, 1, 0, 1e-3);
  const none = { ...map, cells: new Float64Array(0), kinds: new Uint8Array(0) };

  test('warns of one chip, of voltages without faults, and of faults that vanish', () => {
    const lower = { ...map, cells: map.cells.slice(1), kinds: map.kinds.slice(1) };
    const { warnings, model } = fitFaultModel([
      { ...die, map: none, voltage: 0.7 },
      { ...die, map, voltage: 0.6 },
      { ...die, map: lower },
    ]);
    expect(warnings).toEqual([
      'all maps are of one chip: how chips differ is not in them, and the model is a fit to this chip that no other has confirmed',
      'no map of 0.7 V has a fault: the model has no rate for it',
      expect.stringMatching(/^the mean rate of 0\.6 V is .*: the model has the mean of both$/),
      expect.stringMatching(/^the mean rate of 0\.5 V is .*: the model has the mean of both$/),
      `1 of ${map.cells.length} faults at 0.6 V are sound at 0.5 V: the model keeps every fault`,
    ]);
    const rate = (map.cells.length - 0.5) / (16 * 256 * 64);
    expect(model).toMatchObject({
      table: [
        { voltage: 0.6, rate },
        { voltage: 0.5, rate },
      ],
    });
  });

  test('refuses maps that do not belong together', () => {
    const other = { ...map, geometry: { ...memory, banks: 17 } };
    const stuck = { ...map, kinds: map.kinds.map((_, fault) => (fault === 0 ? 0 : 2)) };
    const refused: [MeasuredMap[], RegExp][] = [
      [[{ ...die, map: none }], /^There is no fault in these maps/],
      [
        [
          { ...die, map },
          { ...die, die: 'B', map: other },
        ],
        /^a\.csv is of 16 banks/,
      ],
      [
        [
          { ...die, map },
          { ...die, map },
        ],
        /^a\.csv and a\.csv are both of die "A" at 0\.5 V;/,
      ],
      [
        [
          { ...die, map },
          { ...die, map, voltage: undefined },
        ],
        /says no voltage; name the files/,
      ],
      [
        [{ ...die, map: stuck }],
        /stuck-at faults and .* flips; a fault model has one or the other/,
      ],
    ];
    for (const [maps, message] of refused) {
      expect(() => fitFaultModel(maps)).toThrow(InputError);
      expect(() => fitFaultModel(maps)).toThrow(message);
    }
  });
});

describe('labels in file names', () => {
  test('follow a pattern', () => {
    const labelOf = dieLabelPattern('{die}_{voltage}V.csv');
    expect(labelOf('maps/lot_7_0.55V.csv')).toEqual({ die: 'lot_7', voltage: 0.55 });
    expect(dieLabelPattern('chip-{voltage}.hex')('chip-1.hex')).toEqual({ die: '', voltage: 1 });
    expect(dieLabelPattern('{die}.json')('a.b.json')).toEqual({ die: 'a.b', voltage: undefined });
  });

  test.each(['chip.csv', '{chip}.csv', '{die}{die}.csv'])('refuse the pattern %s', (pattern) => {
    expect(() => dieLabelPattern(pattern)).toThrow(
      new InputError(
        `--die-labels ${pattern}: expected {die} and {voltage}, each at most once, as in {die}_{voltage}V.csv`,
      ),
    );
  });

  test.each(['A_lowV.csv', 'A_0V.csv', 'A.csv'])('refuse the file %s', (file) => {
    expect(() => dieLabelPattern('{die}_{voltage}V.csv')(file)).toThrow(InputError);
  });
});
