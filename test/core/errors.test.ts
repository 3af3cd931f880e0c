import { constants } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import {
  BitcellError,
  errorOf,
  fileError,
  InputError,
  isOutOfMemory,
  MismatchError,
  ModelError,
  postedError,
} from '../../core/index.js';

/** What an error is on the other side of a thread. */
function posted(error: unknown): Error {
  return errorOf(structuredClone(postedError(error)));
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('an error that is posted to another thread', () => {
  test.each([
    new InputError('a'),
    new ModelError('b'),
    new MismatchError('c'),
    new BitcellError('d', 4),
  ])('keeps its class, message and exit status: %s', (error) => {
    const found = posted(error);
    expect(found).toBeInstanceOf(error.constructor);
    expect({ ...found, message: found.message }).toEqual({ ...error, message: error.message });
  });

  test('keeps its stack when it is a fault of Bitcell', () => {
    const error = new TypeError('x is not a function');
    const { message, stack } = posted(error);
    expect({ message, stack }).toEqual({
      message: 'TypeError: x is not a function',
      stack: error.stack,
    });
  });

  test('is one sentence when memory ran out', () => {
    const found = posted(thrownBy(() => new ArrayBuffer(2 ** 53 - 1)));
    expect(found).toBeInstanceOf(BitcellError);
    expect(found.message).toMatch(/^A worker thread needs more memory than there is \(/);
  });
});

test.each([
  () => new ArrayBuffer(2 ** 53 - 1),
  () => new Float32Array(1e12),
  () => 'x'.repeat(constants.MAX_STRING_LENGTH + 1),
])('%s takes more memory than there is', (work) => {
  expect(isOutOfMemory(thrownBy(work))).toBe(true);
});

test('other errors are none of memory', () => {
  expect(isOutOfMemory(thrownBy(() => new Float32Array(-1)))).toBe(false);
  expect(isOutOfMemory(new Error('allocation failed'))).toBe(false);
});

test.each([
  ['ENOSPC', 1],
  ['EDQUOT', 1],
  ['EIO', 1],
  ['EMFILE', 1],
  ['ENOENT', 2],
  ['EACCES', 2],
  ['EROFS', 2],
])('a file that the system refuses with %s is exit status %i', (code, status) => {
  const error = Object.assign(new Error('system'), { code });
  expect(fileError('message', error)).toMatchObject({ message: 'message', exitStatus: status });
});
