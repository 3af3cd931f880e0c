import { vi } from 'vitest';
import { fileSystem } from '../../core/file-system.js';

/** The calls that may fail; what closes a file does its work even where it reports an error. */
const CALLS = [
  'openSync',
  'writeSync',
  'fchmodSync',
  'fsyncSync',
  'closeSync',
  'mkdirSync',
  'renameSync',
] as const;

export interface FailingFileSystem {
  /** Whether there were enough calls for one to fail. */
  failed(): boolean;
  restore(): void;
}

/**
 * Let the n-th system call that changes files fail.
 *
 * @param code of the system's error
 * @param options.mostBytes what a write takes at most, so that long ones are short
 * @param options.keepsFiles removing files fails, too
 */
export function failAt(
  n: number,
  code: string,
  {
    mostBytes = Number.POSITIVE_INFINITY,
    keepsFiles = false,
  }: { mostBytes?: number; keepsFiles?: boolean } = {},
): FailingFileSystem {
  const real = { ...fileSystem };
  let calls = 0;
  const fail = (): boolean => {
    calls += 1;
    return calls === n;
  };
  const error = () => Object.assign(new Error(`${code}: made to fail`), { code });
  for (const name of CALLS) {
    vi.spyOn(fileSystem, name).mockImplementation(((...args: never[]) => {
      const fails = fail();
      if (fails && name !== 'closeSync') throw error();
      if (name === 'writeSync') args[3] = Math.min(args[3], mostBytes) as never;
      const result = (real[name] as (...args: never[]) => unknown)(...args);
      if (fails) throw error();
      return result;
    }) as never);
  }
  if (keepsFiles) {
    vi.spyOn(fileSystem, 'unlinkSync').mockImplementation(() => {
      throw error();
    });
  }
  return { failed: () => calls >= n, restore: () => vi.restoreAllMocks() };
}
