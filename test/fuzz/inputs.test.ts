import { expect, test } from 'vitest';
import { inputReaders } from './input-readers.js';
import { tryInput, type Verdict } from './try-input.js';

/** A small share of what `npm run fuzz` tries. */
const INPUTS = 2000;

test('every changed file is read, or refused with one sentence', () => {
  const readers = inputReaders();
  const counts = { read: 0, refused: 0 };
  const findings: Exclude<Verdict, string>[] = [];
  for (let index = 0; index < INPUTS; index += 1) {
    const verdict = tryInput(readers, 1, index);
    if (typeof verdict === 'string') counts[verdict] += 1;
    else findings.push(verdict);
  }
  expect(findings.map(({ index, reader, problem }) => ({ index, reader, problem }))).toEqual([]);
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(INPUTS / 20);
});

test('an error that nobody raised on purpose is a finding', () => {
  const readers = Object.fromEntries(
    Object.entries(inputReaders()).map(([name, reader]) => [
      name,
      {
        ...reader,
        read() {
          throw new RangeError('Maximum call stack size exceeded');
        },
      },
    ]),
  );
  expect(tryInput(readers, 1, 0)).toMatchObject({
    index: 0,
    problem: expect.stringContaining('stack'),
  });
});
