import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError, sha256Hex } from '../../core/index.js';
import {
  backgroundRate,
  bitLinesOf,
  cellAt,
  cellCount,
  cellIndex,
  faultMapOf,
  formatFaultModel,
  parseFaultModel,
  parseFaultModelText,
} from '../../fault/index.js';
import { cellGeometries, faultModels } from '../../testing/index.js';

const shapes = fc.record(
  {
    rows: fc.integer({ min: 1, max: 9 }),
    rowStride: fc.integer({ min: 1, max: 4 }),
    pairDistance: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['rowStride'] },
);

describe('bit lines', () => {
  test.prop([shapes, cellGeometries()])('hold each cell once', (shape, geometry) => {
    const lines = bitLinesOf(shape, geometry);
    const found: number[] = [];
    for (let line = 0; line < lines.count; line += 1) {
      for (let position = 0; position < lines.lengthOf(line); position += 1) {
        for (const cell of lines.cellsAt(line, position)) {
          expect(lines.placeOf(cell)).toEqual({ line, position });
          found.push(cell);
        }
      }
    }
    expect(found.sort((a, b) => a - b)).toEqual([...Array(cellCount(geometry)).keys()]);
  });

  test.prop([shapes, cellGeometries(), fc.nat(), fc.nat()])(
    'are columns, or pairs of columns, with every so manyth row of a segment',
    (shape, geometry, one, other) => {
      const { rows = geometry.rows, rowStride, pairDistance } = shape;
      const lines = bitLinesOf(shape, geometry);
      const [a, b] = [one, other].map((cell) => cellAt(geometry, cell % cellCount(geometry)));
      const height = Math.min(rows, geometry.rows);
      const stride = Math.min(rowStride, height);
      const lineOf = (column: number) => {
        const block = 2 * (pairDistance ?? geometry.columns);
        const within = column % block;
        return column - within + (within % (pairDistance ?? geometry.columns));
      };
      const same =
        a.bank === b.bank &&
        lineOf(a.column) === lineOf(b.column) &&
        Math.floor(a.row / height) === Math.floor(b.row / height) &&
        (a.row % height) % stride === (b.row % height) % stride;
      const placeOf = (cell: typeof a) => lines.placeOf(cellIndex(geometry, cell));
      expect(placeOf(a).line === placeOf(b).line).toBe(same);
    },
  );
});

describe('weak lines', () => {
  const geometry = { banks: 40, rows: 256, columns: 32 };
  const model = parseFaultModel(
    { model: 'weak-lines', clustering: 0.05, rowStride: 2, pairDistance: 4, faults: 'stuck-at' },
    'test',
  );

  test('have both faults of a pair', () => {
    const { cells } = faultMapOf(model, geometry, 3, 0, 0.01);
    const faulty = new Set(cells);
    expect(cells.length).toBeGreaterThan(1000);
    for (const cell of cells) {
      expect(faulty.has(cell + (cell % 8 < 4 ? 4 : -4))).toBe(true);
    }
  });

  test('have negative-binomial counts', () => {
    const lines = bitLinesOf({ rowStride: 2, pairDistance: 4 }, geometry);
    const counts = new Float64Array(lines.count * 20);
    for (let trial = 0; trial < 20; trial += 1) {
      const { cells } = faultMapOf(model, geometry, 5, trial, 0.002);
      for (const cell of cells) counts[trial * lines.count + lines.placeOf(cell).line] += 0.5;
    }
    // 128 pairs a line; none with probability (1 + μ/α)^−α, and the mean μ.
    const mean = 0.002 * 128;
    const none = (1 + mean / 0.05) ** -0.05;
    const clean = counts.filter((count) => count === 0).length / counts.length;
    expect(Math.abs(clean - none)).toBeLessThan(6 * Math.sqrt((none * (1 - none)) / counts.length));
    const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = mean + mean ** 2 / 0.05;
    expect(Math.abs(average - mean)).toBeLessThan(6 * Math.sqrt(variance / counts.length));
  });

  test('keep the values of their seed', () => {
    const { cells, kinds } = faultMapOf(model, geometry, 5, 7, 0.01);
    expect(`${cells.length} ${sha256Hex(`${cells} ${kinds}`).slice(0, 16)}`).toMatchSnapshot();
  });

  const shares = [
    { rate: 0.1, share: 0 },
    { rate: 0.2, share: 0.25 },
  ];

  test('have a background that is linear in the rate', () => {
    const rates = [0, 0.05, 0.1, 0.15, 0.2, 0.4];
    const expected = [0, 0, 0, 0.025, 0.05, 0.1];
    rates.forEach((rate, index) => {
      expect(backgroundRate(shares, rate)).toBeCloseTo(expected[index], 15);
    });
  });

  test.each([
    ['{rate: 0.2, share: 0}, {rate: 0.1, share: 0}', 'rates that do not rise'],
    ['{rate: 0.1, share: 1}, {rate: 0.2, share: 0.4}', 'a background that falls'],
    ['{rate: 0.1, share: 0}, {rate: 0.2, share: 0.6}', 'a rest that falls'],
  ])('refuse %s', (points) => {
    const text = `model: weak-lines\nclustering: 1\nbackground: {clustering: 1, shares: [${points}]}`;
    expect(() => parseFaultModelText(text.replaceAll('\\\n', '\n'), 'm.yaml')).toThrow(InputError);
    expect(() => parseFaultModelText(text.replaceAll('\\\n', '\n'), 'm.yaml')).toThrow(
      /^m\.yaml:3:\d+: background\.shares .*; expected rates that rise from point to point/,
    );
  });

  test('name the field that is meant', () => {
    const parse = (text: string) => () => parseFaultModelText(text, 'm.yaml');
    expect(parse('model: weak-lines\nclustering: 1\nrowstride: 2')).toThrow(
      new InputError(
        'm.yaml:3:12: rowstride is an unknown field (did you mean "rowStride"?); remove it.',
      ),
    );
  });
});

test.prop([faultModels()])('a model that was written reads back', (model) => {
  expect(parseFaultModelText(formatFaultModel(model, ['a line']), 'm.yaml')).toEqual(model);
});
