import { type ByteSource, excerpt, InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import { isStorageLabel } from '../fault-map.js';
import { type CellGeometry, cellAt, formatGeometry } from '../geometry.js';
import { dataGeometry } from '../regions.js';
import { type Column, KINDS_EXPECTED, kindNamed, type Role } from './columns.js';
import { type Contradiction, createFaultLog, type FaultLog } from './fault-log.js';
import { type Fields, fieldText, unexpectedField } from './fields.js';
import { createLabelCollector } from './labels.js';
import type { Notes } from './notes.js';
import {
  addressEvidence,
  type BaseEvidence,
  createWordReader,
  maskEvidence,
  type WordReader,
} from './number-base.js';
import { createParts } from './parts.js';
import type { FaultFileOptions, Selection } from './read-options.js';
import type { ReadFaultFile } from './read-result.js';
import { hexadecimalAt, wholeNumberAt } from './whole-number.js';
import { cellOfWordBit, type MemoryWords, memoryWords, requireGivenGeometry } from './words.js';

/** The records of a table, with the columns that they have. */
export interface Table {
  readonly columns: readonly Column[];
  /**
   * Calls back for each record, in the order of the file.
   *
   * @param visit Takes the fields of a record, and the bank of its section where the file has sections of banks.
   */
  forEachRecord(visit: (fields: Fields, bank: number | undefined) => void): void;
  /** What the file says besides, as far as it has been read. */
  notes?(): Notes;
}

/** Adds the faults of a record. */
type RecordReader = (fields: Fields, bank: number | undefined, log: FaultLog) => void;

/** Where the columns of each role stand. */
type Positions = Readonly<Partial<Record<Role, number>>>;

const FLIP = FAULT_KINDS.indexOf('flip');
const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

/**
 * Reads the faults of a table: cells by `row` and `column` (and `bank`); bits of words by `address` and `bit`, or
 * failing bits by `address` and `mask`; or words by `address`, `expected` and `actual`, of which a bit that fails
 * only where 1 is expected is stuck at 0, only where 0 is, at 1, and a flip where both do. Repeated records are
 * merged.
 *
 * @param title What the file is, for messages.
 * @throws InputError naming file, line, column, value and what was expected
 */
export function readTable(
  table: Table,
  { file }: ByteSource,
  options: FaultFileOptions,
  title: string,
): ReadFaultFile {
  const geometry = requireGivenGeometry(options, file, title);
  const { columns } = table;
  const positions = positionsOf(columns);
  if (
    options.kind !== undefined &&
    (positions.kind !== undefined || positions.expected !== undefined)
  ) {
    throw new InputError(
      `${file} says itself what its faults do (${positions.kind !== undefined ? 'the column kind' : 'expected and actual'}); leave --kind away.`,
    );
  }
  const read = recordReader(table, positions, { ...options, geometry }, file);
  const labels = createLabelCollector(file, columns, selectionsOf(columns, options));
  const { isSplit = false } = options;
  const hasWords = positions.expected !== undefined;
  const room = isSplit ? PART_ROOM : undefined;
  const parts = createParts(isSplit ? columns : [], () =>
    createFaultLog(file, hasWords ? { becomes: FLIP } : 'contradiction', room),
  );
  table.forEachRecord((fields, bank) => {
    requireFieldCount(fields, columns);
    if (!labels.take(fields)) return;
    const { log } = parts.of(fields);
    if (isClean(fields, columns)) return;
    log.startLine();
    read(fields, bank, log);
  });
  const notes = { ...table.notes?.(), ...labels.notes(isSplit) };
  if (positions.kind === undefined) requireNoKinds(notes, file);
  if (parts.all().length === 0) {
    throw new InputError(
      `${file} names dies or voltages in columns, but has no line of them; a line with labels alone is a die without a fault.`,
    );
  }
  const merged = parts.all().map((part) => {
    const found = part.log.merge();
    if ('faults' in found) return { labels: part.labels, ...found };
    const { firstReport, secondReport } = found;
    const reader: RecordReader = (fields, bank, log) => {
      if (parts.of(fields) === part) read(fields, bank, log);
    };
    const places = placesOf([firstReport, secondReport], table, reader, options, file);
    throw contradiction(found, places, geometry);
  });
  const repeatedLines = merged.reduce((sum, part) => sum + part.repeatedLines, 0);
  const faults = isSplit ? NO_FAULTS : merged[0].faults;
  return { geometry, faults, repeatedLines, notes, ...(isSplit && { parts: merged }) };
}

/** What the lines that are read have: the storage that is asked for where a column says it. */
function selectionsOf(
  columns: readonly Column[],
  { select = [], storage }: FaultFileOptions,
): readonly Selection[] {
  const label = columns.find((column) => column.label && isStorageLabel(column.label))?.label;
  const isSelected = select.some(({ name }) => isStorageLabel(name));
  if (storage === undefined || label === undefined || isSelected) return select;
  return [...select, { name: label, value: storage }];
}

/** Reports for which a part of a table has room at first: there may be many parts. */
const PART_ROOM = 16;

const NO_FAULTS = { cells: new Float64Array(0), kinds: new Uint8Array(0) };

function contradiction(
  { cell, firstKind, secondKind }: Contradiction,
  [first, second]: readonly string[],
  geometry: CellGeometry,
): InputError {
  const { bank, row, column } = cellAt(geometry, cell);
  return new InputError(
    `${second}: bank ${bank}, row ${row}, column ${column} is ${FAULT_KINDS[secondKind]} here, but ${FAULT_KINDS[firstKind]} on line ${lineOf(first)}; expected one kind for each cell.`,
  );
}

/** A label of nothing but kinds is a column of kinds that has another name. */
function requireNoKinds({ labels = {} }: Notes, file: string): void {
  const found = Object.entries(labels).find(
    ([, values]) => values.length > 0 && values.every((value) => kindNamed(value) !== undefined),
  );
  if (found === undefined) return;
  throw new InputError(
    `${file}: the column "${excerpt(found[0])}" holds kinds of faults (${found[1].join(', ')}); name it kind.`,
  );
}

function positionsOf(columns: readonly Column[]): Positions {
  const positions: Partial<Record<Role, number>> = {};
  columns.forEach(({ role }, index) => {
    if (role !== undefined) positions[role] = index;
  });
  return positions;
}

/** Checks the number of fields; an empty last one is none. */
function requireFieldCount(fields: Fields, columns: readonly Column[]): void {
  const { count, starts, ends } = fields;
  if (count === columns.length) return;
  const last = count - 1;
  if (last === columns.length && starts[last] === ends[last]) return;
  throw new InputError(
    `${fields.place()}: found "${excerpt(fields.text())}", which has ${count} values; expected ${columns.length}.`,
  );
}

/** Whether a record has labels and nothing else: a die without a fault. */
function isClean({ starts, ends }: Fields, columns: readonly Column[]): boolean {
  let hasLabel = false;
  for (let field = 0; field < columns.length; field += 1) {
    if (columns[field].role !== undefined && starts[field] !== ends[field]) return false;
    if (columns[field].label !== undefined && starts[field] !== ends[field]) hasLabel = true;
  }
  return hasLabel;
}

/** Where the reports with these numbers are made, found by reading again. */
function placesOf(
  reports: readonly number[],
  table: Table,
  read: RecordReader,
  options: FaultFileOptions,
  file: string,
): string[] {
  const labels = createLabelCollector(file, table.columns, selectionsOf(table.columns, options));
  const places: string[] = [];
  let count = 0;
  let place = '';
  const watching: FaultLog = {
    startLine: () => {},
    add() {
      if (reports.includes(count)) places.push(place);
      count += 1;
    },
    count: () => count,
    merge: () => ({ faults: NO_FAULTS, repeatedLines: 0 }),
  };
  table.forEachRecord((fields, bank) => {
    if (!labels.take(fields) || isClean(fields, table.columns)) return;
    place = fields.place();
    read(fields, bank, watching);
  });
  return places;
}

function lineOf(place: string): string {
  return place.split(':').at(-2) ?? place;
}

type WithGeometry = FaultFileOptions & { readonly geometry: CellGeometry };

function recordReader(
  table: Table,
  positions: Positions,
  options: WithGeometry,
  file: string,
): RecordReader {
  const { row, column } = positions;
  // A log in which nothing failed names no columns, and has no records.
  if (table.columns.length === 0) return () => {};
  return row !== undefined && column !== undefined
    ? cellReader({ ...positions, row, column }, options, file)
    : wordReader(table, positions, options, file);
}

/** Reads the kind of a record: that of its column, or the same for all. */
function kindReader(
  { kind: position }: Positions,
  { kind = 'flip' }: FaultFileOptions,
): (fields: Fields) => number {
  if (position === undefined) {
    const given = FAULT_KINDS.indexOf(kind);
    return () => given;
  }
  const known = new Map<string, number>();
  return (fields) => {
    const text = fieldText(fields, position);
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = kindNamed(text);
    if (found === undefined) throw unexpectedField(fields, position, KINDS_EXPECTED);
    known.set(text, found);
    return found;
  };
}

/** Reads a number of a column below a limit, counted from a base. */
function indexReader(
  what: string,
  position: number,
  limit: number,
  base: 0 | 1,
  isBaseGiven: boolean,
): (fields: Fields) => number {
  return (fields) => {
    const { bytes, starts, ends } = fields;
    const index = wholeNumberAt(bytes, starts[position], ends[position]) - base;
    if (index >= 0 && index < limit) return index;
    const hint =
      index === limit && !isBaseGiven ? '; if numbers start at 1, give --index-base 1' : '';
    const text = fieldText(fields, position);
    const rounded = /^\d+(?:\.\d+)?e\+?\d+$/i.test(text)
      ? '; a spreadsheet may have rounded it: format the cells as whole numbers'
      : '';
    throw unexpectedField(
      fields,
      position,
      `a ${what} from ${base} to ${limit - 1 + base}${hint}${rounded}`,
    );
  };
}

/** Reads the bank of a record: of its column, of its section, or the only one there is. */
function bankReader(
  { bank: position }: Positions,
  { geometry, indexBase }: WithGeometry,
  file: string,
): (fields: Fields, section: number | undefined) => number {
  const { banks } = geometry;
  if (position !== undefined) {
    return indexReader('bank', position, banks, indexBase ?? 0, indexBase !== undefined);
  }
  const base = indexBase ?? 0;
  return (fields, section) => {
    if (section === undefined && banks === 1) return 0;
    const bank = (section ?? Number.NaN) - base;
    if (bank >= 0 && bank < banks) return bank;
    const memory = `the memory has ${formatGeometry(geometry)}`;
    if (section === undefined) {
      throw new InputError(`${file} says no bank, but ${memory}; add a column bank.`);
    }
    const hint =
      bank === banks && indexBase === undefined ? ' (numbers from 1: --index-base 1)' : '';
    throw new InputError(
      `${fields.place()}: found a section of bank ${section}, but ${memory}${hint}.`,
    );
  };
}

function cellReader(
  positions: Positions & { readonly row: number; readonly column: number },
  options: WithGeometry,
  file: string,
): RecordReader {
  const { geometry, indexBase } = options;
  const { rows, columns } = geometry;
  const [base, isGiven] = [indexBase ?? 0, indexBase !== undefined] as const;
  const bankOf = bankReader(positions, options, file);
  const rowOf = indexReader('row', positions.row, rows, base, isGiven);
  const columnOf = indexReader('column', positions.column, columns, base, isGiven);
  const kindOf = kindReader(positions, options);
  return (fields, section, log) => {
    const line = bankOf(fields, section) * rows + rowOf(fields);
    log.add(line * columns + columnOf(fields), kindOf(fields));
  };
}

/** Reads records that name words by their addresses. */
function wordReader(
  table: Table,
  positions: Positions,
  options: WithGeometry,
  file: string,
): RecordReader {
  const { geometry, columnMux = 1 } = options;
  const words = memoryWords(geometry, columnMux, file);
  const bases = settleBases(table, positions, options, words);
  const addressOf = addressReader(positions, options, words, bases.address, file);
  const kindOf = kindReader(positions, options);
  const addBits = (log: FaultLog, address: number, word: Uint32Array, kind: number) => {
    word.forEach((part, index) => {
      for (let rest = part; rest !== 0; ) {
        const bit = 31 - Math.clz32(rest & -rest);
        log.add(cellOfWordBit(geometry, columnMux, address, 32 * index + bit), kind);
        rest = (rest & (rest - 1)) >>> 0;
      }
    });
  };
  const { bit, mask, expected, actual } = positions;
  if (bit !== undefined) {
    const bitOf = indexReader('bit', bit, words.bits, 0, true);
    return (fields, section, log) => {
      const address = addressOf(fields, section);
      log.add(cellOfWordBit(geometry, columnMux, address, bitOf(fields)), kindOf(fields));
    };
  }
  const reader = createWordReader(words.bits, bases.mask);
  if (mask !== undefined) {
    const what = `a ${BASE_NAMES[bases.mask]} mask of ${words.bits} bits`;
    return (fields, section, log) => {
      const address = addressOf(fields, section);
      const kind = kindOf(fields);
      addBits(log, address, wordAt(reader, fields, mask, what), kind);
    };
  }
  if (expected === undefined || actual === undefined) throw new Error('columns without a form');
  const what = `a ${BASE_NAMES[bases.mask]} word of ${words.bits} bits`;
  return (fields, section, log) => {
    const address = addressOf(fields, section);
    const wanted = wordAt(reader, fields, expected, what).slice();
    const found = wordAt(reader, fields, actual, what);
    const lost = found.map((part, index) => wanted[index] & ~part);
    const gained = found.map((part, index) => part & ~wanted[index]);
    addBits(log, address, lost, STUCK_AT_0);
    addBits(log, address, gained, STUCK_AT_1);
  };
}

const BASE_NAMES = { 2: 'binary', 10: 'decimal', 16: 'hexadecimal' } as const;

function wordAt(reader: WordReader, fields: Fields, field: number, what: string): Uint32Array {
  const word = reader.read(fields.bytes, fields.starts[field], fields.ends[field]);
  if (word === undefined) throw unexpectedField(fields, field, what);
  return word;
}

/** The bases of addresses and words: as the options say, or as all numbers of the columns show. */
function settleBases(
  table: Table,
  positions: Positions,
  { addressBase, maskBase }: FaultFileOptions,
  words: MemoryWords,
) {
  const { address, mask, expected, actual } = positions;
  const watched: (readonly [number | undefined, BaseEvidence])[] = [];
  const addresses = addressEvidence();
  const masks = maskEvidence(words.bits);
  if (addressBase === undefined) watched.push([address, addresses]);
  if (maskBase === undefined) watched.push([mask, masks], [expected, masks], [actual, masks]);
  const seen = watched.flatMap(([field, evidence]) =>
    field === undefined ? [] : [{ field, evidence }],
  );
  if (seen.length > 0) {
    table.forEachRecord((fields) => {
      for (const { field, evidence } of seen) {
        if (field < fields.count) evidence.see(fields, field);
      }
    });
  }
  const hasWords = mask !== undefined || expected !== undefined;
  return {
    address: addressBase ?? (addresses.settle() === 16 ? 16 : 10),
    mask: maskBase ?? (hasWords ? masks.settle() : 16),
  } as const;
}

/** Reads the address of a record, over all banks; within its bank where the record has one. */
function addressReader(
  positions: Positions,
  options: WithGeometry,
  { addresses }: MemoryWords,
  base: 10 | 16,
  file: string,
): (fields: Fields, section: number | undefined) => number {
  const position = positions.address ?? 0;
  const { geometry, columnMux = 1 } = options;
  const inBank = dataGeometry(geometry).rows * columnMux;
  const bankOf = bankReader(positions, options, file);
  return (fields, section) => {
    const { bytes, starts, ends } = fields;
    const [start, end] = [starts[position], ends[position]];
    const address =
      base === 16 && !isPrefixed(bytes, start)
        ? hexadecimalAt(bytes, start, end)
        : wholeNumberAt(bytes, start, end);
    const isWithinBank = positions.bank !== undefined || section !== undefined;
    const limit = isWithinBank ? inBank : addresses;
    if (!(address >= 0 && address < limit)) {
      const where = isWithinBank ? ' within its bank' : '';
      throw unexpectedField(fields, position, `an address from 0 to ${limit - 1}${where}`);
    }
    return isWithinBank ? bankOf(fields, section) * inBank + address : address;
  };
}

function isPrefixed(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0x30 && (bytes[start + 1] | 32) === 0x78;
}
