import type { z } from 'zod';
import { excerpt, shownValue } from './excerpt.js';

/** What is wrong with a value, as messages tell it. */
export interface SchemaIssue {
  /** Keys and positions that lead to it; the last is an unknown key where there is one. */
  readonly path: readonly PropertyKey[];
  /** The path, joined by dots and shortened; empty for the whole value. */
  readonly field: string;
  /** What the path leads to; undefined where that is missing. */
  readonly value: unknown;
  /** What the schema says of it. */
  readonly message: string;
  /** A key that the schema does not know. */
  readonly unknownKey?: string;
}

/**
 * The first thing that a schema found wrong.
 *
 * @param root the value that was checked
 */
export function firstIssue(error: z.ZodError, root: unknown): SchemaIssue {
  return schemaIssue(error.issues[0], root);
}

/** @param root the value that was checked */
export function schemaIssue(issue: z.core.$ZodIssue, root: unknown): SchemaIssue {
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
  return {
    path,
    field: fieldName(path),
    value: valueAt(root, path),
    message: issue.message,
    ...(unknownKey !== undefined && { unknownKey }),
  };
}

/** A path as messages name it: joined by dots and shortened. */
export function fieldName(path: readonly PropertyKey[]): string {
  return excerpt(path.map(String).join('.'));
}

/** The end of a sentence that begins with the field: `is 7; expected a bank from 0 to 3`. */
export function foundAndExpected({ value, message }: SchemaIssue): string {
  return `${value === undefined ? 'is missing' : `is ${shownValue(value)}`}; expected ${message}`;
}

/** What is wrong, as `rates.1 = 7: expected a number up to 1`. */
export function valueAndProblem({
  field,
  value,
  message,
}: Pick<SchemaIssue, 'field' | 'value' | 'message'>): string {
  return `${field || 'options'} = ${shownValue(value)}: ${message}`;
}

/** What keys and positions lead to; undefined where one of them is missing. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}
