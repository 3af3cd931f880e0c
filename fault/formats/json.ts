import { z } from 'zod';
import {
  allBytes,
  decodeText,
  excerpt,
  fieldName,
  firstIssue,
  foundAndExpected,
  InputError,
  parseJson,
  placeInJson,
  shownValue,
} from '../../core/index.js';
import { FAULT_KINDS, type FaultKind } from '../fault-kind.js';
import { sortFaults } from '../fault-list.js';
import type { FaultMap, Provenance } from '../fault-map.js';
import { type CellGeometry, cellAt, cellIndex, checkGeometry, plainGeometry } from '../geometry.js';
import type { FaultFormat } from './fault-format.js';
import { jsonTable } from './json-table.js';
import { errorAt, requireRoomForText } from './place.js';
import {
  formatProvenance,
  provenanceSchema,
  provenanceSchema1,
  upgradeProvenance,
} from './provenance.js';
import { READING_FLAGS, READING_OPTIONS } from './read-options.js';
import type { ReadFaultFile } from './read-result.js';
import { readTable } from './table.js';

const FORMAT = 'bitcell-fault-map';
const VERSION = 2;

const object = { error: 'an object' };
const size = z.int({ error: 'a positive whole number' }).positive();
const extraSize = z.int({ error: 'a whole number from 0' }).nonnegative().optional();

const versionSchema = z.looseObject(
  {
    format: z.literal(FORMAT, { error: `"${FORMAT}"` }),
    version: z.union([z.literal(1), z.literal(VERSION)], { error: `1 or ${VERSION}` }),
  },
  object,
);

// Entries are checked apart: there may be millions, and a message must show the whole entry.
const entries = z.array(z.unknown(), { error: 'a list of [bank, row, column, kind]' });

const schema1 = z.strictObject({
  ...versionSchema.shape,
  geometry: z.strictObject({ banks: size, rows: size, columns: size }, object),
  provenance: provenanceSchema1.transform(upgradeProvenance).optional(),
  faults: entries,
});

const schema2 = z.strictObject({
  ...versionSchema.shape,
  geometry: z.strictObject(
    {
      banks: size,
      rows: size,
      columns: size,
      spareRows: extraSize,
      checkColumns: extraSize,
      spareColumns: extraSize,
    },
    object,
  ),
  provenance: provenanceSchema.optional(),
  faults: entries,
});

/** A file as it is read: its text for the places in messages, and its name. */
interface Source {
  readonly text: string;
  readonly file: string;
}

function errorAtPath(
  { text, file }: Source,
  path: readonly PropertyKey[],
  problem: string,
): InputError {
  const { line, column } = placeInJson(text, path);
  return errorAt(file, line, column, problem);
}

function schemaError(error: z.ZodError, root: unknown, source: Source): InputError {
  const issue = firstIssue(error, root);
  const { path, unknownKey } = issue;
  if (unknownKey === undefined) {
    return errorAtPath(source, path, `${placeName(path)} ${foundAndExpected(issue)}`);
  }
  const around = placeName(path.slice(0, -1));
  const problem = `unknown field "${excerpt(unknownKey)}" at ${around}; remove it`;
  return errorAtPath(source, path, problem);
}

function placeName(path: readonly PropertyKey[]): string {
  return fieldName(path) || 'the top level';
}

function isBelow(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < limit;
}

function isFaultKind(value: unknown): value is FaultKind {
  return FAULT_KINDS.some((kind) => kind === value);
}

/** Reads one entry into its cell and kind, or says what was expected in its place. */
function parseEntry(
  entry: unknown,
  geometry: CellGeometry,
): { cell: number; kind: FaultKind } | string {
  const { banks, rows, columns } = geometry;
  if (!Array.isArray(entry) || entry.length !== 4) return '[bank, row, column, kind]';
  const [bank, row, column, kind]: unknown[] = entry;
  if (!isBelow(bank, banks)) return `a bank from 0 to ${banks - 1}`;
  if (!isBelow(row, rows)) return `a row from 0 to ${rows - 1}`;
  if (!isBelow(column, columns)) return `a column from 0 to ${columns - 1}`;
  if (!isFaultKind(kind)) return `a kind that is one of ${FAULT_KINDS.join(', ')}`;
  return { cell: cellIndex(geometry, { bank, row, column }), kind };
}

function parseFaults(
  list: readonly unknown[],
  geometry: CellGeometry,
  source: Source,
): ReadFaultFile['faults'] {
  const cells = new Float64Array(list.length);
  const kinds = new Uint8Array(list.length);
  list.forEach((entry, position) => {
    const parsed = parseEntry(entry, geometry);
    if (typeof parsed === 'string') {
      const problem = `faults[${position}] is ${shownValue(entry)}; expected ${parsed}`;
      throw errorAtPath(source, ['faults', position], problem);
    }
    cells[position] = parsed.cell;
    kinds[position] = FAULT_KINDS.indexOf(parsed.kind);
  });
  const sorted = sortFaults({ cells, kinds });
  const twice = sorted.cells.find((cell, rank) => rank > 0 && sorted.cells[rank - 1] === cell);
  if (twice !== undefined) {
    const first = cells.indexOf(twice);
    const second = cells.indexOf(twice, first + 1);
    const problem = `faults[${second}] is ${shownValue(list[second])}, the same cell as faults[${first}]; expected each cell once`;
    throw errorAtPath(source, ['faults', second], problem);
  }
  return sorted;
}

/**
 * Bitcell's own JSON; or the records of a table as JSON: a list of objects, or of lists that the options name, by
 * itself, a record a line, or as one field of an object whose other fields are labels; or a list for each column.
 */
export const json: FaultFormat = {
  title: 'JSON',
  takes: ['kind', 'columns', 'indexBase', 'addressBase', 'maskBase', 'select'],
  recognises: ({ records: [first] }) =>
    /^\s*(?:\{|\[\s*(?:[[{\]"\d-]|$))/.test(first ?? '') ? 'certain' : 'no',
  read(source, options) {
    const { file } = source;
    const text = decodeText(allBytes(source), file);
    const table = jsonTable(text, file, options.columns);
    if (table !== undefined) return readTable(table, source, options, 'JSON of records');
    const flag = READING_OPTIONS.find((name) => options[name] !== undefined);
    if (flag !== undefined) {
      throw new InputError(
        `${file} is a fault map in Bitcell JSON, which says itself what its faults are; leave ${READING_FLAGS[flag]} away.`,
      );
    }
    return readJson(text, file);
  },
};

/**
 * Reads a fault map in Bitcell JSON, version 1 or 2: an object with `format` ("bitcell-fault-map"),
 * `version`, `geometry`, optionally `provenance`, and `faults`, a list of [bank, row, column, kind]
 * in any order, each cell once.
 *
 * @throws InputError naming the file, line, column, field or entry with its value, and what was expected.
 */
export function readJson(text: string, file: string): ReadFaultFile {
  const source = { text, file };
  const root = parseJson(text, file);
  const version = versionSchema.safeParse(root);
  if (!version.success) throw schemaError(version.error, root, source);
  const header = (version.data.version === 1 ? schema1 : schema2).safeParse(root);
  if (!header.success) throw schemaError(header.error, root, source);
  const { geometry, faults } = header.data;
  const provenance: Provenance | undefined = header.data.provenance;
  const { line, column } = placeInJson(text, ['geometry']);
  checkGeometry(geometry, `${file}:${line}:${column}: the memory`);
  return { geometry, faults: parseFaults(faults, geometry, source), provenance, repeatedLines: 0 };
}

/**
 * Decodes a fault map in Bitcell JSON (see `readJson`).
 *
 * @param file Name for messages, and the provenance of a map that states none.
 * @throws InputError as `readJson` does.
 */
export function parseFaultMap(text: string, file: string): FaultMap {
  const { geometry, faults, provenance = { source: 'file', file } } = readJson(text, file);
  return { geometry, ...faults, provenance };
}

/**
 * Encodes a fault map in Bitcell JSON, one fault a line, ascending. Equal maps give equal bytes;
 * `parseFaultMap` is the inverse.
 */
export function formatFaultMap(map: FaultMap): string {
  requireRoomForText(map.cells.length, 'JSON');
  const faults = Array.from(map.cells, (index, position) => {
    const { bank, row, column } = cellAt(map.geometry, index);
    return `    [${bank},${row},${column},"${FAULT_KINDS[map.kinds[position]]}"]`;
  });
  const header = [
    `  "format": "${FORMAT}"`,
    `  "version": ${VERSION}`,
    `  "geometry": ${JSON.stringify(plainGeometry(map.geometry))}`,
    `  "provenance": ${formatProvenance(map.provenance)}`,
  ].join(',\n');
  const list = faults.length === 0 ? '[]' : `[\n${faults.join(',\n')}\n  ]`;
  return `{\n${header},\n  "faults": ${list}\n}\n`;
}
