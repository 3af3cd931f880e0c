import { expect, test } from 'vitest';
import { fuzzStores } from './stores.js';

/** So many damaged stores are opened; `npm run fuzz` opens many more. */
const CASES = Number(process.env.BITCELL_TEST_DAMAGED_STORES ?? 24);
const SEED = 11;

test('a damaged store gives what was saved, or an error that names it', async () => {
  const { read, refused, failure } = await fuzzStores({ cases: CASES, seed: SEED });
  expect(failure).toBeUndefined();
  expect(read + refused).toBe(CASES);
  expect(read).toBeGreaterThan(CASES / 10);
  expect(refused).toBeGreaterThan(CASES / 4);
}, 36_000_000);
