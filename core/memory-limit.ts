import { totalmem } from 'node:os';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { InputError } from './errors.js';

/**
 * What a file declares (the size of a feature map, the number of banks) may be far larger than the file. Before memory
 * is taken for it, `requireMemory` compares it with one limit, which the process and its worker threads share.
 */
const KEY = 'bitcell.memoryLimit';

/** What every command may take, and how often the size of what it reads on top of that. */
const BASE_BYTES = 1e9;
const BYTES_PER_INPUT_BYTE = 16;

/** Part of the limit that Node.js, the kernels' code and the command itself take: 80 to 110 MB were measured. */
const OWN_BYTES = 128e6;

/**
 * Sets the limit for this thread and the worker threads that it starts from now on.
 *
 * @param bytes undefined: the default, see `memoryLimit`
 */
export function setMemoryLimit(bytes: number | undefined): void {
  setEnvironmentData(KEY, bytes);
}

/**
 * The bytes that a process may take: what `setMemoryLimit` said, or the smaller of 1 GB + 16 × the size of its input
 * and half the memory of the machine, or of the control group (v1 or v2) that it runs in.
 *
 * @param inputBytes size of the files that the memory is for
 */
export function memoryLimit(inputBytes = 0): number {
  const set = getEnvironmentData(KEY);
  if (typeof set === 'number') return set;
  return Math.min(BASE_BYTES + BYTES_PER_INPUT_BYTE * inputBytes, machineBytes() / 2);
}

/** Bytes of the limit that are left for data. */
export function memoryForData(inputBytes = 0): number {
  return Math.max(0, memoryLimit(inputBytes) - OWN_BYTES);
}

/**
 * Bytes that may be taken for what saves time and is not needed: an eighth of the limit where one was set, else of the
 * machine's memory.
 */
export function memoryForSpeed(): number {
  const set = getEnvironmentData(KEY);
  return (typeof set === 'number' ? set : machineBytes()) / 8;
}

/**
 * Checks that memory may be taken, before it is.
 *
 * @param bytes how much; infinite where it is beyond counting
 * @param what names the file and what of it is so large: the beginning of "… would take 3 GB of memory"
 * @param inputBytes size of the files that it is for
 * @throws InputError with the limit, and the option that raises it
 */
export function requireMemory(bytes: number, what: string, inputBytes = 0): void {
  if (bytes <= memoryForData(inputBytes)) return;
  const needed = bytes + OWN_BYTES;
  throw new InputError(
    `${what} would take ${sizeText(needed)} of memory, above the limit of ${sizeText(memoryLimit(inputBytes))}; if it is meant to be so large, raise the limit: --memory-limit ${roundedUp(needed)}.`,
  );
}

function machineBytes(): number {
  // 0 where there is no control group, and about 2^64 where it has no limit.
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

const GIGABYTE = 1e9;

function sizeText(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'endless amounts';
  return bytes < GIGABYTE
    ? `${Math.ceil(bytes / 1e6)} MB`
    : `${Number((bytes / GIGABYTE).toPrecision(3))} GB`;
}

/** A size that the option takes; nobody has more than an exabyte. */
function roundedUp(bytes: number): string {
  return `${Math.min(Math.ceil(bytes / GIGABYTE), 1e6)}GB`;
}
