import { InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { cellAt } from '../geometry.js';
import { createFaultLog } from './fault-log.js';
import { fieldsOf, recordLines, requireRoomForText, unexpected } from './place.js';
import type { ReadFaultFile } from './read-result.js';
import {
  cellOfWordBit,
  type FaultFileOptions,
  memoryWords,
  requireGivenGeometry,
  wordBitOf,
} from './words.js';

const HEAD = /^\s*address\s*,\s*fail-bit-mask\s*$/;

/** Bits of a hexadecimal digit that are 1. */
const DIGIT_BITS = [0, 1, 2, 3].map((bit) => 1 << bit);

/** The bits of a hexadecimal mask that are 1, ascending: bit 0 is the last digit's least significant one. */
function bitsOf(digits: string): number[] {
  const bits: number[] = [];
  for (let position = 0; position < digits.length; position += 1) {
    const digit = Number.parseInt(digits[digits.length - 1 - position], 16);
    DIGIT_BITS.forEach((mask, bit) => {
      if ((digit & mask) !== 0) bits.push(4 * position + bit);
    });
  }
  return bits;
}

/**
 * Reads a log of a memory built-in self-test: lines `address,fail-bit-mask`, perhaps below a first line with
 * those words. Addresses are decimal, or hexadecimal after `0x`; masks are hexadecimal, with or
 * without `0x`, and a 1 is a failing bit, the last digit holding bits 3 to 0. Bit b of the word at
 * address a lies where `cellOfWordBit` says; check bits follow the data bits. A log does not say how
 * a bit fails: `options.kind` does. A word may be reported again: its failing bits are merged.
 *
 * @throws InputError naming file, line, column, value and what was expected.
 */
export function readMbist(
  bytes: Uint8Array,
  file: string,
  options: FaultFileOptions,
): ReadFaultFile {
  const geometry = requireGivenGeometry(options, file, 'an MBIST log');
  const { columnMux = 1, kind = 'flip' } = options;
  const words = memoryWords(geometry, columnMux, file);
  const log = createFaultLog();
  let isFirst = true;
  for (const { number, text } of recordLines(bytes)) {
    if (isFirst && HEAD.test(text)) {
      isFirst = false;
      continue;
    }
    isFirst = false;
    const fields = fieldsOf(text);
    if (fields.length !== 2) throw unexpected(file, number, 1, text, 'address,fail-bit-mask');
    const [address, mask] = fields;
    const isAddress = /^(?:0x[0-9a-f]+|\d+)$/i.test(address.text);
    const addressNumber = isAddress ? Number(address.text) : Number.NaN;
    if (!(addressNumber < words.addresses)) {
      const expected = `an address from 0 to ${words.addresses - 1}`;
      throw unexpected(file, number, address.column, address.text, expected);
    }
    const digits = /^(?:0x)?([0-9a-f]+)$/i.exec(mask.text)?.[1];
    const bits = digits === undefined ? undefined : bitsOf(digits);
    if (bits === undefined || (bits.at(-1) ?? 0) >= words.bits) {
      const expected = `a hexadecimal mask of ${words.bits} bits`;
      throw unexpected(file, number, mask.column, mask.text, expected);
    }
    for (const bit of bits) {
      const cell = cellOfWordBit(geometry, columnMux, addressNumber, bit);
      log.add(cell, FAULT_KINDS.indexOf(kind), number);
    }
  }
  const merged = log.merge();
  if ('cell' in merged) throw new Error('all faults of a log have the same kind');
  return { geometry, ...merged };
}

function maskOf(bits: readonly number[], digits: number): string {
  const values = new Uint8Array(digits);
  for (const bit of bits) values[digits - 1 - Math.floor(bit / 4)] |= 1 << (bit % 4);
  return Array.from(values, (value) => value.toString(16)).join('');
}

/**
 * Writes a map as `readMbist` reads it: a line for each word with faults, by ascending address, both
 * numbers hexadecimal. The kind of the faults is not in it.
 *
 * @throws InputError when the faults are of different kinds, or one lies in a spare row or column, which
 * no address reaches.
 */
export function formatMbist(map: FaultMap, file: string, columnMux = 1): string {
  const { geometry, cells, kinds } = map;
  const { bits: wordBits } = memoryWords(geometry, columnMux, file);
  const other = kinds.findIndex((kind) => kind !== kinds[0]);
  if (other >= 0) {
    throw new InputError(
      `Cannot write ${file}: an MBIST log does not say how a bit fails, but this map has ${FAULT_KINDS[kinds[0]]} and ${FAULT_KINDS[kinds[other]]} faults; use .csv, .json or .bfm.`,
    );
  }
  const faults = Array.from(cells, (cell) => {
    const place = wordBitOf(geometry, columnMux, cell);
    if (place !== undefined) return place;
    const { bank, row, column } = cellAt(geometry, cell);
    throw new InputError(
      `Cannot write ${file}: bank ${bank}, row ${row}, column ${column} is a spare cell, which has no address; use .csv, .json or .bfm.`,
    );
  }).sort((a, b) => a.address - b.address || a.bit - b.bit);
  requireRoomForText(cells.length, 'An MBIST log');
  const lines: string[] = ['address,fail-bit-mask\n'];
  for (let first = 0; first < faults.length; ) {
    const { address } = faults[first];
    let end = first;
    while (faults[end]?.address === address) end += 1;
    const mask = maskOf(
      faults.slice(first, end).map(({ bit }) => bit),
      Math.ceil(wordBits / 4),
    );
    lines.push(`0x${address.toString(16)},0x${mask}\n`);
    first = end;
  }
  return lines.join('');
}
