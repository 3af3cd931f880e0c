import { InputError } from './errors.js';
import { excerpt } from './excerpt.js';
import { JsonProblem, scanJson } from './json-scanner.js';

/** A place in a text, both from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * Parse JSON of a file of Bitcell: each key of an object once, none of them `__proto__`, at most 100 lists and
 * objects inside one another.
 *
 * @param file where the text comes from, named in errors
 * @throws InputError naming file, line and column
 */
export function parseJson(text: string, file: string): unknown {
  try {
    scanJson(text);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const { line, column } = placeOfOffset(text, error.offset);
    const problem =
      error.problem ?? `found ${foundAt(text, error.offset)}, which is not valid JSON there`;
    throw new InputError(`${file}:${line}:${column}: ${problem}.`);
  }
  return JSON.parse(text);
}

/** Where the value at a path begins in a JSON text, or else the nearest value around it. */
export function placeInJson(text: string, wanted: readonly PropertyKey[]): TextPlace {
  let best = { length: -1, offset: 0 };
  scanJson(text, (path, offset) => {
    const isAround = path.length <= wanted.length && path.every((key, i) => key === wanted[i]);
    if (isAround && path.length >= best.length) best = { length: path.length, offset };
  });
  return placeOfOffset(text, best.offset);
}

/** Line and column of an offset. */
function placeOfOffset(text: string, offset: number): TextPlace {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1))
    line += 1;
  return { line, column: offset - (offset === 0 ? 0 : lineStart) + 1 };
}

/** What stands at an offset, to the end of its line, as a message quotes it. */
function foundAt(text: string, offset: number): string {
  const newline = text.indexOf('\n', offset);
  const rest = text.slice(offset, newline < 0 ? text.length : newline).trimEnd();
  if (rest !== '') return `"${excerpt(rest)}"`;
  return newline < 0 ? 'the end' : 'the end of the line';
}
