import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { packageRoot } from './package-root.js';

/** The file that `npm run build:native` makes for this platform, or BITCELL_NATIVE_LIBRARY instead of it. */
export function libraryFile(): string {
  const { platform, arch, env } = process;
  return (
    env.BITCELL_NATIVE_LIBRARY ??
    join(packageRoot(), 'dist', 'kernels', 'native', `${platform}-${arch}.node`)
  );
}

/**
 * Loads the library of compiled C into this thread; what it exports is in kernels/native/source/addon.c.
 *
 * @throws Error when the file is missing, or made for another system
 */
export function loadNativeLibrary(file: string): unknown {
  return createRequire(import.meta.url)(file);
}

/** Why the library cannot be loaded; undefined where it can. */
export function libraryProblem(file: string): string | undefined {
  if (!existsSync(file)) {
    return `there is no ${file}: "npm run build" makes it where there is a C compiler`;
  }
  try {
    loadNativeLibrary(file);
    return undefined;
  } catch (error) {
    return `${file} cannot be loaded: ${error instanceof Error ? error.message : error}`;
  }
}

/** Where the process and its worker threads keep whose code they were told to use. */
const KEY = 'bitcell.kernels';

/** Sets whose code this thread and the worker threads that it starts from now on use; undefined: the default. */
export function chooseCode(name: string | undefined): void {
  setEnvironmentData(KEY, name);
}

/** Whose code was chosen, by `chooseCode` or else by the variable BITCELL_KERNELS; undefined: the fastest is. */
export function chosenCode(): string | undefined {
  const name = getEnvironmentData(KEY) ?? process.env.BITCELL_KERNELS;
  return name === undefined || name === '' ? undefined : String(name);
}
