import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import {
  type ByteSource,
  bytesSource,
  InputError,
  openByteSource,
  writeFileAtomic,
} from '../../core/index.js';
import type { FaultList } from '../fault-list.js';
import { type FaultMap, requireGeometry } from '../fault-map.js';
import type { CellGeometry } from '../geometry.js';
import { binary, formatBinary } from './binary.js';
import { bitmap } from './bitmap.js';
import { type ConditionLabels, conditionOf } from './columns.js';
import { csv, formatCsv } from './csv.js';
import { type BitPermutation, descramble } from './descramble.js';
import type { FaultFormat } from './fault-format.js';
import { formatHex, hex } from './hex.js';
import { formatFaultMap, json } from './json.js';
import { list } from './list.js';
import { formatMatrices, MATRICES_TAKE, readMatrices } from './matrices.js';
import { matrix } from './matrix.js';
import { formatMbist, mbist } from './mbist.js';
import { memh } from './memh.js';
import { npy } from './npy.js';
import { contentOf } from './other-files.js';
import {
  type FaultFileOptions,
  READING_FLAGS,
  READING_OPTIONS,
  type ReadingOption,
} from './read-options.js';
import type { ReadFaultFile } from './read-result.js';
import { recognise } from './recognise.js';

/** Formats of fault-map files; `matrices` is a pair of files, all others are one. */
export const FAULT_FILE_FORMATS = [
  'json',
  'binary',
  'csv',
  'list',
  'hex',
  'memh',
  'mbist',
  'matrix',
  'matrices',
  'npy',
  'bitmap',
] as const;

/** A format of fault-map files. */
export type FaultFileFormat = (typeof FAULT_FILE_FORMATS)[number];

/** The extensions under which formats are written. */
const EXTENSIONS = {
  json: ['.json'],
  binary: ['.bfm'],
  csv: ['.csv'],
  hex: ['.hex'],
  mbist: ['.mbist', '.log'],
} as const satisfies Partial<Record<FaultFileFormat, readonly string[]>>;

type WrittenFormat = keyof typeof EXTENSIONS;

/** What a fault-map file does not say itself, and how to read it. */
export interface ReadMapOptions extends FaultFileOptions {
  /** Default: recognised by the content of the file. */
  readonly format?: FaultFileFormat | undefined;
  /** Undoes the scrambling of addresses and data bits; default: none. */
  readonly permutation?: BitPermutation | undefined;
}

/** A map that was read, and what was noticed. */
export interface ImportedFaultMap {
  readonly map: FaultMap;
  readonly format: FaultFileFormat;
  /** Lines of a log that repeat what earlier lines report; the map holds each fault once. */
  readonly repeatedLines: number;
}

/**
 * The files that a specification names: one, or a pair of 0/1 matrices, first stuck-at-0, then
 * stuck-at-1, with a comma between them (`stuck0.csv,stuck1.csv`). A file whose name has a comma is
 * itself.
 *
 * @throws InputError when there are more than two.
 */
export function faultMapFiles(spec: string): readonly string[] {
  if (!spec.includes(',') || existsSync(spec)) return [spec];
  const files = spec.split(',').map((file) => file.trim());
  if (files.length > 2 || files.includes('')) {
    throw new InputError(
      `"${spec}" names ${files.length} files; give one file, or two 0/1 matrices: STUCK-AT-0,STUCK-AT-1.`,
    );
  }
  return files;
}

/** The formats of one file, each with the reader of the same name; what is no text comes first. */
const FORMATS = {
  binary,
  npy,
  json,
  memh,
  mbist,
  csv,
  list,
  hex,
  matrix,
  bitmap,
} as const satisfies Readonly<Record<Exclude<FaultFileFormat, 'matrices'>, FaultFormat>>;

type SingleFormat = keyof typeof FORMATS;

const ENTRIES = Object.entries(FORMATS) as readonly [SingleFormat, FaultFormat][];

/** @throws InputError when an option says what this format has no use for */
function requireUse(
  file: string,
  title: string,
  takes: readonly ReadingOption[],
  options: FaultFileOptions,
): void {
  const useless = READING_OPTIONS.find(
    (name) => options[name] !== undefined && !takes.includes(name),
  );
  if (useless === undefined) return;
  const remedy =
    useless === 'kind' ? 'it says itself what its faults do' : 'it has no use for the option';
  throw new InputError(
    `${file} is read as ${title}: ${remedy}; leave ${READING_FLAGS[useless]} away, or choose another format with --from.`,
  );
}

function readOne(
  given: ByteSource,
  options: ReadMapOptions,
): { readonly read: ReadFaultFile; readonly format: SingleFormat } {
  const source = contentOf(given);
  if (options.format === 'matrices') throw wrongCount(source.file, 'matrices', 1);
  const format = options.format ?? recognise(source, ENTRIES, options);
  const { title, takes, read } = FORMATS[format] satisfies FaultFormat;
  requireUse(source.file, title, takes, options);
  return { read: read(source, options), format };
}

function wrongCount(file: string, format: FaultFileFormat, files: number): InputError {
  const needed = files === 1 ? 'two, STUCK-AT-0,STUCK-AT-1' : 'one file';
  return new InputError(`${file}: the format ${format} needs ${needed}.`);
}

function readPair(
  given: readonly [ByteSource, ByteSource],
  options: ReadMapOptions,
): { readonly read: ReadFaultFile; readonly format: 'matrices' } {
  const { file } = given[0];
  const { format = 'matrices' } = options;
  if (format !== 'matrices') throw wrongCount(file, format, 2);
  requireUse(file, 'one of a pair of 0/1 matrices', MATRICES_TAKE, options);
  return { read: readMatrices([contentOf(given[0]), contentOf(given[1])], options), format };
}

/** Reads files of bytes; see `importFaultMap`. */
function readSources(sources: readonly ByteSource[], options: ReadMapOptions): ImportedFaultMap {
  const [first, second] = sources;
  const { read, format } = second ? readPair([first, second], options) : readOne(first, options);
  const file = sources.map((source) => source.file).join(',');
  return {
    map: mapOf(read, read.faults, file, options),
    format,
    repeatedLines: read.repeatedLines,
  };
}

function mapOf(
  { geometry, provenance, notes }: ReadFaultFile,
  faults: FaultList,
  file: string,
  { permutation, columnMux = 1 }: ReadMapOptions,
): FaultMap {
  const map: FaultMap = {
    geometry,
    ...faults,
    provenance: provenance ?? { source: 'file', file, ...notes },
  };
  return permutation ? descramble(map, permutation, columnMux) : map;
}

/** A die at a voltage as a file says it: what is not there the file does not say. */
export interface ImportedDie {
  readonly labels: ConditionLabels;
  readonly map: FaultMap;
}

/**
 * Reads the dies and voltages of a file: a map for each combination of the labels die, lot, wafer, x, y and voltage
 * of a table; of any other file one. A line of a table with labels alone is of a die without a fault.
 *
 * @throws InputError as `importFaultMap`
 */
export function importDies(file: string, options: ReadMapOptions): readonly ImportedDie[] {
  const { read } = readOne(openByteSource(file), { ...options, isSplit: true });
  const shared = labelsOfFile(read);
  const parts = read.parts ?? [{ labels: {}, faults: read.faults }];
  return parts.map(({ labels, faults }) => ({
    labels: { ...shared, ...labels },
    map: mapOf({ ...read, notes: undefined }, faults, file, options),
  }));
}

/** What a file says of all its faults. */
function labelsOfFile({ provenance, notes }: ReadFaultFile): ConditionLabels {
  const labels = notes?.labels ?? (provenance?.source === 'file' ? provenance.labels : undefined);
  return Object.fromEntries(
    Object.entries(labels ?? {}).flatMap(([label, values]) => {
      const name = conditionOf(label);
      return name === undefined || values.length !== 1 ? [] : [[name, values[0]] as const];
    }),
  );
}

/** Decodes files whose bytes are read already; see `importFaultMap`. */
export function decodeFaultMap(
  files: readonly { readonly file: string; readonly bytes: Uint8Array }[],
  options: ReadMapOptions = {},
): ImportedFaultMap {
  const sources = files.map(({ file, bytes }) => bytesSource(bytes, file));
  return readSources(sources, options);
}

/**
 * Reads a fault map from any of the formats: by its content where that can be read in one of them only, else in the
 * one that the options say. `-` is standard input; what gzip packed is unpacked; two files with a comma between them
 * are a pair of 0/1 matrices.
 *
 * @throws InputError naming file and place of what is wrong, or the option that decides between two readings; then
 * nothing is read.
 */
export function importFaultMap(spec: string, options: ReadMapOptions = {}): ImportedFaultMap {
  return readSources(faultMapFiles(spec).map(openByteSource), options);
}

/** The map of `importFaultMap`. */
export function readFaultMap(spec: string, options: ReadMapOptions = {}): FaultMap {
  return importFaultMap(spec, options).map;
}

/**
 * Reads a fault map for a given memory, in any of the formats.
 *
 * @throws InputError naming the file when it is wrong or for another memory.
 */
export function loadFaultMap(
  spec: string,
  geometry: CellGeometry,
  options: Omit<ReadMapOptions, 'geometry'> = {},
): FaultMap {
  const map = readFaultMap(spec, { ...options, geometry });
  requireGeometry(map, geometry, spec);
  return map;
}

/**
 * Writes a fault map in the format of the extension (FAULT_FILE_FORMATS; two files with a comma between
 * them: a pair of 0/1 matrices), each file atomically. Equal maps give equal bytes.
 *
 * @param options.columnMux Words that interleave in a row, for addresses of MBIST logs; default 1.
 * @throws InputError when the extension is unknown, the format cannot hold the map, or the file cannot be
 * written.
 */
export function writeFaultMap(
  spec: string,
  map: FaultMap,
  { columnMux = 1 }: Pick<FaultFileOptions, 'columnMux'> = {},
): void {
  const files = faultMapOutputs(spec);
  if (files.length === 2) {
    const matrices = formatMatrices(map, spec);
    files.forEach((file, index) => {
      writeFileAtomic(file, matrices[index]);
    });
    return;
  }
  writeFileAtomic(spec, encode(spec, map, columnMux));
}

/** The files that `writeFaultMap` writes: one, or the two of a pair of 0/1 matrices. */
export function faultMapOutputs(spec: string): readonly string[] {
  const files = spec.split(',');
  return files.length === 2 ? files.map((file) => file.trim()) : [spec];
}

function formatOfExtension(file: string): WrittenFormat | undefined {
  const extension = extname(file).toLowerCase();
  const formats = Object.entries(EXTENSIONS) as [WrittenFormat, readonly string[]][];
  return formats.find(([, extensions]) => extensions.includes(extension))?.[0];
}

function encode(file: string, map: FaultMap, columnMux: number): string | Uint8Array {
  switch (formatOfExtension(file)) {
    case 'json':
      return formatFaultMap(map);
    case 'binary':
      return formatBinary(map);
    case 'csv':
      return formatCsv(map);
    case 'hex':
      return formatHex(map, file);
    case 'mbist':
      return formatMbist(map, file, columnMux);
    case undefined:
      throw new InputError(
        `Cannot write ${file}: its extension says no format; use .json, .bfm, .csv, .hex, .mbist, or two .csv files with a comma between them.`,
      );
  }
}
