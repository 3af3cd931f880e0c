import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { transpose } from '../../models/index.js';

/** Below, at and above the sides of the squares in which values are moved. */
const size = fc.integer({ min: 1, max: 100 });

test.prop([size, size])(
  'each value of a transpose is that of its row and column',
  (rows, columns) => {
    const values = Int32Array.from({ length: rows * columns }, (_, index) => index);
    const expected = Array.from({ length: columns }, (_, column) =>
      Array.from({ length: rows }, (_, row) => row * columns + column),
    );
    expect([...transpose(values, rows)]).toEqual(expected.flat());
  },
);
