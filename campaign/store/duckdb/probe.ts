import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, packageRoot } from '../../../core/index.js';
import { STORE_FILE } from '../study-store.js';

/**
 * Have a process of its own read a store from end to end, because DuckDB dies of some files: its checksums hold for
 * the content of a block, not for its place. Whatever else is wrong with a store is left to those who open it.
 *
 * @throws InputError naming the store when that process crashes
 */
export async function requireReadable(folder: string): Promise<void> {
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) return;
  const script = join(packageRoot(), 'dist', 'bundle', 'campaign/store/duckdb/probe-process.js');
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    // Its input ends with this process, however that ends: then it lets go of the store.
    const child = spawn(process.execPath, [script, folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.on('error', reject);
    child.on('exit', (_, name) => resolve(name));
  });
  // Signals that users send end both processes.
  if (signal !== null && CRASHES.includes(signal)) {
    throw new InputError(
      `${file} is damaged: DuckDB crashes on reading it (${signal}); restore a copy, or run the study again into another folder`,
    );
  }
}

const CRASHES: readonly NodeJS.Signals[] = [
  'SIGSEGV',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGTRAP',
];
