import { closeSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../../core/index.js';
import { damaged, foreignLog } from './errors.js';

/**
 * Changes that DuckDB has not yet moved into a file lie in a log beside it: after a checkpoint its log is removed, and
 * while a checkpoint is made or repaired others stand in for it. A file of storage version 67 (DuckDB 1.4) or later has
 * a random identifier, and DuckDB refuses a log whose header has another one, or is of another checkpoint; but it
 * replays a log without an identifier, and ignores one whose header or length fields make no sense. So those are
 * looked at here, before DuckDB opens the file.
 */
export function logsOf(file: string): string[] {
  return ['.wal', '.wal.checkpoint', '.wal.recovery'].map((suffix) => file + suffix);
}

/** The first storage version whose logs carry the identifier of their file. */
const IDENTIFIED = 67;

/** Where the storage version of a DuckDB file is, after a checksum and the magic bytes: 64 bits, little-endian. */
const VERSION_OFFSET = 12;

/** Longer than the header of any log: an identifier of 16 bytes takes 32 at most, and a number 10. */
const LONGEST_HEADER = 64;

/** An entry is at most one transaction; longer ones are the numbers of a damaged log. */
const LONGEST_ENTRY = 2 ** 30;

/** Bytes before an entry: its length and its checksum. */
const ENTRY_HEAD = 16;

/**
 * Check that logs beside a DuckDB file are logs that belong to it, as far as DuckDB does not check it.
 *
 * @throws InputError when one is not, is no regular file, or is damaged
 */
export function requireOwnLogs(file: string): void {
  for (const log of logsOf(file)) {
    const found = lstatSync(log, { throwIfNoEntry: false });
    if (!found) continue;
    // DuckDB shortens a log: a link would have it shorten any file of the user's.
    if (!found.isFile()) {
      throw new InputError(`${log} is not a regular file: move it away to open ${file}`);
    }
    const header = readHeader(log);
    // A crash while a log was begun leaves a part of its header, and no change.
    if (header === 'cut off') continue;
    if (header === 'unknown') throw damaged(file, `${log} does not begin as a log does`);
    if (!header.identified && storageVersion(file) >= IDENTIFIED) throw foreignLog(file, log);
    if (!walkEntries(log, header.end).possible) {
      throw damaged(file, `${log} holds an entry of an impossible length`);
    }
  }
}

/** Where a log may be cut so that what stays is a log: after its header and each whole entry, ascending. */
export function cutsOf(log: string): number[] {
  const header = readHeader(log);
  return typeof header === 'string' ? [] : [header.end, ...walkEntries(log, header.end).ends];
}

interface LogHeader {
  readonly identified: boolean;
  /** Where the entries begin. */
  readonly end: number;
}

/**
 * The header of a log: fields with a 16-bit number each, their values in DuckDB's serialisation. 100: kind of entry
 * (98, a version); 101: version of the log; 102: identifier of the file, a list of 16 numbers of 8 bits; 103: number
 * of the checkpoint; 0xffff ends it. Numbers have 7 bits a byte, the lowest first, a set high bit says that more follow.
 */
function readHeader(log: string): LogHeader | 'cut off' | 'unknown' {
  const bytes = readStart(log, LONGEST_HEADER);
  let at = 0;
  let cut = false;
  const next = () => {
    if (at >= bytes.length) cut = true;
    return bytes[at++] ?? 0;
  };
  const field = () => next() | (next() << 8);
  const number = () => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = next();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  const answer = (isRight: boolean) => (isRight || cut ? undefined : ('unknown' as const));
  const wrong =
    answer(field() === 100 && number() === 98) ?? answer(field() === 101 && number() <= 3);
  if (wrong) return wrong;
  let last = field();
  const identified = last === 102;
  if (identified) {
    const count = number();
    if (!cut && count !== 16) return 'unknown';
    for (let byte = 0; byte < 16; byte += 1) number();
    if (field() !== 103 && !cut) return 'unknown';
    number();
    last = field();
  }
  if (cut) return 'cut off';
  return last === 0xffff ? { identified, end: at } : 'unknown';
}

/** 0 where a file is too short to say it, which DuckDB refuses. */
function storageVersion(file: string): number {
  const bytes = readStart(file, VERSION_OFFSET + 8);
  return bytes.length < VERSION_OFFSET + 8 ? 0 : Number(bytes.readBigUInt64LE(VERSION_OFFSET));
}

function readStart(file: string, length: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Go from entry to entry. One that the end of the file cuts off is what a crash leaves.
 *
 * @param start where they begin
 * @returns where whole entries end, ascending, and whether each has a possible length; after one that has not, none is
 *   found
 */
function walkEntries(log: string, start: number): { ends: number[]; possible: boolean } {
  const descriptor = openSync(log, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const head = Buffer.alloc(ENTRY_HEAD);
    const ends: number[] = [];
    let at = start;
    while (at + ENTRY_HEAD <= size) {
      readSync(descriptor, head, 0, ENTRY_HEAD, at);
      const length = Number(head.readBigUInt64LE());
      if (length > LONGEST_ENTRY) return { ends, possible: false };
      at += ENTRY_HEAD + length;
      if (at <= size) ends.push(at);
    }
    return { ends, possible: true };
  } finally {
    closeSync(descriptor);
  }
}
