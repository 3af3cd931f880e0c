import { createHash } from 'node:crypto';
import { allBytes, InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { type CellGeometry, cellCount, checkGeometry, plainGeometry } from '../geometry.js';
import type { FaultFormat } from './fault-format.js';
import { formatProvenance, provenanceSchema } from './provenance.js';
import type { ReadFaultFile } from './read-result.js';

/** The first byte is no text, and line ends would show a transfer that changes them (as in PNG). */
const SIGNATURE = Uint8Array.of(0x8b, 0x42, 0x46, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a);
const VERSION = 1;
const CHECKSUM_BYTES = 8;

/** Bitcell's binary format (see `formatBinary`). */
export const binary: FaultFormat = {
  title: "Bitcell's binary format",
  takes: [],
  recognises: ({ bytes }) => (isBinary(bytes) ? 'certain' : 'no'),
  read: (source) => readBinary(allBytes(source), source.file),
};

/** Whether bytes begin with the signature of the binary format. */
function isBinary(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte);
}

/** The first bytes of a SHA-256. */
function checksum(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM_BYTES);
}

/** A list of bytes that grows. */
interface ByteWriter {
  /** A whole number below 2^53 in groups of 7 bits, lowest first; the top bit of a byte says that more follow. */
  number(value: number): void;
  bytes(data: Uint8Array): void;
  /** All bytes so far. */
  take(): Uint8Array;
}

function createWriter(): ByteWriter {
  let buffer = new Uint8Array(256);
  let length = 0;
  function reserve(count: number): void {
    if (length + count <= buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * buffer.length, length + count));
    larger.set(buffer.subarray(0, length));
    buffer = larger;
  }
  return {
    number(value) {
      reserve(8);
      let rest = value;
      for (; rest >= 128; rest = Math.floor(rest / 128)) {
        buffer[length] = 128 + (rest % 128);
        length += 1;
      }
      buffer[length] = rest;
      length += 1;
    },
    bytes(data) {
      reserve(data.length);
      buffer.set(data, length);
      length += data.length;
    },
    take: () => buffer.slice(0, length),
  };
}

/** Sizes of a geometry in the order of the format. */
function sizesOf(geometry: CellGeometry): number[] {
  const { banks, rows, columns, spareRows = 0, checkColumns = 0, spareColumns = 0 } = geometry;
  return [banks, rows, columns, spareRows, checkColumns, spareColumns];
}

/**
 * Encodes a fault map in the binary format, version 1; equal maps give equal bytes. In this order:
 * 8 bytes signature 8b 42 46 4d 0d 0a 1a 0a; numbers (7 bits a byte, lowest first, top bit: more
 * follow): version, banks, rows, columns, spare rows, check columns, spare columns, number of bytes of the
 * provenance; the provenance as in Bitcell JSON; the number of faults; for each fault, ascending, the
 * number of cells since the previous faulty cell (for the first one: its index) and its kind in a byte of
 * its own (0 stuck-at-0, 1 stuck-at-1, 2 flip); the first 8 bytes of the SHA-256 of all that.
 */
export function formatBinary(map: FaultMap): Uint8Array {
  const writer = createWriter();
  const provenance = new TextEncoder().encode(formatProvenance(map.provenance));
  writer.bytes(SIGNATURE);
  writer.number(VERSION);
  for (const size of sizesOf(map.geometry)) writer.number(size);
  writer.number(provenance.length);
  writer.bytes(provenance);
  writer.number(map.cells.length);
  map.cells.forEach((cell, fault) => {
    writer.number(fault === 0 ? cell : cell - map.cells[fault - 1]);
    writer.number(map.kinds[fault]);
  });
  writer.bytes(checksum(writer.take()));
  return writer.take();
}

/** Reads one thing after the other; errors name the byte. */
interface ByteReader {
  readonly offset: () => number;
  number(what: string): number;
  bytes(count: number, what: string): Uint8Array;
}

function createReader(bytes: Uint8Array, file: string): ByteReader {
  let offset = SIGNATURE.length;
  const cut = (what: string) =>
    new InputError(`${file}: byte ${bytes.length}: found the end; expected ${what}.`);
  return {
    offset: () => offset,
    number(what) {
      const start = offset;
      let value = 0;
      for (let weight = 1; ; weight *= 128) {
        if (offset >= bytes.length) throw cut(what);
        const byte = bytes[offset];
        offset += 1;
        value += (byte % 128) * weight;
        if (!Number.isSafeInteger(value) || weight > 2 ** 53) {
          throw new InputError(
            `${file}: byte ${start}: found a number of 2^53 or more as ${what}.`,
          );
        }
        if (byte < 128) return value;
      }
    },
    bytes(count, what) {
      if (count > bytes.length - offset) throw cut(what);
      offset += count;
      return bytes.subarray(offset - count, offset);
    },
  };
}

/**
 * Decodes a fault map in the binary format (see `formatBinary`).
 *
 * @throws InputError naming the file and the byte of what is wrong.
 */
export function readBinary(bytes: Uint8Array, file: string): ReadFaultFile {
  const body = bytes.subarray(0, Math.max(SIGNATURE.length, bytes.length - CHECKSUM_BYTES));
  const reader = createReader(body, file);
  const at = (offset: number, problem: string) =>
    new InputError(`${file}: byte ${offset}: ${problem}.`);
  const version = reader.number('the version');
  if (version !== VERSION) {
    throw at(SIGNATURE.length, `found version ${version}; expected ${VERSION}, the only one`);
  }
  const sum = bytes.subarray(body.length);
  if (!checksum(body).every((byte, index) => byte === sum[index])) {
    throw at(body.length, 'the checksum does not match; the file is damaged or cut off');
  }
  const [banks, rows, columns, spareRows, checkColumns, spareColumns] = [
    'banks',
    'rows',
    'columns',
    'spare rows',
    'check columns',
    'spare columns',
  ].map((size) => reader.number(`the number of ${size}`));
  const geometry = plainGeometry({ banks, rows, columns, spareRows, checkColumns, spareColumns });
  checkGeometry(geometry, `${file}: the memory`);
  const provenance = readProvenance(reader, at);
  const cells: number[] = [];
  const kinds: number[] = [];
  const limit = cellCount(geometry);
  const count = reader.number('the number of faults');
  for (let fault = 0; fault < count; fault += 1) {
    const start = reader.offset();
    const distance = reader.number('a distance');
    const cell = fault === 0 ? distance : cells[fault - 1] + distance;
    if (cell >= limit || (fault > 0 && distance === 0)) {
      throw at(start, `found cell ${cell}; expected the cells in ascending order below ${limit}`);
    }
    const kindStart = reader.offset();
    const kind = reader.number('a kind');
    if (kind >= FAULT_KINDS.length) throw at(kindStart, `found kind ${kind}; expected 0, 1 or 2`);
    cells.push(cell);
    kinds.push(kind);
  }
  if (reader.offset() !== body.length) {
    throw at(reader.offset(), `found more than the ${count} faults; expected the checksum`);
  }
  const faults = { cells: Float64Array.from(cells), kinds: Uint8Array.from(kinds) };
  return { geometry, faults, provenance, repeatedLines: 0 };
}

function readProvenance(reader: ByteReader, at: (offset: number, problem: string) => InputError) {
  const length = reader.number('the length of the provenance');
  const start = reader.offset();
  const text = new TextDecoder().decode(reader.bytes(length, 'the provenance'));
  try {
    return provenanceSchema.parse(JSON.parse(text));
  } catch {
    throw at(start, 'the provenance is not that of a fault map of this version');
  }
}
