import { test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  cellAt,
  cellCount,
  FAULT_KINDS,
  type FaultMap,
  faultMapOf,
  parseFaultMap,
  parseFaultModel,
  summarizeFaultMap,
  WORST_LINES,
} from '../../fault/index.js';
import { faultMaps } from '../../testing/index.js';

/** Faults per key, counted one by one. */
function countBy<Key>(
  map: FaultMap,
  keyOf: (cell: number, fault: number) => Key,
): Map<Key, number> {
  const counts = new Map<Key, number>();
  map.cells.forEach((cell, fault) => {
    const key = keyOf(cell, fault);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  return counts;
}

describe('the summary of a fault map', () => {
  test.prop([faultMaps()])('agrees with counting', (map) => {
    const summary = summarizeFaultMap(map);
    expect(summary.geometry).toEqual(map.geometry);
    expect(summary.cells).toBe(cellCount(map.geometry));
    expect(summary.faults).toBe(map.cells.length);
    expect(summary.rate * summary.cells).toBeCloseTo(summary.faults);
    const kinds = countBy(map, (_, fault) => FAULT_KINDS[map.kinds[fault]]);
    for (const kind of FAULT_KINDS) expect(summary.kinds[kind]).toBe(kinds.get(kind) ?? 0);

    const cell = (index: number) => cellAt(map.geometry, index);
    const lines = [
      { found: summary.banks, counts: countBy(map, (index) => JSON.stringify([cell(index).bank])) },
      {
        found: summary.rows,
        counts: countBy(map, (index) => JSON.stringify([cell(index).bank, cell(index).row])),
      },
      {
        found: summary.columns,
        counts: countBy(map, (index) => JSON.stringify([cell(index).bank, cell(index).column])),
      },
    ];
    for (const { found, counts } of lines) {
      expect(found.faulty).toBe(counts.size);
      if (found.dispersion !== undefined) {
        // The index is the ratio with the variance of uniform faults, which is smaller by (T − N)/(T − 1).
        const left = (summary.cells - summary.faults) / (summary.cells - 1);
        expect(found.varianceToMean).toBeCloseTo(found.dispersion.index * left, 9);
      }
      const largest = [...counts.values()].sort((a, b) => b - a).slice(0, WORST_LINES);
      expect(found.worst.map(({ faults }) => faults)).toEqual(largest);
      const names = found.worst.map(({ faults, ...line }) => {
        const name = JSON.stringify(Object.values(line));
        expect(counts.get(name)).toBe(faults);
        return name;
      });
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test.prop([faultMaps()])('counts partners and parities as one by one', (map) => {
    const { pairs, rowParity } = summarizeFaultMap(map);
    const cells = Array.from(map.cells, (index) => cellAt(map.geometry, index));
    const partners = (distance: number) =>
      cells.filter((a) =>
        cells.some(
          (b) => a.bank === b.bank && a.row === b.row && Math.abs(a.column - b.column) === distance,
        ),
      ).length;
    const shares = Array.from({ length: map.geometry.columns - 1 }, (_, index) => ({
      distance: index + 1,
      faults: partners(index + 1),
    }));
    const most = shares
      .filter(({ faults }) => faults > 0)
      .sort((a, b) => b.faults - a.faults || a.distance - b.distance);
    expect(pairs.map(({ distance, faults }) => ({ distance, faults }))).toEqual(most.slice(0, 5));

    const byColumn = countBy(map, (index) => {
      const { bank, column } = cellAt(map.geometry, index);
      return `${bank}:${column}`;
    });
    const columns = [...byColumn.keys()].filter((name) => (byColumn.get(name) ?? 0) >= 3);
    const same = columns.map((name) => {
      const faults = cells.filter(({ bank, column }) => `${bank}:${column}` === name);
      const even = faults.filter(({ row }) => row % 2 === 0).length;
      return Math.max(even, faults.length - even);
    });
    expect(rowParity?.columns ?? 0).toBe(columns.length);
    const sum = same.reduce((all, count) => all + count, 0);
    expect((rowParity?.share ?? 0) * (rowParity?.faults ?? 0)).toBeCloseTo(sum, 9);
  });

  test('says what chance gives: means of uniform maps', () => {
    const geometry = { banks: 2, rows: 8, columns: 6 };
    const model = parseFaultModel({ model: 'uniform' }, 'test');
    const maps = Array.from({ length: 3000 }, (_, trial) =>
      faultMapOf(model, geometry, 3, trial, 0.25),
    );
    const found = maps.map((map) => summarizeFaultMap(map).pairs);
    for (const distance of [1, 2]) {
      const shares = found.map((pairs) => pairs.find((pair) => pair.distance === distance));
      const expected = shares.find((pair) => pair !== undefined)?.byChance ?? 0;
      // Listed wherever it occurs: 24 faults have at most five distances.
      const mean = shares.reduce((sum, pair) => sum + (pair?.share ?? 0), 0) / maps.length;
      expect(Math.abs(mean - expected)).toBeLessThan(6 * (0.5 / Math.sqrt(maps.length)));
    }
  });

  test('names the first of equally bad lines', () => {
    const file = {
      format: 'bitcell-fault-map',
      version: 1,
      geometry: { banks: 3, rows: 2, columns: 4 },
      faults: [
        [1, 0, 3, 'flip'],
        [1, 1, 2, 'flip'],
        [2, 0, 3, 'stuck-at-1'],
        [2, 1, 3, 'flip'],
      ],
    };
    const map = parseFaultMap(JSON.stringify(file), 'map.json');
    const { banks, rows, columns, ...totals } = summarizeFaultMap(map);
    expect(totals).toEqual({
      geometry: file.geometry,
      cells: 24,
      faults: 4,
      rate: 1 / 6,
      kinds: { 'stuck-at-0': 0, 'stuck-at-1': 1, flip: 3 },
      regions: { data: 4, check: 0, 'spare-column': 0, 'spare-row': 0 },
      pairs: [],
      rowParity: undefined,
    });
    expect(banks.worst).toEqual([
      { bank: 1, faults: 2 },
      { bank: 2, faults: 2 },
    ]);
    expect(rows.worst[0]).toEqual({ bank: 1, row: 0, faults: 1 });
    expect(columns.worst).toEqual([
      { bank: 2, column: 3, faults: 2 },
      { bank: 1, column: 2, faults: 1 },
      { bank: 1, column: 3, faults: 1 },
    ]);
  });
});
