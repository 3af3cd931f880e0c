import { InputError } from './errors.js';
import { excerpt } from './excerpt.js';
import { readFileChecked } from './files.js';
import { writeFileAtomic } from './write-files.js';

/** The arrays that hold the elements of a `.npy` file, by numpy's name of their type. */
export interface NpyData {
  readonly bool: Uint8Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  /** As float32, which holds each of its values. */
  readonly float16: Float32Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}

/** Types of elements that are read, as numpy names them. */
export type NpyElementType = keyof NpyData;

/** An array of one type in C order: `data` holds the product of `shape` values. */
export interface NpyArrayOf<T extends NpyElementType> {
  readonly elementType: T;
  readonly shape: readonly number[];
  readonly data: NpyData[T];
}

/** An array in C order. */
export type NpyArray = { readonly [T in NpyElementType]: NpyArrayOf<T> }[NpyElementType];

/** An array of float32 in C order. */
export interface NpyFloat32Array {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const VERSION_BYTES = 2;
/** numpy pads the header so that the data start at a multiple of this. */
const ALIGNMENT = 64;

/** Types by what a header says behind the mark of the order of bytes. */
const TYPES_BY_CODE: ReadonlyMap<string, NpyElementType> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['u1', 'uint8'],
  ['i2', 'int16'],
  ['u2', 'uint16'],
  ['i4', 'int32'],
  ['u4', 'uint32'],
  ['i8', 'int64'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
]);

const DESCRIPTIONS = new Map(
  [...TYPES_BY_CODE].map(([code, type]) => [type, `${code[1] === '1' ? '|' : '<'}${code}`]),
);

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

function elementTypeOf({ descr }: NpyHeader, file: string): NpyElementType {
  const type = /^[<>|=]/.test(descr) ? TYPES_BY_CODE.get(descr.slice(1)) : undefined;
  if (type) return type;
  throw new InputError(
    `${file} holds values of numpy type ${excerpt(descr)}; save it as numbers, such as float32 ('<f4').`,
  );
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
 * Decodes a `.npy` file, format 1.0 or 2.0 (NumPy Enhancement Proposal 1), of numbers or truth values of any type, order
 * of bytes and order of axes. The values are copied, into C order.
 *
 * @param file Name for messages.
 * @throws InputError when it is anything else, cut short, or followed by more bytes.
 */
export function decodeNpy(bytes: Uint8Array, file: string): NpyArray {
  const header = readNpyHeader(bytes, file);
  const { shape, dataStart } = header;
  const elementType = elementTypeOf(header, file);
  const width = Number(header.descr.slice(2));
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = dataStart + count * width;
  if (bytes.length < expected) throw truncated(file, expected, bytes.length);
  if (bytes.length > expected) {
    throw new InputError(
      `${file} is too long: it has ${bytes.length} bytes, but its one array of shape (${shape.join(', ')}) ends after ${expected}.`,
    );
  }
  const content = Uint8Array.from(bytes.subarray(dataStart));
  if (header.descr.startsWith('>')) reverseBytes(content, width);
  const ordered = header.isFortranOrder ? toCOrder(content, shape, width) : content;
  return arrayOf(elementType, shape, ordered.buffer);
}

/** Turns the bytes of each value round: from the most significant first to the least. */
function reverseBytes(content: Uint8Array, width: number): void {
  for (let start = 0; start < content.length; start += width) {
    content.subarray(start, start + width).reverse();
  }
}

/** From an array whose first index runs fastest to one whose last index does. */
function toCOrder(
  content: Uint8Array<ArrayBuffer>,
  shape: readonly number[],
  width: number,
): Uint8Array<ArrayBuffer> {
  const ordered = new Uint8Array(content.length);
  const index = shape.map(() => 0);
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, width));
  let source = 0;
  for (let target = 0; target < content.length; target += width) {
    for (let byte = 0; byte < width; byte += 1) ordered[target + byte] = content[source + byte];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] += 1;
      source += steps[axis];
      if (index[axis] < shape[axis]) break;
      source -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}

function arrayOf(
  elementType: NpyElementType,
  shape: readonly number[],
  buffer: ArrayBuffer,
): NpyArray {
  switch (elementType) {
    case 'bool':
    case 'uint8':
      return { elementType, shape, data: new Uint8Array(buffer) };
    case 'int8':
      return { elementType, shape, data: new Int8Array(buffer) };
    case 'int16':
      return { elementType, shape, data: new Int16Array(buffer) };
    case 'uint16':
      return { elementType, shape, data: new Uint16Array(buffer) };
    case 'int32':
      return { elementType, shape, data: new Int32Array(buffer) };
    case 'uint32':
      return { elementType, shape, data: new Uint32Array(buffer) };
    case 'int64':
      return { elementType, shape, data: new BigInt64Array(buffer) };
    case 'uint64':
      return { elementType, shape, data: new BigUint64Array(buffer) };
    case 'float16':
      return { elementType, shape, data: Float32Array.from(new Uint16Array(buffer), float16) };
    case 'float32':
      return { elementType, shape, data: new Float32Array(buffer) };
    case 'float64':
      return { elementType, shape, data: new Float64Array(buffer) };
  }
}

/** The number that 16 bits stand for in IEEE 754's half precision. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Encodes a float32 array as `.npy` format 1.0, the same bytes as numpy.save. */
export function encodeNpy({ shape, data }: NpyFloat32Array): Uint8Array<ArrayBuffer> {
  return encodeNpyArray({ elementType: 'float32', shape, data });
}

/** Encodes an array of any type but float16 as `.npy` format 1.0, the same bytes as numpy.save. */
export function encodeNpyArray({
  elementType,
  shape,
  data,
}: Exclude<NpyArray, NpyArrayOf<'float16'>>): Uint8Array<ArrayBuffer> {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const descr = DESCRIPTIONS.get(elementType);
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const prefix = MAGIC.length + VERSION_BYTES + 2;
  const unpadded = prefix + dictionary.length + 1;
  const end = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = `${dictionary.padEnd(end - prefix - 1)}\n`;
  const bytes = new Uint8Array(end + data.byteLength);
  bytes.set(MAGIC);
  bytes.set([1, 0], MAGIC.length);
  new DataView(bytes.buffer).setUint16(MAGIC.length + VERSION_BYTES, header.length, true);
  bytes.set(new TextEncoder().encode(header), prefix);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), end);
  return bytes;
}

/**
 * Reads a `.npy` file of numbers or truth values (see `decodeNpy`).
 *
 * @throws InputError naming the file.
 */
export function readNpy(path: string): NpyArray {
  return decodeNpy(readFileChecked(path), path);
}

/**
 * Reads a `.npy` file of any type as float32: each number becomes the nearest one.
 *
 * @throws InputError naming the file.
 */
export function readFloat32Npy(path: string): NpyFloat32Array {
  const { shape, data } = readNpy(path);
  if (data instanceof Float32Array) return { shape, data };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const numbers = new Float32Array(data.length);
    for (let index = 0; index < data.length; index += 1) numbers[index] = Number(data[index]);
    return { shape, data: numbers };
  }
  return { shape, data: Float32Array.from(data) };
}

/**
 * Writes a float32 array as a `.npy` file, atomically.
 *
 * @throws InputError naming the file when it cannot be written.
 */
export function writeNpy(path: string, array: NpyFloat32Array): void {
  writeFileAtomic(path, encodeNpy(array));
}
