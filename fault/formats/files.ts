import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import {
  decodeText,
  InputError,
  readFileChecked,
  utf8Bytes,
  writeFileAtomic,
} from '../../core/index.js';
import { type FaultMap, requireGeometry } from '../fault-map.js';
import type { CellGeometry } from '../geometry.js';
import { formatBinary, isBinary, readBinary } from './binary.js';
import { formatCsv, readCsv } from './csv.js';
import { type BitPermutation, descramble } from './descramble.js';
import { formatHex, readHex } from './hex.js';
import { formatFaultMap, readJson } from './json.js';
import { formatMatrices, readMatrices } from './matrices.js';
import { formatMbist, readMbist } from './mbist.js';
import { recordLines } from './place.js';
import type { ReadFaultFile } from './read-result.js';
import type { FaultFileOptions } from './words.js';

/** Formats of fault-map files, with the extensions under which they are written. */
export const FAULT_FILE_FORMATS = {
  json: ['.json'],
  binary: ['.bfm'],
  csv: ['.csv'],
  hex: ['.hex'],
  mbist: ['.mbist', '.log'],
  matrices: ['.csv,….csv'],
} as const;

/** A format of fault-map files. */
export type FaultFileFormat = keyof typeof FAULT_FILE_FORMATS;

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

const FIELD = String.raw`\s*(?:0x)?[0-9a-f]+\s*`;
const MBIST_RECORD = new RegExp(`^${FIELD},${FIELD}$`, 'i');
const HEX_RECORD = new RegExp(`^${FIELD}$`, 'i');
const MATRIX_RECORD = /^(?:\s*[01]\s*,)+\s*[01]\s*$/;

/** The format of a file by its first bytes, or its first line with a record. */
function recognise(bytes: Uint8Array, file: string): FaultFileFormat {
  if (isBinary(bytes)) return 'binary';
  const first = recordLines(bytes).next().value?.text.trim() ?? '';
  if (first.startsWith('{') || first.startsWith('[')) return 'json';
  if (/^address\b/.test(first) || MBIST_RECORD.test(first)) return 'mbist';
  if (HEX_RECORD.test(first)) return 'hex';
  if (MATRIX_RECORD.test(first)) {
    throw new InputError(
      `${file} is one 0/1 matrix; give a pair, STUCK-AT-0,STUCK-AT-1, with a comma between the files.`,
    );
  }
  if (first.includes(',')) return 'csv';
  const byExtension = formatOfExtension(file);
  if (byExtension !== undefined) return byExtension;
  throw new InputError(
    `${file}:1:1: no known fault-map format; expected Bitcell JSON or binary, a CSV table (bank,row,column,kind), a hexadecimal row dump, an MBIST log (address,fail-bit-mask) or two 0/1 matrices.`,
  );
}

function formatOfExtension(file: string): FaultFileFormat | undefined {
  const extension = extname(file).toLowerCase();
  const formats = Object.entries(FAULT_FILE_FORMATS) as [FaultFileFormat, readonly string[]][];
  return formats.find(([, extensions]) => extensions.includes(extension))?.[0];
}

function readOne(
  bytes: Uint8Array,
  file: string,
  format: Exclude<FaultFileFormat, 'matrices'>,
  options: FaultFileOptions,
): ReadFaultFile {
  switch (format) {
    case 'json':
      return readJson(decodeText(bytes, file), file);
    case 'binary':
      return readBinary(bytes, file);
    case 'csv':
      return readCsv(bytes, file, options);
    case 'hex':
      return readHex(bytes, file, options);
    case 'mbist':
      return readMbist(bytes, file, options);
  }
}

/** Decodes files whose bytes are read already; see `importFaultMap`. */
export function decodeFaultMap(
  files: readonly { readonly file: string; readonly bytes: Uint8Array }[],
  options: ReadMapOptions = {},
): ImportedFaultMap {
  const [first, second] = files.map(({ file, bytes }) => ({
    file,
    bytes: options.format === 'binary' || isBinary(bytes) ? bytes : utf8Bytes(bytes, file),
  }));
  const format = options.format ?? (second ? 'matrices' : recognise(first.bytes, first.file));
  if ((format === 'matrices') !== (second !== undefined)) {
    throw new InputError(
      `${first.file}: the format ${format} needs ${second ? 'one file' : 'two, STUCK-AT-0,STUCK-AT-1'}.`,
    );
  }
  const read =
    format === 'matrices'
      ? readMatrices([first.bytes, second.bytes], [first.file, second.file], options)
      : readOne(first.bytes, first.file, format, options);
  const name = files.map(({ file }) => file).join(',');
  const map: FaultMap = {
    geometry: read.geometry,
    ...read.faults,
    provenance: read.provenance ?? { source: 'file', file: name },
  };
  const { permutation, columnMux = 1 } = options;
  return {
    map: permutation ? descramble(map, permutation, columnMux) : map,
    format,
    repeatedLines: read.repeatedLines,
  };
}

/**
 * Reads a fault map from any of the formats, recognised by content: Bitcell JSON or binary, CSV table,
 * hexadecimal row dump, MBIST log, or a pair of 0/1 matrices (`stuck0.csv,stuck1.csv`).
 *
 * @throws InputError naming file and place of what is wrong; then nothing is read.
 */
export function importFaultMap(spec: string, options: ReadMapOptions = {}): ImportedFaultMap {
  const files = faultMapFiles(spec).map((file) => ({ file, bytes: readFileChecked(file) }));
  return decodeFaultMap(files, options);
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
    case 'matrices':
    case undefined:
      throw new InputError(
        `Cannot write ${file}: its extension says no format; use .json, .bfm, .csv, .hex, .mbist, or two .csv files with a comma between them.`,
      );
  }
}
