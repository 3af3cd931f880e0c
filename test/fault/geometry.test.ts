import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import {
  cellAt,
  cellCount,
  cellIndex,
  checkGeometry,
  requireGeometry,
  uniformFaultMap,
} from '../../fault/index.js';
import { cellGeometries } from '../../testing/index.js';

const geometry = { banks: 2, rows: 3, columns: 4 };

describe('cells and their indices', () => {
  test.prop([cellGeometries()])('count up through columns, rows and banks', (geometry) => {
    let index = 0;
    for (let bank = 0; bank < geometry.banks; bank += 1) {
      for (let row = 0; row < geometry.rows; row += 1) {
        for (let column = 0; column < geometry.columns; column += 1) {
          expect(cellIndex(geometry, { bank, row, column })).toBe(index);
          expect(cellAt(geometry, index)).toEqual({ bank, row, column });
          index += 1;
        }
      }
    }
    expect(index).toBe(cellCount(geometry));
  });

  test.prop([fc.nat({ max: 2 ** 31 }), fc.nat({ max: 2 ** 10 - 1 }), fc.nat({ max: 2 ** 11 - 1 })])(
    'are exact far beyond 32 bits',
    (bank, row, column) => {
      const large = { banks: 2 ** 32 - 1, rows: 2 ** 10, columns: 2 ** 11 };
      const cell = { bank, row, column };
      expect(cellAt(large, cellIndex(large, cell))).toEqual(cell);
    },
  );
});

describe('checkGeometry', () => {
  test.each([
    { banks: 0, rows: 1, columns: 1 },
    { banks: 1, rows: 1.5, columns: 1 },
    { banks: 1, rows: 1, columns: Number.NaN },
    { banks: 2 ** 20, rows: 2 ** 20, columns: 2 ** 20 },
  ])('refuses $banks × $rows × $columns', (bad) => {
    expect(() => checkGeometry(bad, 'memory.json')).toThrow(
      new InputError(
        `memory.json has ${bad.banks} banks × ${bad.rows} rows × ${bad.columns} columns; each must be a positive whole number, and their product below 2^53.`,
      ),
    );
  });
});

describe('requireGeometry', () => {
  const map = uniformFaultMap({ geometry, rate: 0.5, faults: 'flip', seed: 1, trial: 0 });

  test('accepts an equal geometry', () => {
    expect(() => requireGeometry(map, { ...geometry }, 'map.json')).not.toThrow();
  });

  test.each(['banks', 'rows', 'columns'] as const)('states both when the %s differ', (field) => {
    const other = { ...geometry, [field]: 9 };
    expect(() => requireGeometry(map, other, 'map.json')).toThrow(
      new InputError(
        `map.json is for a memory of 2 banks × 3 rows × 4 columns, but this memory has ${other.banks} banks × ${other.rows} rows × ${other.columns} columns; use a map that was made for it.`,
      ),
    );
  });
});
