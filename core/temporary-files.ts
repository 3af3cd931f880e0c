import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { fileSystem } from './file-system.js';

/** Who made a temporary file: its machine, its process, and when that began, because numbers are given out again. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const STARTED = Math.round(performance.timeOrigin).toString(36);

const NAME = /^\.bitcell-([0-9a-f]{8})-(\d+)-([0-9a-z]+)-\d+-\d+\.tmp$/;

let temporaryFiles = 0;

/** A name in a folder that no other process, thread or call uses at the same time. */
export function temporaryIn(folder: string): string {
  temporaryFiles += 1;
  return join(
    folder,
    `.bitcell-${HOST}-${process.pid}-${STARTED}-${threadId}-${temporaryFiles}.tmp`,
  );
}

const cleaned = new Set<string>();

/**
 * Remove the temporary files that processes of this machine left in a folder when they were killed; once for each
 * folder and process. Those of other machines, which may share the folder, stay.
 */
export function removeLeftOvers(folder: string): void {
  if (cleaned.has(folder)) return;
  cleaned.add(folder);
  try {
    for (const name of readdirSync(folder)) {
      if (isLeftOver(name)) fileSystem.unlinkSync(join(folder, name));
    }
  } catch {
    // A folder that cannot be listed or cleaned may still take the new file; if not, that error is told.
  }
}

function isLeftOver(name: string): boolean {
  const [, host, pid, started] = NAME.exec(name) ?? [];
  if (host !== HOST) return false;
  return Number(pid) === process.pid ? started !== STARTED : !isRunning(Number(pid));
}

/** Whether this machine has a process of this number. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // Processes of other users run, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
