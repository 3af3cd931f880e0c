import {
  type ByteSource,
  firstBytes,
  InputError,
  isNpy,
  type NpyHeader,
  readNpyHeader,
} from '../../core/index.js';
import { type CellGeometry, cellCount, checkGeometry, formatGeometry } from '../geometry.js';
import type { FaultFormat } from './fault-format.js';
import { createFaultyCells, faultsOf, requireFewFaults } from './faulty-cells.js';
import type { CellFile } from './matrix.js';
import type { FaultFileOptions } from './read-options.js';

/** Headers of arrays are far shorter. */
const HEADER_BYTES = 1 << 16;

/**
 * A NumPy array of zeros and ones, of bool, any integer or float: (rows of all banks, columns) or (bank, row,
 * column), in C or Fortran order; 1 is a fault (0, where the fault bit is 0).
 */
export const npy: FaultFormat = {
  title: 'a NumPy array',
  takes: ['kind', 'faultBit'],
  recognises: ({ bytes }) => (isNpy(bytes) ? 'certain' : 'no'),
  read(source, options) {
    const { geometry, cells } = readNpyCells(source, options);
    return { geometry, faults: faultsOf(cells, options.kind ?? 'flip'), repeatedLines: 0 };
  },
};

/** How elements of a type look: their bytes, lowest first in memory, for 0 and 1. */
interface ElementType {
  readonly bytes: number;
  readonly zero: Uint8Array;
  readonly one: Uint8Array;
  valueOf(view: DataView, offset: number): number | bigint;
}

function elementType(descr: string, file: string): ElementType {
  const match = /^([|<>=])([biuf])([1248])$/.exec(descr);
  const bytes = Number(match?.[3]);
  const type = match?.[2];
  if (match === null || (type === 'b' && bytes !== 1) || (type === 'f' && bytes === 1)) {
    const what = descr.includes('O')
      ? `pickled objects (numpy type ${descr})`
      : `values of numpy type ${descr}`;
    throw new InputError(
      `${file} holds ${what}; save an array of numbers 0 and 1, such as array.astype(bool).`,
    );
  }
  const isLittle = match[1] !== '>';
  const one = new Uint8Array(bytes);
  const view = new DataView(one.buffer);
  if (type !== 'f') one[isLittle ? 0 : bytes - 1] = 1;
  else if (bytes === 2) view.setUint16(0, 0x3c00, isLittle);
  else if (bytes === 4) view.setFloat32(0, 1, isLittle);
  else view.setFloat64(0, 1, isLittle);
  return {
    bytes,
    zero: new Uint8Array(bytes),
    one,
    valueOf: (data, offset) => numberAt(data, offset, type ?? 'u', bytes, isLittle),
  };
}

function numberAt(
  view: DataView,
  offset: number,
  type: string,
  bytes: number,
  isLittle: boolean,
): number | bigint {
  if (type === 'f' && bytes === 2) return halfFloat(view.getUint16(offset, isLittle));
  if (type === 'f') {
    return bytes === 4 ? view.getFloat32(offset, isLittle) : view.getFloat64(offset, isLittle);
  }
  const isSigned = type === 'i';
  if (bytes === 8) {
    return isSigned ? view.getBigInt64(offset, isLittle) : view.getBigUint64(offset, isLittle);
  }
  if (bytes === 4)
    return isSigned ? view.getInt32(offset, isLittle) : view.getUint32(offset, isLittle);
  if (bytes === 2)
    return isSigned ? view.getInt16(offset, isLittle) : view.getUint16(offset, isLittle);
  return isSigned ? view.getInt8(offset) : view.getUint8(offset);
}

/** The value of a float of 16 bits (IEEE 754 binary16). */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The memory that an array is of. */
function geometryOf(
  { shape }: NpyHeader,
  given: CellGeometry | undefined,
  file: string,
): CellGeometry {
  const text = `(${shape.join(', ')})`;
  if (shape.length !== 2 && shape.length !== 3) {
    throw new InputError(
      `${file} is an array of shape ${text}; expected (rows of all banks, columns) or (banks, rows, columns).`,
    );
  }
  const [columns, rows, banks] = shape.toReversed();
  if (given === undefined) {
    const stated = { banks: banks ?? 1, rows, columns };
    checkGeometry(stated, file);
    return stated;
  }
  const isSame =
    columns === given.columns &&
    (banks === undefined
      ? rows === given.banks * given.rows
      : banks === given.banks && rows === given.rows);
  if (isSame) return given;
  throw new InputError(
    `${file} is an array of shape ${text}, but the memory has ${formatGeometry(given)}.`,
  );
}

/** The cell of each element in the order of the file: that of C order is its number. */
function cellOrder({ isFortranOrder, shape }: NpyHeader): (element: number) => number {
  if (!isFortranOrder) return (element) => element;
  return (element) => {
    let rest = element;
    let cell = 0;
    let stride = shape.reduce((product, size) => product * size, 1);
    for (const size of shape) {
      stride /= size;
      cell += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return cell;
  };
}

function isAt(bytes: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[offset + index] !== expected[index]) return false;
  }
  return true;
}

/**
 * Reads the cells of an array that are faulty.
 *
 * @throws InputError naming the index and the value that is neither 0 nor 1
 */
export function readNpyCells(source: ByteSource, options: FaultFileOptions): CellFile {
  const { file } = source;
  const { faultBit = 1 } = options;
  const header = readNpyHeader(firstBytes(source, HEADER_BYTES), file);
  const type = elementType(header.descr, file);
  const geometry = geometryOf(header, options.geometry, file);
  const count = cellCount(geometry);
  const cellOf = cellOrder(header);
  const faulty = createFaultyCells(file, count, options);
  let element = 0;

  function readElement(bytes: Uint8Array, offset: number): void {
    const isZero = isAt(bytes, offset, type.zero);
    if (!isZero && !isAt(bytes, offset, type.one)) {
      const value = type.valueOf(new DataView(bytes.buffer, bytes.byteOffset), offset);
      if (Number(value) !== 0) throw wrongValue(value);
      if (faultBit === 0) faulty.add(cellOf(element));
    } else if ((isZero ? 0 : 1) === faultBit) {
      faulty.add(cellOf(element));
    }
    element += 1;
  }

  function wrongValue(value: number | bigint): InputError {
    let rest = cellOf(element);
    const index = header.shape
      .toReversed()
      .map((size) => {
        const position = rest % size;
        rest = Math.floor(rest / size);
        return position;
      })
      .reverse();
    return new InputError(
      `${file}: found ${value} at [${index.join(', ')}]; expected 0 or 1 (an array of cells, such as rates > 0.5).`,
    );
  }

  const total = forEachElement(source, header.dataStart, type.bytes, (bytes, offset) => {
    if (element < count) readElement(bytes, offset);
  });
  if (total !== count * type.bytes) {
    throw new InputError(
      `${file} has ${total} bytes of data, but its array of shape (${header.shape.join(', ')}) has ${count * type.bytes}.`,
    );
  }
  const cells = faulty.take();
  requireFewFaults(cells.length, geometry, file, options);
  return { geometry, cells: header.isFortranOrder ? cells.sort() : cells };
}

/** Calls back for each element of so many bytes behind the header; returns how many bytes are there. */
function forEachElement(
  source: ByteSource,
  dataStart: number,
  size: number,
  visit: (bytes: Uint8Array, offset: number) => void,
): number {
  let skip = dataStart;
  let total = 0;
  const carried = new Uint8Array(size);
  let carriedBytes = 0;
  for (const block of source.blocks()) {
    let at = Math.min(skip, block.length);
    skip -= at;
    total += block.length - at;
    while (carriedBytes > 0 && at < block.length) {
      carried[carriedBytes] = block[at];
      carriedBytes += 1;
      at += 1;
      if (carriedBytes === size) {
        visit(carried, 0);
        carriedBytes = 0;
      }
    }
    for (; at + size <= block.length; at += size) visit(block, at);
    for (; at < block.length; at += 1) {
      carried[carriedBytes] = block[at];
      carriedBytes += 1;
    }
  }
  return total;
}
