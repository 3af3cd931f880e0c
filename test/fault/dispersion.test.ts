import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  type CellGeometry,
  chiSquareTail,
  dispersionOf,
  type FaultMap,
  faultMapOf,
  parseFaultModel,
  summarizeFaultMap,
  uniformFaultMap,
} from '../../fault/index.js';
import { pairMoments, type UniformFaults } from '../../fault/inspect/pair-moments.js';
import { pairsTail } from '../../fault/inspect/pairs.js';

/** Of few lines and cells. */
function uniformFaults(most: { lines: number; cellsPerLine: number }): fc.Arbitrary<UniformFaults> {
  return fc
    .record({
      lines: fc.integer({ min: 2, max: most.lines }),
      cellsPerLine: fc.integer({ min: 1, max: most.cellsPerLine }),
    })
    .chain((line) =>
      fc
        .integer({ min: 1, max: line.lines * line.cellsPerLine })
        .map((faults) => ({ ...line, faults })),
    );
}

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 0; i < k; i += 1) product = (product * (n - i)) / (i + 1);
  return product;
}

/** Number of maps with so many pairs, by going through all counts of the lines. */
function mapsByPairs({ faults, lines, cellsPerLine }: UniformFaults): Map<number, number> {
  const maps = new Map<number, number>();
  const place = (line: number, left: number, pairs: number, ways: number) => {
    if (line === lines) {
      if (left === 0) maps.set(pairs, (maps.get(pairs) ?? 0) + ways);
      return;
    }
    for (let count = 0; count <= Math.min(left, cellsPerLine); count += 1) {
      const more = choose(count, 2);
      place(line + 1, left - count, pairs + more, ways * choose(cellsPerLine, count));
    }
  };
  place(0, faults, 0, 1);
  return maps;
}

describe('pairs of uniform faults on a line', () => {
  test.prop([uniformFaults({ lines: 5, cellsPerLine: 5 })], { numRuns: 200 })(
    'are as likely, and have the moments, as all maps together say',
    (uniform) => {
      const maps = [...mapsByPairs(uniform)];
      const all = choose(uniform.lines * uniform.cellsPerLine, uniform.faults);
      for (let pairs = 0; pairs <= choose(uniform.faults, 2) + 1; pairs += 1) {
        const ways = maps.reduce((sum, [count, n]) => (count >= pairs ? sum + n : sum), 0);
        const tail = pairsTail(pairs, uniform);
        expect(Math.abs(tail - ways / all)).toBeLessThanOrEqual((1e-12 * ways) / all);
      }
      const expectation = (value: (pairs: number) => number) =>
        maps.reduce((sum, [pairs, ways]) => sum + (value(pairs) * ways) / all, 0);
      const moments = pairMoments(uniform);
      const mean = expectation((pairs) => pairs);
      const variance = expectation((pairs) => (pairs - mean) ** 2);
      const third = expectation((pairs) => (pairs - mean) ** 3);
      expect(moments.mean).toBeCloseTo(mean, 10);
      expect(moments.deviation ** 2).toBeCloseTo(variance, 10);
      expect(moments.skewness * moments.deviation ** 3).toBeCloseTo(third, 8);
    },
  );

  // The sums of P(≥ t) and (2t − 1) P(≥ t) over t ≥ 1 are the first two moments.
  test.prop([uniformFaults({ lines: 40, cellsPerLine: 40 }).filter(({ faults }) => faults <= 40)], {
    numRuns: 50,
  })('have tails that sum to the moments', (uniform) => {
    let [first, second] = [0, 0];
    for (let pairs = 1; pairs <= choose(uniform.faults, 2); pairs += 1) {
      const tail = pairsTail(pairs, uniform);
      first += tail;
      second += (2 * pairs - 1) * tail;
      if (tail < 1e-14) break;
    }
    const { mean, deviation } = pairMoments(uniform);
    expect(Math.abs(first - mean)).toBeLessThan(1e-8 * (1 + mean));
    expect(Math.abs(second - mean ** 2 - deviation ** 2)).toBeLessThan(1e-8 * (1 + mean ** 2));
  });

  // The birthday problem: no two of N faults share a line with probability Π (T − ik)/(T − i).
  test.prop([
    fc.integer({ min: 2, max: 1000 }),
    fc.integer({ min: 1000, max: 1e6 }),
    fc.integer({ min: 1, max: 4096 }),
  ])('are none as in the birthday problem', (faults, lines, cellsPerLine) => {
    const cells = lines * cellsPerLine;
    let log = 0;
    for (let i = 1; i < faults; i += 1) log += Math.log1p(-(i * (cellsPerLine - 1)) / (cells - i));
    const expected = -Math.expm1(log);
    const tail = pairsTail(1, { faults, lines, cellsPerLine });
    expect(Math.abs(tail - expected)).toBeLessThanOrEqual(1e-9 * expected);
  });

  test('follow chi-square where a line has thousands of faults', () => {
    const uniform = { faults: 1e6, lines: 100, cellsPerLine: 1e7 };
    const { mean, deviation } = pairMoments(uniform);
    for (const excess of [-1, 0, 1, 3, 6]) {
      const pairs = Math.round(mean + excess * deviation);
      const squares = 2 * pairs + uniform.faults - uniform.faults ** 2 / uniform.lines;
      const chiSquare = (squares * uniform.lines) / uniform.faults / (1 - 1e6 / 1e9);
      expect(pairsTail(pairs, uniform) / chiSquareTail(chiSquare, 99)).toBeCloseTo(1, 1);
    }
  });

  // Each beside the limit up to which the exact method goes: its neighbours must not jump.
  test.each([
    { faults: 4000, lines: 4000, cellsPerLine: 64 },
    { faults: 220, lines: 60, cellsPerLine: 64 },
    { faults: 20_000, lines: 1e6, cellsPerLine: 64 },
  ])('of $faults faults on $lines lines are ever rarer', (uniform) => {
    const { mean, deviation } = pairMoments(uniform);
    let last = 1;
    for (let excess = -3; excess < 12; excess += 1.5) {
      const tail = pairsTail(Math.max(0, Math.round(mean + excess * deviation)), uniform);
      expect(tail).toBeLessThanOrEqual(last);
      expect(tail).toBeGreaterThan(0);
      last = tail;
    }
  });

  test('take no time where there are millions', () => {
    const uniform = { faults: 1e7, lines: 1e6, cellsPerLine: 1024 };
    const { mean, deviation } = pairMoments(uniform);
    expect(pairsTail(Math.round(mean), uniform)).toBeCloseTo(0.5, 2);
    expect(pairsTail(Math.round(mean + 100 * deviation), uniform)).toBe(0);
    expect(pairsTail(choose(1e7, 2), uniform)).toBe(0);
  });

  test('far above the mean have an upper bound that is not 0', () => {
    const tail = pairsTail(choose(500, 2), { faults: 2000, lines: 1e6, cellsPerLine: 1024 });
    expect(tail).toBeGreaterThan(0);
    expect(tail).toBeLessThan(1e-100);
  });
});

describe('dispersion', () => {
  test('of a worked example', () => {
    // Four lines of 25 cells with 0, 1, 2 and 5 faults: Σ(x − 2)² = 14, uniform variance 2 · 92/99.
    const dispersion = dispersionOf([1, 2, 5], 4, 100);
    expect(dispersion).toMatchObject({ lines: 4, mean: 2, degreesOfFreedom: 3 });
    expect(dispersion?.chiSquare).toBeCloseTo((14 * 99) / (2 * 92), 12);
    expect(dispersion?.index).toBeCloseTo((14 * 99) / (2 * 92) / 3, 12);
  });

  test('needs two lines, and faulty and clean cells', () => {
    expect(dispersionOf([3], 1, 10)).toBeUndefined();
    expect(dispersionOf([], 2, 10)).toBeUndefined();
    expect(dispersionOf([5, 5], 2, 10)).toBeUndefined();
  });

  const geometry: CellGeometry = { banks: 8, rows: 32, columns: 32 };
  const trials = 300;

  // Sparse and dense: the correction for drawing without replacement matters at 0.6.
  test.each([0.02, 0.6])('of uniform maps at rate %d is that of chance', (rate) => {
    const summaries = Array.from({ length: trials }, (_, trial) =>
      summarizeFaultMap(uniformFaultMap({ geometry, rate, faults: 'flip', seed: 5, trial })),
    );
    for (const lines of ['banks', 'rows', 'columns'] as const) {
      const found = summaries.flatMap((summary) => summary[lines].dispersion ?? []);
      expect(found.length).toBe(trials);
      const { degreesOfFreedom } = found[0];
      const mean = found.reduce((sum, { chiSquare }) => sum + chiSquare, 0) / trials;
      // The statistic has the mean n − 1 exactly and about the variance 2(n − 1).
      const deviation = Math.sqrt((2 * degreesOfFreedom) / trials);
      expect(Math.abs(mean - degreesOfFreedom)).toBeLessThan(6 * deviation);
      // Three times the probability of a single test.
      const small = found.filter(({ pValue }) => pValue < 0.3).length;
      expect(Math.abs(small - 0.1 * trials)).toBeLessThan(4 * Math.sqrt(0.09 * trials));
    }
  });

  const memory: CellGeometry = { banks: 1, rows: 8192, columns: 128 };
  const few = 40;

  test('of few uniform faults is rarely small, whatever is looked at', () => {
    const maps = 4000;
    let small = 0;
    for (let trial = 0; trial < maps; trial += 1) {
      const rate = few / (memory.rows * memory.columns);
      const map = uniformFaultMap({ geometry: memory, rate, faults: 'flip', seed: 7, trial });
      const { rows, columns } = summarizeFaultMap(map);
      if ([rows, columns].some(({ dispersion }) => (dispersion?.pValue ?? 1) < 0.01)) small += 1;
    }
    expect(small).toBeLessThanOrEqual(0.015 * maps);
    expect(small).toBeGreaterThan(0);
  });

  /** Faults in different rows and columns, but for those of the first ones that lie on one row. */
  function mapWithFaultyRow(geometry: CellGeometry, onRow: number): FaultMap {
    const places = Array.from({ length: few }, (_, fault) =>
      fault < onRow ? 3 * fault : fault * 7 * geometry.columns + 3 * fault,
    );
    return {
      geometry,
      cells: Float64Array.from(places).sort(),
      kinds: new Uint8Array(few),
      provenance: { source: 'file', file: 'x' },
    };
  }

  test('of few faults tells a row of them from a pair', () => {
    const pValue = (geometry: CellGeometry, onRow: number) =>
      summarizeFaultMap(mapWithFaultyRow(geometry, onRow)).rows.dispersion?.pValue;
    expect(pValue(memory, 8)).toBeLessThan(1e-6);
    expect(pValue(memory, 2)).toBeGreaterThan(0.1);
    // One pair on 726,784 rows is rare, but nothing like the 1e-184 that chi-square gives it.
    const rows: CellGeometry = { banks: 710, rows: 1024, columns: 128 };
    expect(pValue(rows, 2)).toBeGreaterThan(1e-3);
  });

  test.prop([fc.integer({ min: 1, max: 7 }), fc.integer({ min: 2, max: 60 })])(
    'is corrected for as many looks',
    (looks, lines) => {
      const single = dispersionOf([3, 2, 1], lines + 1, 10 * (lines + 1))?.pValue ?? Number.NaN;
      const corrected = dispersionOf([3, 2, 1], lines + 1, 10 * (lines + 1), looks)?.pValue;
      expect(corrected).toBe(Math.min(1, looks * single));
    },
  );

  test('tells clustered banks, rows and columns', () => {
    const summaryOf = (fields: object) => {
      const model = parseFaultModel(fields, 'test');
      return summarizeFaultMap(faultMapOf(model, geometry, 5, 0, 0.03));
    };
    const clustered = { model: 'clusters', clustering: 0.2 };
    expect(summaryOf(clustered).banks.dispersion?.pValue).toBeLessThan(1e-6);
    const columns = summaryOf({ ...clustered, region: 'column' });
    expect(columns.columns.dispersion?.pValue).toBeLessThan(1e-6);
    expect(columns.rows.dispersion?.pValue).toBeGreaterThan(1e-3);
    expect(summaryOf({ model: 'rows' }).rows.dispersion?.pValue).toBeLessThan(1e-6);
  });
});
