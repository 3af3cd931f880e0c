import { expect, test } from 'vitest';
import { gatesOf } from '../../../mitigation/index.js';
import { codeNamed, readCases } from './cases.js';

const prices = readCases('prices');

test('there is a known price for every width', () => {
  expect(prices).toHaveLength(17);
});

test.each(prices)('the gates of $code are the known ones', (row) => {
  const code = codeNamed(row.code);
  expect([code.columns.length, code.dataBits]).toEqual([Number(row.n), Number(row.k)]);
  expect((100 * code.checkBits) / code.dataBits).toBeCloseTo(Number(row.cells_percent), 1);
  expect(gatesOf(code)).toEqual({
    encoder: Number(row.encoder_xor2),
    syndrome: Number(row.syndrome_xor2),
    corrector: Number(row.corrector_xor2),
    levels: Number(row.syndrome_levels),
  });
});
