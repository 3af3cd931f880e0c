import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  decodeNpy,
  encodeNpy,
  encodeNpyArray,
  InputError,
  readFloat32Npy,
  readNpy,
  writeNpy,
} from '../../core/index.js';

const VERSION_1 = '934e554d505901007600';
const VERSION_2 = '934e554d5059020074000000';

/** A file as numpy 1.24 writes it: the header padded with spaces to 128 bytes. */
function npyFile(prefix: string, dictionary: string, data: string): Uint8Array {
  const start = Buffer.from(prefix, 'hex');
  const header = `${dictionary.padEnd(127 - start.length)}\n`;
  return Uint8Array.from(
    Buffer.concat([start, Buffer.from(header, 'latin1'), Buffer.from(data, 'hex')]),
  );
}

/** What numpy.save and numpy.lib.format.write_array (version 2.0) wrote for these arrays. */
const WRITTEN_BY_NUMPY = {
  matrix: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
      '0000c03f000000c0cdcccc3d0000807fffff7f7f01000000',
    ),
    elementType: 'float32',
    shape: [2, 3],
    data: Float32Array.of(1.5, -2, 0.1, Number.POSITIVE_INFINITY, 3.4028235e38, 1e-45),
  },
  scalar: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
      '0000e040',
    ),
    elementType: 'float32',
    shape: [],
    data: Float32Array.of(7),
  },
  vector: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
      '0000003f',
    ),
    elementType: 'float32',
    shape: [1],
    data: Float32Array.of(0.5),
  },
  empty: {
    bytes: npyFile(VERSION_1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", ''),
    elementType: 'float32',
    shape: [0, 3],
    data: Float32Array.of(),
  },
  uint8: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3), }",
      '000102030405',
    ),
    elementType: 'uint8',
    shape: [1, 2, 3],
    data: Uint8Array.of(0, 1, 2, 3, 4, 5),
  },
  int32: {
    bytes: npyFile(
      VERSION_2,
      "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }",
      'ffffffffffffff7f00000080',
    ),
    elementType: 'int32',
    shape: [3],
    data: Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31)),
  },
  fortran: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }",
      '010004000200050003000600',
    ),
    elementType: 'int16',
    shape: [2, 3],
    data: Int16Array.of(1, 2, 3, 4, 5, 6),
  },
  bigEndian: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }",
      '3ff8000000000000c000000000000000',
    ),
    elementType: 'float64',
    shape: [2],
    data: Float64Array.of(1.5, -2),
  },
  half: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '<f2', 'fortran_order': False, 'shape': (5,), }",
      '003e00c0010000fcff7b',
    ),
    elementType: 'float16',
    shape: [5],
    data: Float32Array.of(1.5, -2, 2 ** -24, -Infinity, 65504),
  },
  bool: {
    bytes: npyFile(VERSION_1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", '0100'),
    elementType: 'bool',
    shape: [2],
    data: Uint8Array.of(1, 0),
  },
  int64: {
    bytes: npyFile(
      VERSION_1,
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
      '0300000000000000feffffffffffffff',
    ),
    elementType: 'int64',
    shape: [2],
    data: BigInt64Array.of(3n, -2n),
  },
};

describe('files written by numpy', () => {
  test.each(Object.entries(WRITTEN_BY_NUMPY))('%s is read', (_, { bytes, ...array }) => {
    expect(decodeNpy(bytes, 'x.npy')).toEqual(array);
  });

  test.each(['matrix', 'scalar', 'vector', 'empty'] as const)(
    'float32 %s is written with the same bytes',
    (name) => {
      const { bytes, shape, data } = WRITTEN_BY_NUMPY[name];
      expect(encodeNpy({ shape, data })).toEqual(bytes);
    },
  );
});

const float32Arrays = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }).chain((shape) => {
  const length = shape.reduce((product, size) => product * size, 1);
  return fc.float32Array({ minLength: length, maxLength: length }).map((data) => ({ shape, data }));
});

const WIDTHS = { bool: 1, int8: 1, uint8: 1, int16: 2, int32: 4, int64: 8, float64: 8 } as const;
const DESCRS = {
  ...{ bool: '|b1', int8: '|i1', uint8: '|u1', int16: '<i2', int32: '<i4', int64: '<i8' },
  float64: '<f8',
} as const;

/** As numpy writes it, with the values 0, 1, 2, … in its lowest bytes. */
function npyOfType(type: keyof typeof WIDTHS, shape: readonly number[], count: number): Uint8Array {
  const data = new Uint8Array(count * WIDTHS[type]);
  for (let index = 0; index < count; index += 1) data[index * WIDTHS[type]] = index;
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${DESCRS[type]}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  return npyFile(VERSION_1, dictionary, Buffer.from(data).toString('hex'));
}

const types = fc.constantFrom('bool', 'int8', 'uint8', 'int16', 'int32', 'int64', 'float64');

describe('encode and decode', () => {
  test.prop([types, fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 })])(
    'are inverse for each type',
    (elementType, shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const bytes = npyOfType(elementType, shape, count);
      const array = decodeNpy(bytes, 'x.npy');
      if (array.elementType === 'float16') throw new Error('written as another type');
      expect(array).toMatchObject({ elementType, shape });
      expect(array.data).toHaveLength(count);
      expect(encodeNpyArray(array)).toEqual(bytes);
    },
  );

  test.prop([float32Arrays])('are inverse, and the data start at a multiple of 64', (array) => {
    const bytes = encodeNpy(array);
    expect(decodeNpy(bytes, 'x.npy')).toEqual({ elementType: 'float32', ...array });
    expect((bytes.length - array.data.byteLength) % 64).toBe(0);
  });

  test.prop([float32Arrays, fc.nat()])(
    'any shorter file is reported as cut short',
    (array, cut) => {
      const bytes = encodeNpy(array);
      const length = 8 + (cut % (bytes.length - 8));
      expect(() => decodeNpy(bytes.subarray(0, length), 'x.npy')).toThrow(/^x\.npy is cut short: /);
    },
  );

  test('a view into a larger buffer is read from its own start', () => {
    const { bytes, ...array } = WRITTEN_BY_NUMPY.int32;
    const padded = new Uint8Array(bytes.length + 3);
    padded.set(bytes, 3);
    expect(decodeNpy(padded.subarray(3), 'x.npy')).toEqual(array);
  });
});

describe('bad files', () => {
  const { bytes } = WRITTEN_BY_NUMPY.matrix;
  const withHeader = (dictionary: string) => npyFile(VERSION_1, dictionary, '');

  test.each([
    [
      'no magic',
      new TextEncoder().encode('PK'),
      'x.npy is not a .npy file: it does not start with \\x93NUMPY.',
    ],
    [
      'version 3.0',
      Uint8Array.from(bytes, (byte, position) => (position === 6 ? 3 : byte)),
      'x.npy is a .npy file of format version 3.0; only 1.0 and 2.0 can be read.',
    ],
    [
      'one byte missing',
      bytes.subarray(0, -1),
      'x.npy is cut short: it has 151 bytes, but its header and data need at least 152.',
    ],
    [
      'cut in its header',
      bytes.subarray(0, 20),
      'x.npy is cut short: it has 20 bytes, but its header and data need at least 128.',
    ],
    [
      'more data',
      Uint8Array.of(...bytes, 0),
      'x.npy is too long: it has 153 bytes, but its one array of shape (2, 3) ends after 152.',
    ],
    [
      'text',
      withHeader("{'descr': '<U5', 'fortran_order': False, 'shape': (1,), }"),
      "x.npy holds values of numpy type <U5; save it as numbers, such as float32 ('<f4').",
    ],
    [
      'complex numbers',
      withHeader("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"),
      "x.npy holds values of numpy type <c8; save it as numbers, such as float32 ('<f4').",
    ],
    [
      'records',
      withHeader("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
      "x.npy holds values of numpy type [('a', '<f4')]; save it as numbers, such as float32 ('<f4').",
    ],
    [
      'no shape',
      withHeader("{'descr': '<f4', 'fortran_order': False, }"),
      "x.npy is not a .npy file that can be read: its header has no valid 'shape': {'descr': '<f4', 'fortran_order': False, }.",
    ],
  ])('%s', (_, file, message) => {
    expect(() => decodeNpy(file, 'x.npy')).toThrow(new InputError(message));
  });
});

test('files on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-npy-'));
  try {
    const path = join(folder, 'x.npy');
    const array = { shape: [2, 1], data: Float32Array.of(1, -0) };
    writeNpy(path, array);
    expect(readNpy(path)).toEqual({ elementType: 'float32', ...array });
    expect(readFloat32Npy(path)).toEqual(array);
    writeFileSync(path, WRITTEN_BY_NUMPY.int64.bytes);
    expect(readFloat32Npy(path)).toEqual({ shape: [2], data: Float32Array.of(3, -2) });
    writeFileSync(path, WRITTEN_BY_NUMPY.uint8.bytes);
    expect(readFloat32Npy(path).data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
