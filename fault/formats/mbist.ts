import { InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultMap } from '../fault-map.js';
import { cellAt } from '../geometry.js';
import { roleOf } from './columns.js';
import { headNames } from './csv.js';
import {
  firstRecords,
  headedTable,
  isHead,
  namedTable,
  sectionOf,
  splitLine,
} from './delimited.js';
import type { FaultFormat } from './fault-format.js';
import { separatorOf } from './fields.js';
import { hasKeyValues, keyValueTable } from './key-values.js';
import { requireRoomForText } from './place.js';
import { readTable } from './table.js';
import { memoryWords, wordBitOf } from './words.js';

const TITLE = 'an MBIST log';

/** So many records at most stand before the first that shows a log of names and values. */
const MOST_WORDS_BEFORE = 50;

const NUMBER = '(?:0[xb])?[0-9a-f]+';
const RECORD = new RegExp(String.raw`^\s*${NUMBER}(?:\s*[,;|]\s*|\s+)${NUMBER}\s*[,;|]?\s*$`, 'i');

/**
 * A log of a memory built-in self-test: lines `address,fail-bit-mask`, perhaps below a first line with those names
 * or others (bank, bit, expected, actual, labels), perhaps in sections `[bank 0]` of addresses within the bank;
 * or lines of names and values (`addr=0x10 exp=0xFF act=0xFE`). A 1 of a mask is a failing bit, the lowest being
 * bit 0. Bit b of the word at address a lies where `cellOfWordBit` says; check bits follow the data bits. A word may
 * be reported again: its failing bits are merged.
 */
export const mbist: FaultFormat = {
  title: TITLE,
  takes: ['kind', 'columns', 'indexBase', 'addressBase', 'maskBase', 'select'],
  recognises(prefix, { columns }) {
    const { records, isCut } = prefix;
    if (headNames(prefix).some((name) => roleOf(name) === 'address')) return 'certain';
    if (records.slice(0, MOST_WORDS_BEFORE).some(hasKeyValues)) return 'certain';
    if (columns !== undefined || records.length === 0) return 'no';
    const whole = isCut && records.length > 1 ? records.slice(0, -1) : records;
    const isLog = whole.every((record) => RECORD.test(record) || sectionOf(record) !== undefined);
    if (!isLog) return 'no';
    return whole.some((record) => sectionOf(record) !== undefined) ? 'certain' : 'possible';
  },
  read(source, options) {
    const beginning = firstRecords(source, MOST_WORDS_BEFORE);
    if (beginning.some(({ text }) => hasKeyValues(text))) {
      return readTable(keyValueTable(source), source, options, TITLE);
    }
    if (options.columns !== undefined) {
      return readTable(namedTable(source, options.columns), source, options, TITLE);
    }
    const [first] = beginning;
    if (first === undefined) {
      throw new InputError(
        `${source.file}:1:1: found no line with a word; expected address,fail-bit-mask (these names alone, where nothing failed).`,
      );
    }
    const { names } = splitLine(first, source.file, separatorOf(first.text));
    const table = isHead(names)
      ? headedTable(source, undefined)
      : namedTable(source, ['address', 'fail-bit-mask']);
    return readTable(table, source, options, TITLE);
  },
};

function maskOf(bits: readonly number[], digits: number): string {
  const values = new Uint8Array(digits);
  for (const bit of bits) values[digits - 1 - Math.floor(bit / 4)] |= 1 << (bit % 4);
  return Array.from(values, (value) => value.toString(16)).join('');
}

/**
 * Writes a map as a log: a line for each word with faults, by ascending address, both
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
