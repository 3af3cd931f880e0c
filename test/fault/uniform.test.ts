import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createRandomStream, InputError, PURPOSE, sha256Hex } from '../../core/index.js';
import {
  type CellGeometry,
  cellCount,
  FAULT_KINDS,
  type FaultMap,
  nestedUniformFaultMaps,
  uniformFaultMap,
} from '../../fault/index.js';
import { cellGeometries, uniformFaults } from '../../testing/index.js';

const rates = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1));
const trials = fc.record({
  geometry: cellGeometries(),
  faults: uniformFaults(),
  seed: fc.maxSafeNat(),
  trial: fc.nat({ max: 0xffffffff }),
});

/** Kind of each faulty cell. */
function faultsByCell(map: FaultMap): Map<number, string> {
  return new Map(Array.from(map.cells, (cell, fault) => [cell, FAULT_KINDS[map.kinds[fault]]]));
}

/** One memory of one row, where only the number of cells matters. */
function memoryOf(columns: number): CellGeometry {
  return { banks: 1, rows: 1, columns };
}

describe('a uniform fault map', () => {
  test.prop([trials, rates])('holds distinct cells in order, of known kinds', (options, rate) => {
    const map = uniformFaultMap({ ...options, rate });
    const cells = cellCount(options.geometry);
    expect(map.kinds.length).toBe(map.cells.length);
    map.cells.forEach((cell, fault) => {
      expect(Number.isInteger(cell) && cell < cells).toBe(true);
      expect(cell).toBeGreaterThan(fault === 0 ? -1 : map.cells[fault - 1]);
      const kind = FAULT_KINDS[map.kinds[fault]];
      if (options.faults === 'stuck-at') expect(kind).toMatch(/^stuck-at-[01]$/);
      else expect(kind).toBe(options.faults);
    });
    expect(map.provenance).toEqual({
      source: 'generated',
      model: { model: 'uniform', faults: options.faults },
      seed: options.seed,
      trial: options.trial,
      rate,
    });
  });

  test.prop([trials, rates])('has floor(rate · cells) faults or one more', (options, rate) => {
    const expected = rate * cellCount(options.geometry);
    const faults = uniformFaultMap({ ...options, rate }).cells.length;
    expect(faults).toBeGreaterThanOrEqual(Math.floor(expected));
    expect(faults).toBeLessThanOrEqual(Math.ceil(expected));
  });

  test.prop([trials, rates, rates])('holds every fault of a lower rate', (options, a, b) => {
    const low = faultsByCell(uniformFaultMap({ ...options, rate: Math.min(a, b) }));
    const high = faultsByCell(uniformFaultMap({ ...options, rate: Math.max(a, b) }));
    for (const [cell, kind] of low) expect(high.get(cell)).toBe(kind);
  });

  test.prop([trials])('is empty at rate 0 and the whole memory at rate 1', (options) => {
    expect(uniformFaultMap({ ...options, rate: 0 }).cells).toEqual(new Float64Array());
    expect(uniformFaultMap({ ...options, rate: 1 }).cells).toEqual(
      Float64Array.from({ length: cellCount(options.geometry) }, (_, cell) => cell),
    );
  });

  test.prop([trials, rates])('strikes the same cells whatever the kind', (options, rate) => {
    const flips = uniformFaultMap({ ...options, faults: 'flip', rate });
    expect(uniformFaultMap({ ...options, rate }).cells).toEqual(flips.cells);
  });

  test.prop([trials, fc.array(rates, { maxLength: 5 })])(
    'is the same alone and among other rates of its trial',
    (options, several) => {
      expect(nestedUniformFaultMaps(options, several)).toEqual(
        several.map((rate) => uniformFaultMap({ ...options, rate })),
      );
    },
  );

  test('covers a memory of a quarter of a million cells at rate 1', () => {
    const geometry = memoryOf(2 ** 18);
    const map = uniformFaultMap({ geometry, rate: 1, faults: 'stuck-at', seed: 1, trial: 0 });
    expect(map.cells).toEqual(Float64Array.from({ length: 2 ** 18 }, (_, cell) => cell));
  });

  test('reaches all of a memory of 2^42 cells', () => {
    const geometry = { banks: 2 ** 10, rows: 2 ** 16, columns: 2 ** 16 };
    const { cells } = uniformFaultMap({ geometry, rate: 1e-9, faults: 'flip', seed: 1, trial: 0 });
    expect(new Set(cells).size).toBe(cells.length);
    expect(cells).toEqual(cells.toSorted());
    // Of 4398 faults none misses the outer hundredths but with probability 0.99^4398 < 1e-19.
    expect(cells[0]).toBeLessThan(2 ** 42 * 0.01);
    expect(cells[cells.length - 1]).toBeGreaterThan(2 ** 42 * 0.99);
  });

  test('keeps the values of its seed', () => {
    const geometry = { banks: 4, rows: 256, columns: 1024 };
    const options = { geometry, faults: 'stuck-at', seed: 42, trial: 3 } as const;
    const [sparse, dense] = nestedUniformFaultMaps(options, [1e-5, 0.75]);
    expect([...faultsByCell(sparse)]).toMatchInlineSnapshot(`
      [
        [
          50950,
          "stuck-at-0",
        ],
        [
          205680,
          "stuck-at-0",
        ],
        [
          238849,
          "stuck-at-0",
        ],
        [
          291654,
          "stuck-at-1",
        ],
        [
          392176,
          "stuck-at-0",
        ],
        [
          605599,
          "stuck-at-1",
        ],
        [
          624442,
          "stuck-at-0",
        ],
        [
          759893,
          "stuck-at-1",
        ],
        [
          765826,
          "stuck-at-0",
        ],
        [
          805624,
          "stuck-at-1",
        ],
      ]
    `);
    expect(dense.cells.length).toBe(0.75 * cellCount(geometry));
    expect(sha256Hex(new Uint8Array(dense.cells.slice().buffer))).toMatchInlineSnapshot(
      `"51f1bb74b5256bbd41e67e606c2ba382521b4ba17a0482d11139d03d462e854f"`,
    );
    expect(sha256Hex(dense.kinds)).toMatchInlineSnapshot(
      `"2579613aeab8f0dcb564fce7bb5df955702b8aae473db70989e7380fbc9bb406"`,
    );
  });
});

describe('the order of the cells', () => {
  /** The first `count` distinct cells of the draws, as the documentation defines them. */
  function firstDistinct(cells: number, count: number, seed: number): Float64Array {
    const stream = createRandomStream(seed, 0, PURPOSE.faultOrder);
    const drawn = new Set<number>();
    for (let draw = 0; drawn.size < count; draw += 1) drawn.add(stream.integerBelow(cells, draw));
    return Float64Array.from(drawn).sort();
  }

  // From a hash table to a bitset: both representations of the cells drawn so far.
  test.each([2 ** -14, 2 ** -10, 2 ** -8, 2 ** -7, 0.1, 0.5])(
    'up to rate %d is that of the first draws',
    (rate) => {
      const cells = 2 ** 16;
      const map = uniformFaultMap({
        geometry: memoryOf(cells),
        rate,
        faults: 'flip',
        seed: 9,
        trial: 0,
      });
      expect(map.cells).toEqual(firstDistinct(cells, Math.floor(rate * cells), 9));
    },
  );
});

describe('statistics at fixed seeds', () => {
  const TRIALS = 2000;
  /** Probability with which a correct generator would fail one of these tests. */
  const FALSE_ALARM = 1e-6;
  /** Hoeffding: the mean of n values in [0, 1] is off by t with probability ≤ 2·exp(−2nt²). */
  const meanTolerance = (samples: number) => Math.sqrt(Math.log(2 / FALSE_ALARM) / (2 * samples));

  function mapsAt(rate: number, geometry: CellGeometry): FaultMap[] {
    return Array.from({ length: TRIALS }, (_, trial) =>
      uniformFaultMap({ geometry, rate, faults: 'stuck-at', seed: 5, trial }),
    );
  }

  test.each([0.0001, 0.0137, 0.3001, 0.9])('the mean count at rate %d is rate · cells', (rate) => {
    const cells = 997;
    const maps = mapsAt(rate, memoryOf(cells));
    const mean = maps.reduce((sum, map) => sum + map.cells.length, 0) / TRIALS;
    expect(Math.abs(mean - rate * cells)).toBeLessThan(meanTolerance(TRIALS));
  });

  // 0.25 is drawn with repetitions left out, 0.75 ends in the shuffle of the remaining cells.
  test.each([0.25, 0.75])('every cell is as likely as any other at rate %d', (rate) => {
    const geometry = { banks: 2, rows: 8, columns: 4 };
    const cells = cellCount(geometry);
    const hits = new Float64Array(cells);
    for (const map of mapsAt(rate, geometry)) {
      for (const cell of map.cells) hits[cell] += 1;
    }
    // Counts of a sample without replacement have covariance p(1−p)·N/(N−1)·(I − 11ᵀ/N) a trial,
    // so this sum follows chi-square with N − 1 degrees of freedom.
    const variance = (TRIALS * rate * (1 - rate) * cells) / (cells - 1);
    const chiSquare = hits.reduce((sum, n) => sum + (n - TRIALS * rate) ** 2 / variance, 0);
    // Tails of chi-square: Laurent and Massart, Annals of Statistics 28 (2000), lemma 1.
    const freedom = cells - 1;
    const x = Math.log(2 / FALSE_ALARM);
    expect(chiSquare).toBeLessThan(freedom + 2 * Math.sqrt(freedom * x) + 2 * x);
    expect(chiSquare).toBeGreaterThan(freedom - 2 * Math.sqrt(freedom * x));
  });

  test('stuck-at-0 and stuck-at-1 are equally likely, and neighbours independent', () => {
    const geometry = memoryOf(100_000);
    const map = uniformFaultMap({ geometry, rate: 1, faults: 'stuck-at', seed: 5, trial: 0 });
    const ones = map.kinds.filter((kind) => FAULT_KINDS[kind] === 'stuck-at-1').length;
    const equalPairs = map.kinds.filter(
      (kind, fault) => fault % 2 === 1 && kind === map.kinds[fault - 1],
    ).length;
    expect(Math.abs(ones / 100_000 - 0.5)).toBeLessThan(meanTolerance(100_000));
    expect(Math.abs(equalPairs / 50_000 - 0.5)).toBeLessThan(meanTolerance(50_000));
  });

  test('trials and seeds share no more faults than chance', () => {
    const cells = 100_000;
    const options = {
      geometry: memoryOf(cells),
      rate: 0.1,
      faults: 'flip',
      seed: 5,
      trial: 0,
    } as const;
    const first = new Set(uniformFaultMap(options).cells);
    for (const change of [{ trial: 1 }, { seed: 6 }]) {
      const other = uniformFaultMap({ ...options, ...change }).cells;
      const shared = other.filter((cell) => first.has(cell)).length;
      // Sampling without replacement concentrates at least as sharply (Hoeffding 1963, section 6).
      expect(Math.abs(shared / other.length - 0.1)).toBeLessThan(meanTolerance(other.length));
    }
  });
});

describe('bad options', () => {
  const options = { geometry: memoryOf(8), rate: 0.5, faults: 'flip', seed: 1, trial: 0 } as const;

  test.each([-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY])('the rate %d', (rate) => {
    expect(() => uniformFaultMap({ ...options, rate })).toThrow(
      new InputError(`The fault rate is ${rate}, but must be a number from 0 to 1.`),
    );
  });

  test('the geometry and the seed', () => {
    expect(() => uniformFaultMap({ ...options, geometry: memoryOf(0) })).toThrow(
      new InputError(
        'The memory has 1 banks × 1 rows × 0 columns; each must be a positive whole number, and their product below 2^53.',
      ),
    );
    expect(() => uniformFaultMap({ ...options, seed: -1 })).toThrow(
      new InputError('The seed is -1, but must be a whole number from 0 to 9007199254740991.'),
    );
  });
});
