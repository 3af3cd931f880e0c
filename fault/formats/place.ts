import { excerpt, InputError, requireMemory } from '../../core/index.js';

/** A text of more faults would be longer than a string can be. */
const MOST_FAULTS_IN_TEXT = 15_000_000;

/** The line of a fault, and its part of the whole text. */
const BYTES_PER_LINE = 120;

/**
 * Checks that a map can be written as one text.
 *
 * @throws InputError when it has too many faults
 */
export function requireRoomForText(faults: number, format: string): void {
  const what = `${format} of ${faults} faults`;
  if (faults > MOST_FAULTS_IN_TEXT) {
    throw new InputError(`${what}: at most ${MOST_FAULTS_IN_TEXT} can be written; use .bfm.`);
  }
  requireMemory(faults * BYTES_PER_LINE, what);
}

/**
 * An error at a place of a text file.
 *
 * @param line From 1.
 * @param column From 1.
 */
export function errorAt(file: string, line: number, column: number, problem: string): InputError {
  return new InputError(`${file}:${line}:${column}: ${problem}.`);
}

/** An error about a value: what was found, and what was expected in its place. */
export function unexpected(
  file: string,
  line: number,
  column: number,
  found: string,
  expected: string,
): InputError {
  const value = found === '' ? 'nothing' : `"${excerpt(found)}"`;
  return errorAt(file, line, column, `found ${value}; expected ${expected}`);
}
