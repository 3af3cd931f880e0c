import { z } from 'zod';
import { InputError, parseJson, readFileChecked, writeFileAtomic } from '../core/index.js';
import {
  type CellGeometry,
  FAULT_KINDS,
  type FaultKind,
  type FaultMap,
  type Provenance,
} from './fault-map.js';
import { cellAt, cellIndex, checkGeometry } from './geometry.js';

const FORMAT = 'bitcell-fault-map';
const VERSION = 1;

const object = { error: 'an object' };
const size = z.int({ error: 'a positive whole number' }).positive();
const wholeNumber = z.int({ error: 'a whole number from 0' }).nonnegative();

const provenanceSchema = z.discriminatedUnion(
  'source',
  [
    z.strictObject({
      source: z.literal('generated'),
      generator: z.literal('uniform', { error: '"uniform"' }),
      seed: wholeNumber,
      trial: wholeNumber,
      rate: z.number({ error: 'a number from 0 to 1' }).min(0).max(1),
      faults: z.enum([...FAULT_KINDS, 'stuck-at'], {
        error: `one of ${FAULT_KINDS.join(', ')}, stuck-at`,
      }),
    }),
    z.strictObject({ source: z.literal('file'), file: z.string({ error: 'the name of a file' }) }),
  ],
  { error: ({ code }) => (code === 'invalid_union' ? '"generated" or "file"' : 'an object') },
);

const headerSchema = z.strictObject(
  {
    format: z.literal(FORMAT, { error: `"${FORMAT}"` }),
    version: z.literal(VERSION, { error: `${VERSION}, the only version there is` }),
    geometry: z.strictObject({ banks: size, rows: size, columns: size }, object),
    provenance: provenanceSchema.optional(),
    // Entries are checked apart: there may be millions, and a message must show the whole entry.
    faults: z.array(z.unknown(), { error: 'a list of [bank, row, column, kind]' }),
  },
  object,
);

/** A value of the file as it stands there, shortened. */
function excerpt(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}

function headerError(issue: z.core.$ZodIssue, root: unknown, file: string): InputError {
  const place = issue.path.length === 0 ? 'the top level' : issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return new InputError(`${file}: unknown field "${issue.keys[0]}" at ${place}; remove it.`);
  }
  const value = valueAt(root, issue.path);
  const found = value === undefined ? 'is missing' : `is ${excerpt(value)}`;
  return new InputError(`${file}: ${place} ${found}; expected ${issue.message}.`);
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
  entries: readonly unknown[],
  geometry: CellGeometry,
  file: string,
): Pick<FaultMap, 'cells' | 'kinds'> {
  const cells = new Float64Array(entries.length);
  const kinds = new Uint8Array(entries.length);
  entries.forEach((entry, position) => {
    const parsed = parseEntry(entry, geometry);
    if (typeof parsed === 'string') {
      throw new InputError(
        `${file}: faults[${position}] is ${excerpt(entry)}; expected ${parsed}.`,
      );
    }
    cells[position] = parsed.cell;
    kinds[position] = FAULT_KINDS.indexOf(parsed.kind);
  });
  // The sort is stable, so of two equal cells the earlier entry comes first.
  const order = Uint32Array.from(cells.keys()).sort((a, b) => cells[a] - cells[b]);
  for (let rank = 1; rank < order.length; rank += 1) {
    const [first, second] = [order[rank - 1], order[rank]];
    if (cells[first] === cells[second]) {
      throw new InputError(
        `${file}: faults[${second}] is ${excerpt(entries[second])}, the same cell as faults[${first}]; expected each cell once.`,
      );
    }
  }
  return {
    cells: Float64Array.from(order, (position) => cells[position]),
    kinds: Uint8Array.from(order, (position) => kinds[position]),
  };
}

/**
 * Decodes a fault map in Bitcell JSON, version 1: an object with `format` ("bitcell-fault-map"),
 * `version`, `geometry`, optionally `provenance`, and `faults`, a list of [bank, row, column, kind]
 * in any order.
 *
 * @param file Name for messages, and the provenance of a map that states none.
 * @throws InputError that names the file and the field, or the entry, with its value and what was
 * expected: unknown or missing fields, another version, cells out of range, the same cell twice.
 */
export function parseFaultMap(text: string, file: string): FaultMap {
  const root = parseJson(text, file);
  const header = headerSchema.safeParse(root);
  if (!header.success) throw headerError(header.error.issues[0], root, file);
  const { geometry, provenance = { source: 'file', file }, faults } = header.data;
  checkGeometry(geometry, `${file}: geometry`);
  return { geometry, ...parseFaults(faults, geometry, file), provenance };
}

/** The provenance with its fields in the order of the format, whatever order the object has. */
function orderedProvenance(provenance: Provenance): Provenance {
  if (provenance.source === 'file') return { source: 'file', file: provenance.file };
  const { source, generator, seed, trial, rate, faults } = provenance;
  return { source, generator, seed, trial, rate, faults };
}

/**
 * Encodes a fault map in Bitcell JSON, one fault a line, ascending. Equal maps give equal bytes;
 * `parseFaultMap` is the inverse.
 */
export function formatFaultMap(map: FaultMap): string {
  const { banks, rows, columns } = map.geometry;
  const faults = Array.from(map.cells, (index, position) => {
    const { bank, row, column } = cellAt(map.geometry, index);
    return `    [${bank},${row},${column},"${FAULT_KINDS[map.kinds[position]]}"]`;
  });
  const header = [
    `  "format": "${FORMAT}"`,
    `  "version": ${VERSION}`,
    `  "geometry": ${JSON.stringify({ banks, rows, columns })}`,
    `  "provenance": ${JSON.stringify(orderedProvenance(map.provenance))}`,
  ].join(',\n');
  const list = faults.length === 0 ? '[]' : `[\n${faults.join(',\n')}\n  ]`;
  return `{\n${header},\n  "faults": ${list}\n}\n`;
}

/**
 * Reads a fault map in Bitcell JSON (see `parseFaultMap`).
 *
 * @throws InputError naming the file.
 */
export function readFaultMap(path: string): FaultMap {
  return parseFaultMap(new TextDecoder().decode(readFileChecked(path)), path);
}

/**
 * Writes a fault map in Bitcell JSON, atomically.
 *
 * @throws InputError naming the file when it cannot be written.
 */
export function writeFaultMap(path: string, map: FaultMap): void {
  writeFileAtomic(path, formatFaultMap(map));
}
