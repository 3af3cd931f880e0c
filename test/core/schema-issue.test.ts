import { expect, test } from 'vitest';
import { z } from 'zod';
import { firstIssue, foundAndExpected, valueAndProblem, valueAt } from '../../core/index.js';

const schema = z.strictObject({
  rates: z.array(z.number({ error: 'a number' })),
  places: z.strictObject({ kind: z.string() }).optional(),
});

function issueOf(value: unknown) {
  const result = schema.safeParse(value);
  if (result.success) throw new Error('the value is right');
  return firstIssue(result.error, value);
}

test('a wrong value is named with its path', () => {
  const issue = issueOf({ rates: [1, 'x'] });
  expect(issue).toEqual({ path: ['rates', 1], field: 'rates.1', value: 'x', message: 'a number' });
  expect(valueAndProblem(issue)).toBe('rates.1 = "x": a number');
  expect(foundAndExpected(issue)).toBe('is "x"; expected a number');
});

test('a missing value is said to be missing', () => {
  const issue = issueOf({ rates: [], places: {} });
  expect(issue).toMatchObject({ field: 'places.kind', value: undefined });
  expect(foundAndExpected(issue)).toMatch(/^is missing; expected /);
});

test('an unknown key is the end of the path', () => {
  const issue = issueOf({ rates: [], places: { kind: 'a', size: 3 } });
  expect(issue).toMatchObject({ path: ['places', 'size'], value: 3, unknownKey: 'size' });
});

test('a wrong value as a whole has no field', () => {
  const issue = issueOf('x');
  expect(issue).toMatchObject({ path: [], field: '', value: 'x' });
  expect(valueAndProblem(issue)).toMatch(/^options = "x": /);
});

test('a path through what is no object leads to nothing', () => {
  expect(valueAt({ a: [{ b: 0 }] }, ['a', 0, 'b'])).toBe(0);
  expect(valueAt({ a: null }, ['a', 'b'])).toBeUndefined();
  expect(valueAt('text', ['length'])).toBeUndefined();
});
