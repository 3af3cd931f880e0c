import { test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  cellAt,
  cellCount,
  FAULT_KINDS,
  type FaultMap,
  parseFaultMap,
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
