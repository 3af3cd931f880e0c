import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError, sha256Hex } from '../../core/index.js';
import {
  activeFaults,
  type CellGeometry,
  cellAt,
  cellCount,
  cellOfDataIndex,
  dataCellCount,
  dataGeometry,
  dataIndexOfCell,
  FAULT_KINDS,
  type FaultMap,
  type FaultModelInput,
  faultMapOf,
  parseFaultModel,
  parseFaultModelText,
  regionOf,
  selectCells,
  uniformFaultMap,
} from '../../fault/index.js';
import {
  cellGeometries,
  extendedGeometries,
  faultModels,
  uniformFaults,
} from '../../testing/index.js';

const rates = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1));
const seeds = fc.record({ seed: fc.maxSafeNat(), trial: fc.nat({ max: 0xffffffff }) });

function mapOf(model: FaultModelInput, geometry: CellGeometry, rate: number, trial = 0): FaultMap {
  return faultMapOf(parseFaultModel(model, 'test'), geometry, 5, trial, rate);
}

/** Kind of each faulty cell. */
function faultsByCell({ cells, kinds }: FaultMap): Map<number, string> {
  return new Map(Array.from(cells, (cell, fault) => [cell, FAULT_KINDS[kinds[fault]]]));
}

/** The faults in data cells, by their data indices. */
function dataFaults(map: FaultMap): [number | undefined, number][] {
  return Array.from(map.cells, (cell, fault): [number | undefined, number] => [
    dataIndexOfCell(map.geometry, cell),
    map.kinds[fault],
  ]).filter(([index]) => index !== undefined);
}

describe('regions of a memory', () => {
  test.prop([extendedGeometries()])('are counted within rows and columns', (geometry) => {
    const { spareRows = 0, checkColumns = 0, spareColumns = 0 } = geometry;
    const data = dataGeometry(geometry);
    const counts = { data: 0, check: 0, 'spare-column': 0, 'spare-row': 0 };
    let next = 0;
    for (let cell = 0; cell < cellCount(geometry); cell += 1) {
      const { row, column } = cellAt(geometry, cell);
      const region = regionOf(geometry, cell);
      counts[region] += 1;
      const isData = row < data.rows && column < data.columns;
      expect(region === 'data').toBe(isData);
      expect(dataIndexOfCell(geometry, cell)).toBe(isData ? next : undefined);
      if (!isData) continue;
      expect(cellOfDataIndex(geometry, next)).toBe(cell);
      next += 1;
    }
    expect(counts).toEqual({
      data: dataCellCount(geometry),
      check: geometry.banks * data.rows * checkColumns,
      'spare-column': geometry.banks * data.rows * spareColumns,
      'spare-row': geometry.banks * spareRows * geometry.columns,
    });
  });
});

describe('a map of any model', () => {
  test.prop([faultModels(), extendedGeometries(), seeds, rates, rates])(
    'holds distinct cells in order, and every fault of a lower rate',
    (model, geometry, { seed, trial }, a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)].map((rate) =>
        faultMapOf(model, geometry, seed, trial, rate),
      );
      high.cells.forEach((cell, fault) => {
        expect(cell).toBeGreaterThan(fault === 0 ? -1 : high.cells[fault - 1]);
        expect(cell).toBeLessThan(cellCount(geometry));
      });
      const faults = faultsByCell(high);
      for (const [cell, kind] of faultsByCell(low)) expect(faults.get(cell)).toBe(kind);
      expect(high.provenance).toEqual({
        source: 'generated',
        model,
        seed,
        trial,
        rate: Math.max(a, b),
      });
    },
  );

  test.prop([faultModels(), extendedGeometries(), seeds, rates])(
    'has the data faults of the memory without spare and check cells',
    (model, geometry, { seed, trial }, rate) => {
      const map = faultMapOf(model, geometry, seed, trial, rate);
      const bare = faultMapOf(model, dataGeometry(geometry), seed, trial, rate);
      expect(dataFaults(map)).toEqual(dataFaults(bare));
    },
  );

  test.prop([extendedGeometries(), uniformFaults(), seeds, rates])(
    'is the uniform map where that is the model',
    (geometry, faults, { seed, trial }, rate) => {
      const model = parseFaultModel({ model: 'uniform', faults }, 'test');
      expect(faultMapOf(model, geometry, seed, trial, rate)).toEqual(
        uniformFaultMap({ geometry, faults, seed, trial, rate }),
      );
    },
  );

  test.each([
    { model: 'rows', faults: 'stuck-at' },
    { model: 'columns', faults: 'stuck-at' },
    { model: 'clusters', clustering: 0.5, clusterSize: 4, faults: 'stuck-at' },
  ] as const)('keeps the values of its seed: %j', (model) => {
    const geometry = { banks: 4, rows: 66, columns: 80, spareRows: 2, checkColumns: 16 };
    const map = mapOf(model, geometry, 0.01, 7);
    const text = `${map.cells.length} ${sha256Hex(`${map.cells} ${map.kinds}`).slice(0, 16)}`;
    expect(text).toMatchSnapshot();
  });
});

describe('whole lines', () => {
  const lines = fc.constantFrom('rows', 'columns', 'banks');

  test.prop([lines, extendedGeometries(), seeds, rates])(
    'fail with all their cells, of one kind',
    (model, geometry, { seed, trial }, rate) => {
      const parsed = parseFaultModel({ model, faults: 'stuck-at' }, 'test');
      const map = faultMapOf(parsed, geometry, seed, trial, rate);
      const cells = { banks: geometry.rows * geometry.columns, rows: geometry.columns };
      const size = model === 'columns' ? geometry.rows : cells[model as 'banks' | 'rows'];
      const kinds = new Map<string, Set<number>>();
      const counts = new Map<string, number>();
      map.cells.forEach((cell, fault) => {
        const { bank, row, column } = cellAt(geometry, cell);
        const line = { banks: 0, rows: row, columns: column }[model as 'banks'];
        const name = `${bank}:${line}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
        kinds.set(name, (kinds.get(name) ?? new Set()).add(map.kinds[fault]));
      });
      expect([...counts.values()].every((count) => count === size)).toBe(true);
      expect([...kinds.values()].every((set) => set.size === 1)).toBe(true);
    },
  );

  test.prop([lines, cellGeometries(), seeds, rates])(
    'are floor(rate · lines) or one more',
    (model, geometry, { seed, trial }, rate) => {
      const map = faultMapOf(parseFaultModel({ model }, 'test'), geometry, seed, trial, rate);
      const perLine = cellCount(geometry) / linesOf(model, geometry);
      const failed = map.cells.length / perLine;
      expect(failed).toBeGreaterThanOrEqual(Math.floor(rate * linesOf(model, geometry)));
      expect(failed).toBeLessThanOrEqual(Math.ceil(rate * linesOf(model, geometry)));
    },
  );

  function linesOf(model: string, { banks, rows, columns }: CellGeometry): number {
    if (model === 'banks') return banks;
    return banks * (model === 'rows' ? rows : columns);
  }
});

describe('clusters', () => {
  // 20,000 regions of 1,024 cells with 2.56 faults in the mean: no count comes near the cells.
  const geometry = { banks: 20_000, rows: 32, columns: 32 };
  const regions = geometry.banks;
  const rate = 0.0025;
  const mean = rate * 1024;

  function countsOf(map: FaultMap): Uint32Array {
    const counts = new Uint32Array(regions);
    for (const cell of map.cells) counts[Math.floor(cell / 1024)] += 1;
    return counts;
  }

  /** The negative binomial's probabilities of 0, 1, 2, … from its recurrence. */
  function probabilities(alpha: number, length: number): number[] {
    const list = [(1 + mean / alpha) ** -alpha];
    for (let k = 1; k < length; k += 1) {
      list.push((list[k - 1] * ((k - 1 + alpha) * mean)) / (k * (mean + alpha)));
    }
    return list;
  }

  test.each([0.1, 0.7, 3])('have negative-binomial counts, α = %d', (alpha) => {
    const counts = countsOf(mapOf({ model: 'clusters', clustering: alpha }, geometry, rate));
    const expected = probabilities(alpha, 9);
    const rest = 1 - expected.reduce((sum, p) => sum + p, 0);
    const bins = [...expected, rest].map((p, k) => {
      const observed = counts.filter((count) => (k < 9 ? count === k : count >= 9)).length;
      return (observed - p * regions) ** 2 / (p * regions);
    });
    // Chi-square with 9 degrees of freedom exceeds 50 with probability 1.1e-7.
    expect(bins.reduce((sum, bin) => sum + bin, 0)).toBeLessThan(50);
    // The mean of n counts has the variance (mean + mean²/α)/n; six deviations are allowed.
    const variance = mean + mean ** 2 / alpha;
    const average = counts.reduce((sum, count) => sum + count, 0) / regions;
    expect(Math.abs(average - mean)).toBeLessThan(6 * Math.sqrt(variance / regions));
    const second = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / regions;
    // The fourth moment makes the sample variance uncertain by about sqrt(κ/n), κ = 3 + 6/α + ….
    expect(Math.abs(second / variance - 1)).toBeLessThan(
      6 * Math.sqrt((3 + 6.5 / alpha) / regions),
    );
  });

  test('without satellites lie anywhere in their region', () => {
    const map = mapOf({ model: 'clusters', clustering: 1 }, geometry, rate);
    const hits = new Uint32Array(64);
    for (const cell of map.cells) {
      const { row, column } = cellAt(geometry, cell);
      hits[8 * Math.floor(row / 4) + Math.floor(column / 4)] += 1;
    }
    const expected = map.cells.length / 64;
    const chiSquare = hits.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // Chi-square with 63 degrees of freedom exceeds 135 with probability 3e-7.
    expect(chiSquare).toBeLessThan(135);
  });

  test('have geometric sizes around their centres', () => {
    // About 2,000 faults on 10^10 cells: two clusters hardly ever meet.
    const large = { banks: 1, rows: 100_000, columns: 100_000 };
    const model = { model: 'clusters', clustering: 1e6, clusterSize: 4, spread: 2 } as const;
    const map = mapOf(model, large, 2e-7);
    const places = Array.from(map.cells, (cell) => cellAt(large, cell));
    const isNear = (a: (typeof places)[number], b: typeof a) =>
      Math.abs(a.row - b.row) <= 24 && Math.abs(a.column - b.column) <= 24;
    const alone = places.filter((a) => places.filter((b) => isNear(a, b)).length === 1).length;
    // A cluster has one fault with probability 1/4 and 4 in the mean: 1/16 of the faults are alone.
    const clusters = places.length / 4;
    expect(Math.abs(alone / clusters - 1 / 4)).toBeLessThan(6 * Math.sqrt(3 / 16 / clusters));
  });

  test.prop([seeds, fc.double({ min: 0.05, max: 5, noNaN: true })])(
    'fill a memory at most',
    ({ seed, trial }, clustering) => {
      const small = { banks: 2, rows: 3, columns: 5 };
      const model = parseFaultModel({ model: 'clusters', clustering, clusterSize: 9 }, 'test');
      const { cells } = faultMapOf(model, small, seed, trial, 1);
      expect(new Set(cells).size).toBe(cells.length);
      expect(cells.length).toBeLessThanOrEqual(30);
    },
  );
});

describe('polarity', () => {
  const geometry = { banks: 1, rows: 200, columns: 500 };

  test.each([0, 0.2, 0.73, 1])('a share of %d of the faults is stuck at 1', (stuckAt1Share) => {
    const map = mapOf({ model: 'uniform', faults: 'stuck-at', stuckAt1Share }, geometry, 1);
    const ones = map.kinds.filter((kind) => FAULT_KINDS[kind] === 'stuck-at-1').length;
    const deviation = Math.sqrt((stuckAt1Share * (1 - stuckAt1Share)) / 100_000);
    expect(Math.abs(ones / 100_000 - stuckAt1Share)).toBeLessThanOrEqual(6 * deviation);
  });
});

describe('a scope', () => {
  test.prop([
    extendedGeometries().filter((geometry) => dataGeometry(geometry).columns >= 8),
    seeds,
    rates,
    fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 8 }),
  ])(
    'restricts faults to banks and bits, and the rate to them',
    (any, { seed, trial }, rate, positions) => {
      // Two interleaved words of two weights.
      const geometry = { ...any, columns: any.columns - dataGeometry(any).columns + 32 };
      const scope = { banks: [0], bits: { positions, weightBits: 8, columnMux: 2 } } as const;
      const model = parseFaultModel({ model: 'uniform', scope }, 'test');
      const map = faultMapOf(model, geometry, seed, trial, rate);
      for (const cell of map.cells) {
        const { bank, column } = cellAt(geometry, cell);
        expect(regionOf(geometry, cell)).toBe('data');
        expect(bank).toBe(0);
        expect(positions).toContain(Math.floor(column / 2) % 8);
      }
      const scoped = dataGeometry(geometry).rows * 4 * positions.length;
      expect(map.cells.length).toBeGreaterThanOrEqual(Math.floor(rate * scoped));
      expect(map.cells.length).toBeLessThanOrEqual(Math.ceil(rate * scoped));
    },
  );

  test.prop([faultModels(), extendedGeometries(), seeds, rates])(
    'or a selection leaves no other fault, and nests',
    (model, geometry, { seed, trial }, rate) => {
      const isOdd = (index: number) => index % 2 === 1;
      const odd = selectCells(geometry, 'odd cells', isOdd);
      const map = faultMapOf(model, geometry, seed, trial, rate, odd);
      expect(dataFaults(map).every(([index]) => isOdd(index ?? 0))).toBe(true);
      expect(dataFaults(map).length).toBe(map.cells.length);
      expect(map.provenance).toMatchObject({ selection: 'odd cells' });
      const all = faultsByCell(faultMapOf(model, geometry, seed, trial, 1, odd));
      for (const [cell, kind] of faultsByCell(map)) expect(all.get(cell)).toBe(kind);
    },
  );

  test('of a bank or bit that is not there', () => {
    const geometry = { banks: 2, rows: 4, columns: 16 };
    expect(() => mapOf({ model: 'uniform', scope: { banks: [2] } }, geometry, 0.1)).toThrow(
      new InputError('The scope names bank 2, but the memory has the banks 0 to 1.'),
    );
    const refusedAt = (columnMux: number, columns: number) => {
      const bits = { positions: [31], weightBits: 32, columnMux } as const;
      const memory = { ...geometry, columns };
      return expect(() => mapOf({ model: 'uniform', scope: { bits } }, memory, 0.1));
    };
    const weights = 'The scope has weights of 32 bits and column mux';
    refusedAt(1, 16).toThrow(
      `${weights} 1, but rows have 16 data columns: a weight takes 2 words of 16 bits in several rows`,
    );
    refusedAt(1, 24).toThrow('words of 24 bits, which hold no whole weight and do not divide one.');
    refusedAt(4, 18).toThrow('18 data columns, which is no multiple of 4.');
  });
});

describe('intermittent faults', () => {
  const images = fc.nat({ max: 2 ** 24 - 1 });
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  test.prop([extendedGeometries(), seeds, images, share, share])(
    'are some of the map, more of them at a greater probability',
    (geometry, { seed, trial }, image, a, b) => {
      const map = uniformFaultMap({ geometry, faults: 'stuck-at', seed, trial, rate: 0.8 });
      const all = faultsByCell(map);
      const [few, many] = [Math.min(a, b), Math.max(a, b)].map((probability) =>
        faultsByCell(activeFaults(map, probability, seed, trial, image)),
      );
      for (const [cell, kind] of many) expect(all.get(cell)).toBe(kind);
      for (const [cell, kind] of few) expect(many.get(cell)).toBe(kind);
      expect(activeFaults(map, 1, seed, trial, image)).toEqual(map);
      expect(activeFaults(map, 0, seed, trial, image).cells.length).toBe(0);
    },
  );

  test.prop([extendedGeometries(), seeds, images, share])(
    'do not depend on other faults, nor on spare and check cells',
    (geometry, { seed, trial }, image, probability) => {
      const mapAt = (memory: CellGeometry, rate: number) =>
        uniformFaultMap({ geometry: memory, faults: 'flip', seed, trial, rate });
      const active = (map: FaultMap) => activeFaults(map, probability, seed, trial, image);
      const some = mapAt(geometry, 0.4);
      const isFaulty = new Set(some.cells);
      const ofAll = active(mapAt(geometry, 1)).cells.filter((cell) => isFaulty.has(cell));
      expect(active(some).cells).toEqual(ofAll);
      expect(dataFaults(active(some))).toEqual(
        dataFaults(active(mapAt(dataGeometry(geometry), 0.4))),
      );
    },
  );

  test('are active with their probability, independently from image to image', () => {
    const geometry = { banks: 1, rows: 100, columns: 500 };
    const map = uniformFaultMap({ geometry, faults: 'flip', seed: 5, trial: 0, rate: 1 });
    const [first, second] = [0, 1].map((image) => activeFaults(map, 0.3, 5, 0, image).cells);
    const inFirst = new Set(first);
    const both = second.filter((cell) => inFirst.has(cell)).length;
    // Binomial shares of 50,000 draws, six standard deviations.
    const tolerance = (p: number) => 6 * Math.sqrt((p * (1 - p)) / 50_000);
    expect(Math.abs(first.length / 50_000 - 0.3)).toBeLessThan(tolerance(0.3));
    expect(Math.abs(both / 50_000 - 0.09)).toBeLessThan(tolerance(0.09));
    const digest = sha256Hex(`${first}`).slice(0, 16);
    expect(digest).toMatchSnapshot();
  });

  test('with a probability that is none', () => {
    const geometry = { banks: 1, rows: 1, columns: 8 };
    const map = uniformFaultMap({ geometry, faults: 'flip', seed: 5, trial: 0, rate: 1 });
    expect(() => activeFaults(map, 1.5, 5, 0, 0)).toThrow(
      new InputError(
        'The probability that a fault is active is 1.5, but must be a number from 0 to 1.',
      ),
    );
    expect(() => activeFaults(map, 0.5, 5, 0, 2 ** 24)).toThrow(
      new InputError(
        'Random streams exist for 16777216 regions or images, and number 16777216 was asked for; use larger regions.',
      ),
    );
  });
});

describe('a model file', () => {
  test('has defaults', () => {
    expect(parseFaultModelText('model: clusters\nclustering: 2\n', 'm.yaml')).toEqual({
      model: 'clusters',
      clustering: 2,
      region: 'bank',
      clusterSize: 1,
      spread: 1,
      faults: 'flip',
    });
  });

  test.each([
    ['', 'm.yaml:1:1: expected a fault model, a mapping with the field "model".'],
    [
      'faults: flip',
      'm.yaml:1:1: model is missing; expected one of uniform, rows, columns, banks, clusters, weak-lines, voltage.',
    ],
    [
      'model: rust',
      'm.yaml:1:8: model is "rust"; expected one of uniform, rows, columns, banks, clusters, weak-lines, voltage.',
    ],
    [
      'model: uniform\nfault: flip',
      'm.yaml:2:8: fault is an unknown field (did you mean "faults"?); remove it.',
    ],
    [
      'model: uniform\nfaults: bridge',
      'm.yaml:2:9: faults is "bridge"; expected one of stuck-at-0, stuck-at-1, flip, stuck-at.',
    ],
    [
      'model: clusters\nclustering: -1',
      'm.yaml:2:13: clustering is -1; expected a number above 0.',
    ],
    ['model: clusters', 'm.yaml:1:1: clustering is missing; expected a number above 0.'],
    [
      'model: uniform\nstuckAt1Share: 0.5',
      'm.yaml:2:16: stuckAt1Share is given, but faults is "flip"; it needs "stuck-at".',
    ],
    [
      'model: uniform\nscope:\n  bits: {positions: [1, 8], weightBits: 8, columnMux: 4}',
      'm.yaml:3:25: scope.bits.positions.1 is 8; expected a bit from 0 to 7.',
    ],
    [
      'model: voltage\ntable:\n  - {voltage: 0.5, rate: 1e-3}\n  - {voltage: 0.6, rate: 1e-4}',
      'm.yaml:3:3: table is [{"voltage":0.5,"rate":0.001},{"voltage":0.6,"rate":0.0001}]; expected voltages that fall from point to point, and rates that never do.',
    ],
  ])('%j', (text, message) => {
    expect(() => parseFaultModelText(text, 'm.yaml')).toThrow(new InputError(message));
  });

  test('that is no YAML', () => {
    expect(() => parseFaultModelText('model: [', 'm.yaml')).toThrow(/^m\.yaml:1:\d+: ./);
  });

  test.prop([fc.string({ unit: fc.constantFrom(...'mode:l unifr\n-{}[]&*"0x') })])(
    'of any text is a model or an error with a place',
    (text) => {
      expect(() => parseFaultModelText(`model:${text}`, 'm.yaml')).toThrow(/^m\.yaml:\d+:\d+: ./);
    },
  );
});
