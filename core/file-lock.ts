import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { codeOf, fileError, InputError } from './errors.js';
import { fileProblem } from './file-problem.js';

/** A file that is there while a process works on something that no other may work on. */
export interface FileLock {
  release(): void;
}

/** Who holds a lock. */
interface Holder {
  readonly host: string;
  readonly process: number;
  /** When the process started, as the system says it: numbers of processes are given out again. */
  readonly started: string | null;
}

/** Those of this process. */
const held = new Set<string>();

/**
 * Lock something by a file. The lock of a process that has ended is taken over where it ran on this machine; of another
 * machine that cannot be known.
 *
 * @param path of the lock; missing folders are created
 * @param what is locked, named in errors
 * @throws InputError when another process holds the lock, naming it; `fileError` when the file cannot be written
 */
export function lockFile(path: string, what: string): FileLock {
  const holder: Holder = {
    host: hostname(),
    process: process.pid,
    started: processStart(process.pid),
  };
  create(path, what, `${JSON.stringify(holder)}\n`);
  held.add(path);
  const release = () => {
    if (held.delete(path)) rmSync(path, { force: true });
    process.off('exit', release);
  };
  process.on('exit', release);
  return { release };
}

function create(path: string, what: string, content: string): void {
  for (;;) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { flag: 'wx' });
      return;
    } catch (error) {
      const found = codeOf(error) === 'EEXIST' ? readLock(path) : undefined;
      if (found === undefined) {
        if (codeOf(error) === 'EEXIST') continue;
        throw fileError(`Cannot write ${path}: ${fileProblem(error)}`, error);
      }
      if (!hasEnded(found, path)) throw inUse(path, what, found);
      removeStale(path, what, found);
    }
  }
}

/** The content of a lock; undefined when it is gone by now. */
function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError(`Cannot read ${path}: ${fileProblem(error)}`, error);
  }
}

/** Moved away first: of two processes that find the same lock, only one then removes it. */
function removeStale(path: string, what: string, stale: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw fileError(`Cannot write ${path}: ${fileProblem(error)}`, error);
  }
  const moved = readFileSync(aside, 'utf8');
  if (moved !== stale) {
    // Another process was faster: its new lock goes back.
    renameSync(aside, path);
    throw inUse(path, what, moved);
  }
  rmSync(aside);
}

function holderOf(content: string): Holder | undefined {
  try {
    const { host, process: id, started } = JSON.parse(content) as Partial<Holder>;
    return typeof host === 'string' && typeof id === 'number'
      ? { host, process: id, started: started ?? null }
      : undefined;
  } catch {
    return undefined;
  }
}

function hasEnded(content: string, path: string): boolean {
  const holder = holderOf(content);
  if (holder?.host !== hostname()) return false;
  if (holder.process === process.pid) return !held.has(path);
  if (!isRunning(holder.process)) return true;
  const started = processStart(holder.process);
  return holder.started !== null && started !== null && started !== holder.started;
}

function inUse(path: string, what: string, content: string): InputError {
  const holder = holderOf(content);
  const who = holder ? `process ${holder.process} on ${holder.host}` : 'another process';
  return new InputError(
    `${what} is in use by ${who}: wait until that has ended, or choose another folder; if it does not run any more, remove ${path}`,
  );
}

/** Whether there is a process with this number on this machine. */
export function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // Processes of other users run, too.
    return codeOf(error) === 'EPERM';
  }
}

/** The start of a process in clock ticks since the machine's, field 22 of Linux's /proc/PID/stat; null elsewhere. */
function processStart(processId: number): string | null {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // The second field, the name in parentheses, may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
