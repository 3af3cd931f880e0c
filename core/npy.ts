import { InputError } from './errors.js';
import { excerpt } from './excerpt.js';
import { readFileChecked } from './files.js';
import { writeFileAtomic } from './write-files.js';

/** An array in C order: `data` holds the product of `shape` values. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array | Int32Array;
}

/** An array of float32 in C order. */
export interface NpyFloat32Array extends NpyArray {
  readonly data: Float32Array;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const VERSION_BYTES = 2;
/** numpy pads the header so that the data start at a multiple of this. */
const ALIGNMENT = 64;

const ELEMENT_TYPES = {
  '<f4': Float32Array,
  '|u1': Uint8Array,
  '<i4': Int32Array,
} as const;

/** Element types of arrays that are read, as the header of a .npy file names them. */
export type NpyElementType = keyof typeof ELEMENT_TYPES;

function isElementType(descr: string): descr is NpyElementType {
  return Object.hasOwn(ELEMENT_TYPES, descr);
}

const TYPE_NAMES: Readonly<Record<NpyElementType, string>> = {
  '<f4': "float32 ('<f4')",
  '|u1': "uint8 ('|u1')",
  '<i4': "int32 ('<i4')",
};

/** Words as "a, b or c". */
function anyOf(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
}

/** Reads the value of one key of the header, which is the literal of a Python dictionary. */
function headerField(header: string, key: string, pattern: string, file: string): string {
  const match = new RegExp(`['"]${key}['"]\\s*:\\s*${pattern}`).exec(header);
  if (match === null) {
    throw new InputError(
      `${file} is not a .npy file that can be read: its header has no valid '${key}': ${excerpt(header.trim())}.`,
    );
  }
  return match[1];
}

/** What the header of a `.npy` file says. */
export interface NpyHeader {
  /** The type of the elements as numpy writes it, such as `<f4`. */
  readonly descr: string;
  /** Whether the first index runs fastest. */
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** The byte at which the elements begin. */
  readonly dataStart: number;
}

/** Whether bytes begin as a `.npy` file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, position) => bytes[position] === byte);
}

/**
 * Reads the header of a `.npy` file, format 1.0 or 2.0, of any type and order.
 *
 * @param bytes the file, or as much of it as holds the header
 * @throws InputError naming the file when it is no header that can be read
 */
export function readNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const { start, end } = headerRange(bytes, file);
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, end));
  const descr = headerField(header, 'descr', `(\\[.*?\\]|'[^']*'|"[^"]*")`, file).replace(
    /^['"]|['"]$/g,
    '',
  );
  const isFortranOrder = headerField(header, 'fortran_order', '(True|False)', file) === 'True';
  const dimensions = headerField(header, 'shape', '\\(([\\d\\s,]*)\\)', file);
  const shape = (dimensions.match(/\d+/g) ?? []).map(Number);
  if (!shape.every(Number.isSafeInteger)) {
    throw new InputError(
      `${file} has the shape (${excerpt(dimensions)}), which is larger than any file.`,
    );
  }
  return { descr, isFortranOrder, shape, dataStart: end };
}

function requireElementType(
  { descr, isFortranOrder }: NpyHeader,
  file: string,
  wanted: readonly NpyElementType[],
): NpyElementType {
  if (!isElementType(descr)) {
    throw new InputError(
      `${file} holds values of numpy type ${excerpt(descr)}; save it as ${anyOf(wanted.map((type) => TYPE_NAMES[type]))}.`,
    );
  }
  if (isFortranOrder) {
    throw new InputError(
      `${file} is in Fortran order; save it in C order, for example with numpy.ascontiguousarray.`,
    );
  }
  return descr;
}

/** Where the header lies: version 1.0 gives its length in two bytes, version 2.0 in four. */
function headerRange(bytes: Uint8Array, file: string): { start: number; end: number } {
  const versionEnd = MAGIC.length + VERSION_BYTES;
  if (!isNpy(bytes)) {
    throw new InputError(`${file} is not a .npy file: it does not start with \\x93NUMPY.`);
  }
  const major = bytes[MAGIC.length];
  if (bytes.length >= versionEnd && major !== 1 && major !== 2) {
    throw new InputError(
      `${file} is a .npy file of format version ${major}.${bytes[MAGIC.length + 1]}; only 1.0 and 2.0 can be read.`,
    );
  }
  const lengthBytes = major === 1 ? 2 : 4;
  const start = versionEnd + lengthBytes;
  if (bytes.length < start) throw truncated(file, start, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length =
    lengthBytes === 2 ? view.getUint16(versionEnd, true) : view.getUint32(versionEnd, true);
  if (bytes.length < start + length) throw truncated(file, start + length, bytes.length);
  return { start, end: start + length };
}

function truncated(file: string, expected: number, found: number): InputError {
  return new InputError(
    `${file} is cut short: it has ${found} bytes, but its header and data need at least ${expected}.`,
  );
}

/**
 * Decodes a `.npy` file, format 1.0 or 2.0 (NumPy Enhancement Proposal 1), of little-endian float32,
 * uint8 or int32 in C order. The values are copied.
 *
 * @param file Name for messages.
 * @param wanted The types to ask for where the file has one that cannot be read; default: all others.
 * @throws InputError when it is anything else, cut short, or followed by more bytes.
 */
export function decodeNpy(
  bytes: Uint8Array,
  file: string,
  wanted: readonly NpyElementType[] = ['<f4', '|u1', '<i4'],
): NpyArray {
  const header = readNpyHeader(bytes, file);
  const { shape, dataStart: end } = header;
  const Values = ELEMENT_TYPES[requireElementType(header, file, wanted)];
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = end + count * Values.BYTES_PER_ELEMENT;
  if (bytes.length < expected) throw truncated(file, expected, bytes.length);
  if (bytes.length > expected) {
    throw new InputError(
      `${file} is too long: it has ${bytes.length} bytes, but its one array of shape (${shape.join(', ')}) ends after ${expected}.`,
    );
  }
  return { shape, data: new Values(Uint8Array.from(bytes.subarray(end)).buffer) };
}

/** Encodes a float32 array as `.npy` format 1.0, the same bytes as numpy.save. */
export function encodeNpy(array: NpyFloat32Array): Uint8Array<ArrayBuffer> {
  const dimensions = array.shape.length === 1 ? `${array.shape[0]},` : array.shape.join(', ');
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const prefix = MAGIC.length + VERSION_BYTES + 2;
  const unpadded = prefix + dictionary.length + 1;
  const end = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = `${dictionary.padEnd(end - prefix - 1)}\n`;
  const bytes = new Uint8Array(end + array.data.byteLength);
  bytes.set(MAGIC);
  bytes.set([1, 0], MAGIC.length);
  new DataView(bytes.buffer).setUint16(MAGIC.length + VERSION_BYTES, header.length, true);
  bytes.set(new TextEncoder().encode(header), prefix);
  bytes.set(new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength), end);
  return bytes;
}

/**
 * Reads a `.npy` file of float32, uint8 or int32 (see `decodeNpy`).
 *
 * @throws InputError naming the file.
 */
export function readNpy(path: string): NpyArray {
  return decodeNpy(readFileChecked(path), path);
}

/**
 * Reads a `.npy` file that must hold float32.
 *
 * @throws InputError naming the file.
 */
export function readFloat32Npy(path: string): NpyFloat32Array {
  const { shape, data } = decodeNpy(readFileChecked(path), path, ['<f4']);
  if (!(data instanceof Float32Array)) {
    const found = data instanceof Uint8Array ? 'uint8' : 'int32';
    throw new InputError(`${path} holds ${found} values; save it as float32.`);
  }
  return { shape, data };
}

/**
 * Writes a float32 array as a `.npy` file, atomically.
 *
 * @throws InputError naming the file when it cannot be written.
 */
export function writeNpy(path: string, array: NpyFloat32Array): void {
  writeFileAtomic(path, encodeNpy(array));
}
