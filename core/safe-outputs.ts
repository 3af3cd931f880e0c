import { type BigIntStats, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError } from './errors.js';
import { writeError } from './file-problem.js';
import { writeTarget } from './write-target.js';

/**
 * Check, before any work is done, that no output of a command is one of its inputs, by whatever path or link, that
 * outputs differ, and that each can be written as far as can be told.
 *
 * @param outputs the options and the paths that they name
 * @throws InputError naming the option
 */
export function requireSafeOutputs(
  outputs: readonly (readonly [option: string, path: string | undefined])[],
  inputs: readonly (string | undefined)[],
): void {
  const given = inputs.flatMap((input) =>
    input !== undefined && statusOf(input) ? [identityOf(input)] : [],
  );
  const before = new Map<string, string>();
  for (const [option, path] of outputs) {
    if (path === undefined) continue;
    requireTarget(path);
    const identity = identityOf(path);
    if (identity === undefined) continue;
    if (given.includes(identity)) {
      throw new InputError(
        `${option} ${path} is an input of this command, which would be lost; choose another file.`,
      );
    }
    const other = before.get(identity);
    if (other !== undefined) {
      throw new InputError(`${option} ${path} is the file of ${other}, too; choose another file.`);
    }
    before.set(identity, option);
  }
}

function requireTarget(path: string): void {
  try {
    writeTarget(path);
  } catch (error) {
    throw writeError(error, path);
  }
}

/** What tells a file from all others: device and inode, so that links count; of a missing one its path. */
function identityOf(path: string): string | undefined {
  const found = statusOf(path);
  if (found?.isFile()) return `${found.dev}:${found.ino}`;
  return found === undefined ? join(realFolder(dirname(path)), basename(path)) : undefined;
}

function statusOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return resolve(folder);
  }
}
