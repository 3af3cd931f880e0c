import { fc, test } from '@fast-check/vitest';
import { decode } from 'fast-png';
import { describe, expect } from 'vitest';
import {
  cellAt,
  chiSquareTail,
  drawHeatMap,
  encodePng,
  FAULT_KINDS,
  type FaultMap,
  HEAT_MAP_COLOURS,
  HEAT_MAP_SIDE,
} from '../../fault/index.js';
import { cellGeometries, faultMaps } from '../../testing/index.js';

describe('the tail of chi-square', () => {
  test.prop([fc.double({ min: 0, max: 1400, noNaN: true })])(
    'is exp(−x/2) with 2 degrees of freedom',
    (x) => {
      const expected = Math.exp(-x / 2);
      expect(Math.abs(chiSquareTail(x, 2) - expected)).toBeLessThanOrEqual(
        1e-13 * expected + 1e-15,
      );
    },
  );

  // Q(k, x) for whole k is the probability of fewer than k events of a Poisson variable of mean x.
  test.prop([fc.integer({ min: 1, max: 60 }), fc.double({ min: 0.01, max: 120, noNaN: true })])(
    'is a Poisson sum with an even number of degrees of freedom',
    (half, x) => {
      let term = Math.exp(-x);
      let sum = term;
      for (let k = 1; k < half; k += 1) {
        term *= x / k;
        sum += term;
      }
      expect(chiSquareTail(2 * x, 2 * half)).toBeCloseTo(sum, 11);
    },
  );

  // Percentage points of printed tables (Abramowitz and Stegun, table 26.8).
  test.each([
    [3.84146, 1, 0.05],
    [6.6349, 1, 0.01],
    [18.307, 10, 0.05],
    [43.773, 30, 0.05],
    [124.342, 100, 0.05],
    [149.449, 100, 0.001],
  ])('exceeds %d with %d degrees of freedom with probability %d', (value, freedom, p) => {
    expect(chiSquareTail(value, freedom) / p).toBeCloseTo(1, 3);
  });
});

describe('a heat map', () => {
  test.prop([faultMaps(cellGeometries())])(
    'has a pixel a cell, in the colour of its kind',
    (map) => {
      const picture = drawHeatMap(map);
      const { width, height, data, channels } = decode(encodePng(picture));
      expect({ width, height, channels }).toEqual({
        width: picture.width,
        height: picture.height,
        channels: 3,
      });
      const { banks, rows, columns } = map.geometry;
      const kinds = new Map(Array.from(map.cells, (cell, i) => [cell, FAULT_KINDS[map.kinds[i]]]));
      const seen = { clean: 0, gap: 0, 'stuck-at-0': 0, 'stuck-at-1': 0, flip: 0 };
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const across = Math.floor(x / (columns + 1));
          const bank = Math.floor(y / (rows + 1)) * picture.banksAcross + across;
          const [row, column] = [y % (rows + 1), x % (columns + 1)];
          const isGap = row === rows || column === columns || bank >= banks;
          const cell = (bank * rows + row) * columns + column;
          const kind = isGap ? 'gap' : (kinds.get(cell) ?? 'clean');
          seen[kind] += 1;
          const start = 3 * (y * width + x);
          expect([...data.subarray(start, start + 3)]).toEqual(HEAT_MAP_COLOURS[kind]);
        }
      }
      const { gap, ...cells } = seen;
      expect(Object.values(cells).reduce((sum, n) => sum + n, 0)).toBe(banks * rows * columns);
    },
  );

  test('is binned where a side would be too long', () => {
    const geometry = { banks: 1, rows: 4, columns: 4 * HEAT_MAP_SIDE };
    const cells = Float64Array.of(0, 1, 3, geometry.columns + 2, geometry.columns * 4 - 1);
    const map: FaultMap = {
      geometry,
      cells,
      kinds: new Uint8Array(5),
      provenance: { source: 'file', file: 'x' },
    };
    const { width, height, bin, most, data } = drawHeatMap(map);
    expect({ width, height, bin, most }).toEqual({
      width: HEAT_MAP_SIDE,
      height: 1,
      bin: 4,
      most: 4,
    });
    const pixel = (x: number) => [...data.subarray(3 * x, 3 * x + 3)];
    expect(pixel(0)).toEqual([127, 0, 0]);
    expect(pixel(1)).toEqual([255, 255, 255]);
    // One of four: halfway from white to orange.
    expect(pixel(width - 1)).toEqual([255, 198, 128]);
    expect(cellAt(geometry, cells[4])).toEqual({ bank: 0, row: 3, column: geometry.columns - 1 });
  });
});
