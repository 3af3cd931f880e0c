import { describe, expect, test } from 'vitest';
import { csvCell, formatCsv } from '../../cli/print/csv.js';

describe('csvCell', () => {
  test.each([
    [null, ''],
    [-1.5, '-1.5'],
    [true, 'true'],
    ['-1.5e-3', '-1.5e-3'],
    ['conv1', 'conv1'],
    ['a,"b"\n', '"a,""b""\n"'],
  ])('writes %j as %s', (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });

  test.each(['=1+1', '+SUM(A1)', '-1+1', '@A1', '\t=1', '\r=1', '=HYPERLINK("x","y")'])(
    'lets no spreadsheet run %j',
    (text) => {
      expect(csvCell(text)).toMatch(/^"?'/);
      expect(formatCsv({ columns: ['name'], rows: [[text]] })).toBe(`name\n${csvCell(text)}\n`);
    },
  );
});
