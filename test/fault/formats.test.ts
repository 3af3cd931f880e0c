import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import {
  type CellGeometry,
  decodeFaultMap,
  FAULT_FILE_FORMATS,
  type FaultMap,
  formatBinary,
  formatCsv,
  formatHex,
  formatMatrices,
  formatMbist,
  importFaultMap,
  loadFaultMap,
  type ReadMapOptions,
  readFaultMap,
  writeFaultMap,
} from '../../fault/index.js';
import { cellGeometries, extendedGeometries, faultMaps } from '../../testing/index.js';

const folder = mkdtempSync(join(tmpdir(), 'bitcell-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));

const encoder = new TextEncoder();

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? encoder.encode(text) : text;
}

function decode(text: string | Uint8Array, options: ReadMapOptions = {}, file = 'file') {
  return decodeFaultMap([{ file, bytes: bytesOf(text) }], options);
}

/** A map as a file gives it back that does not state where the map came from. */
function fromFile(map: FaultMap, file = 'file'): FaultMap {
  return { ...map, provenance: { source: 'file', file } };
}

/** Memories whose rows are not digits, which could be those of a dump or of a bitmap: two columns at least. */
const geometries = extendedGeometries().filter(({ columns }) => columns > 1);

describe('is read back as it was written', () => {
  test.prop([faultMaps(geometries)])('binary', (map) => {
    const bytes = formatBinary(map);
    expect(decode(bytes)).toEqual({ map, format: 'binary', repeatedLines: 0 });
    expect(formatBinary({ ...map, cells: map.cells.slice() })).toEqual(bytes);
  });

  test.prop([faultMaps(geometries)])('CSV', (map) => {
    const read = decode(formatCsv(map), { geometry: map.geometry });
    expect(read).toEqual({ map: fromFile(map), format: 'csv', repeatedLines: 0 });
  });

  test.prop([faultMaps(geometries, ['stuck-at-0'])])('a hexadecimal dump', (map) => {
    const read = decode(formatHex(map, 'file'), { geometry: map.geometry, faultBit: 0 });
    expect(read).toEqual({ map: fromFile(map), format: 'hex', repeatedLines: 0 });
  });

  test.prop([faultMaps(geometries, ['stuck-at-0', 'stuck-at-1'])])('a matrix pair', (map) => {
    const [zero, one] = formatMatrices(map, 'a,b');
    const files = [
      { file: 'a', bytes: zero },
      { file: 'b', bytes: one },
    ];
    const read = decodeFaultMap(files, { geometry: map.geometry, faultBit: 1 });
    expect(read).toEqual({ map: fromFile(map, 'a,b'), format: 'matrices', repeatedLines: 0 });
  });

  const muxed = fc
    .record({ geometry: cellGeometries(), mux: fc.integer({ min: 1, max: 4 }), check: fc.nat(2) })
    .map(({ geometry: { banks, rows, columns }, mux, check }) => ({
      mux,
      geometry: { banks, rows, columns: (columns + check) * mux, checkColumns: check * mux },
    }));

  test.prop([
    muxed.chain(({ geometry, mux }) =>
      fc.record({ map: faultMaps(fc.constant(geometry), ['flip']), mux: fc.constant(mux) }),
    ),
  ])('an MBIST log', ({ map, mux }) => {
    const { geometry } = map;
    const read = decode(formatMbist(map, 'file', mux), { geometry, columnMux: mux });
    expect(read).toEqual({ map: fromFile(map), format: 'mbist', repeatedLines: 0 });
  });
});

describe('files as others write them', () => {
  const geometry: CellGeometry = { banks: 2, rows: 2, columns: 8 };
  const cellsOf = (text: string, options: ReadMapOptions) => [...decode(text, options).map.cells];

  test('a dump: the last digit holds columns 3 to 0, and a 0 bit is stuck at 0', () => {
    // Bank 0, row 0 lacks column 0; bank 1, row 1 lacks columns 7 and 1.
    const text = 'fe\nFF\r\n0xff\n7d\n';
    expect(decode(text, { geometry }).map).toMatchObject({
      cells: Float64Array.of(0, 25, 31),
      kinds: Uint8Array.of(0, 0, 0),
    });
    expect(decode(text).map.geometry).toEqual({ banks: 1, rows: 4, columns: 8 });
    expect(cellsOf('1f\n1e', { geometry: { banks: 1, rows: 2, columns: 5 } })).toEqual([5]);
  });

  test('a log: bit b of word w of a row is column b · mux + w', () => {
    // Address 5 with mux 2: word 1 of row 0 of bank 1. Bits 0 and 3 are columns 1 and 7.
    const options = { geometry, columnMux: 2, kind: 'stuck-at-1', format: 'mbist' } as const;
    const read = decode('address,fail-bit-mask\n0x5, 9\n', options);
    expect([...read.map.cells]).toEqual([17, 23]);
    expect([...read.map.kinds]).toEqual([1, 1]);
    // The same without a first line, with decimal addresses, comments and words read again.
    const log = '# first run\n5,0x1\n\n5,0x8\n# second run\n0x5,9\n5,00\n6,1\n';
    const merged = decode(log, options);
    expect(merged).toMatchObject({ format: 'mbist', repeatedLines: 1 });
    expect([...merged.map.cells]).toEqual([17, 23, 24]);
  });

  test('spare rows have no address', () => {
    const spare = { banks: 2, rows: 3, columns: 8, spareRows: 1 };
    // Address 2 is row 0 of bank 1, behind the spare row of bank 0.
    expect(cellsOf('2,1', { geometry: spare, format: 'mbist' })).toEqual([24]);
  });

  test('a table with its columns in another order, comments and repeated lines', () => {
    const text = 'kind, column,row,bank\nflip,1,0,0\n# again\nflip,1,0,0\nstuck-at-0,0,1,1\n';
    const read = decode(text, { geometry });
    expect(read.repeatedLines).toBe(1);
    expect([...read.map.cells]).toEqual([1, 24]);
    expect([...read.map.kinds]).toEqual([2, 0]);
  });

  test('a matrix pair as two files, with or without a memory', () => {
    const map: FaultMap = {
      geometry: { banks: 1, rows: 4, columns: 8 },
      cells: Float64Array.of(3, 30),
      kinds: Uint8Array.of(0, 1),
      provenance: { source: 'file', file: 'elsewhere' },
    };
    const pair = ['zero.csv', 'one.csv'].map((name) => join(folder, name)).join(',');
    writeFaultMap(pair, map);
    expect(readFaultMap(pair)).toEqual(fromFile(map, pair));
    expect(loadFaultMap(pair, geometry).geometry).toEqual(geometry);
  });

  test.each(['map.json', 'map.bfm'])('%s states its own memory and origin', (name) => {
    const map: FaultMap = {
      geometry: { banks: 1, rows: 4, columns: 8, spareRows: 1 },
      cells: Float64Array.of(3, 30),
      kinds: Uint8Array.of(0, 2),
      provenance: { source: 'file', file: 'elsewhere' },
    };
    const path = join(folder, name);
    writeFaultMap(path, map);
    expect(importFaultMap(path).map).toEqual(map);
    expect(() => loadFaultMap(path, geometry)).toThrow(
      new InputError(
        `${path} is for a memory of 1 banks × 4 rows × 8 columns (of them 1 spare rows), but this memory has 2 banks × 2 rows × 8 columns; use a map that was made for it.`,
      ),
    );
  });
});

describe('bad files', () => {
  const geometry: CellGeometry = { banks: 1, rows: 2, columns: 8 };

  const columns =
    'expected the columns bank,row,column,kind (kind, and bank where there is one, may be left out); address,bit; address,fail-bit-mask; or address,expected,actual.';
  const cases: [text: string, message: string][] = [
    [
      'bank,row,colum,kind\n',
      `file:1:10: unknown column "colum" (did you mean "column"?); ${columns}`,
    ],
    ['bank,row,row,kind\n', 'file:1:10: column "row" a second time; expected it once.'],
    ['bank,row\n', `file:1:1: found "bank,row"; ${columns}`],
    [
      'row;column;knd\n1;2;sa0\n',
      'file:1:12: unknown column "knd" (did you mean "kind"?); give the column that name or another one.',
    ],
    [
      'bank,row,column,kind\n0,0,0,flip\n0, 3,0,flip\n',
      'file:3:4: found "3"; expected a row from 0 to 1.',
    ],
    [
      'row column\n1 8\n',
      'file:2:3: found "8"; expected a column from 0 to 7; if numbers start at 1, give --index-base 1.',
    ],
    ['bank,row,column,kind\n0,0,-1,flip\n', 'file:2:5: found "-1"; expected a column from 0 to 7.'],
    [
      'row,column\n0,1.2E+03\n',
      'file:2:3: found "1.2E+03"; expected a column from 0 to 7; a spreadsheet may have rounded it: format the cells as whole numbers.',
    ],
    [
      'bank,row,column,kind\n0,0,1,stuck\n',
      'file:2:7: found "stuck"; expected one of stuck-at-0, stuck-at-1, flip (SA0, SA1).',
    ],
    ['bank,row,column,kind\n0,0,1\n', 'file:2:1: found "0,0,1", which has 3 values; expected 4.'],
    [
      'bank,row,column,kind\n0,0,1,flip\n\n0,0,1,stuck-at-0\n',
      'file:4:1: bank 0, row 0, column 1 is stuck-at-0 here, but flip on line 2; expected one kind for each cell.',
    ],
    ['ff\nf\n', 'file:2:1: found "f"; expected a row of 8 columns as 2 hexadecimal digits.'],
    ['ff\nfg\n', 'file:2:2: found "g"; expected a row of 8 columns as 2 hexadecimal digits.'],
    ['ff\n', 'file:2:1: found the end after 1 rows; expected 2 rows, bank after bank.'],
    ['ff\nff\nff\n', 'file:3:1: found "ff"; expected the end of the file after 2 rows.'],
    [
      '0,1\n1,1',
      'file can be read as an MBIST log or a table without names of its columns; --from mbist or --columns with their names decides.',
    ],
    ['0x0,1\n2,1', 'file:2:1: found "2"; expected an address from 0 to 1.'],
    ['0x0,1\n1,0x100', 'file:2:3: found "0x100"; expected a hexadecimal mask of 8 bits.'],
    [
      '0x0,1\n1,100',
      'file:2:3: masks such as 100 may be decimal, hexadecimal or binary; --mask-base 10, --mask-base 16 or --mask-base 2 decides.',
    ],
    ['0x0,1\n1,2,3', 'file:2:1: found "1,2,3", which has 3 values; expected 2.'],
    [
      '// bank 1\n0x0,0x1\n',
      'file:1:1: the comment "// bank 1" names a bank, of which the addresses below it may be counted or not; write [bank 0] without the mark of a comment, add a column bank (bank,address,fail-bit-mask), or remove the comment.',
    ],
    [
      'FAIL addr=0 exp=ff act=fe\nDONE\n',
      'file:2:1: found "DONE"; expected values of addr, exp, act on each line, or a table address,expected,actual.',
    ],
    [
      '1,1,1,1,1,1,1,1\n0,0,0,0,0,0,0,1\n',
      'file: more than half of the cells are faulty if they are read as usual (a 0 of a dump, a 1 of a matrix or bitmap is a fault); say which bit marks a fault: --fault-bit 0 or --fault-bit 1.',
    ],
    [
      'hello\n',
      'file:1:1: no known fault-map format; expected Bitcell JSON or binary, a table (bank,row,column,kind), a hexadecimal dump, an MBIST log (address,fail-bit-mask), a 0/1 matrix or bitmap, or a NumPy array.',
    ],
  ];

  test.each(cases.map(([text, message]) => ({ text, message })))(
    '$message',
    ({ text, message }) => {
      expect(() => decode(text, { geometry })).toThrow(new InputError(message));
    },
  );

  test('a digit with bits beyond the columns', () => {
    expect(() => decode('1f\n3f', { geometry: { banks: 1, rows: 2, columns: 5 } })).toThrow(
      new InputError('file:2:1: found "3"; expected a digit below 2, because rows have 5 columns.'),
    );
  });

  test.each([
    ['0,0\n0,2', '0,0\n0,0', 'a:2:3: found "2"; expected 0 or 1.'],
    ['0,0\n0 0', '0,0\n0,0', 'a:2:1: found "0 0"; expected 0 or 1.'],
    ['0,0\n0,', '0,0\n0,0', 'a:2:1: found a row of 1 bits; expected 2.'],
    [
      '0,0\n0,0,0',
      '0,0\n0,0',
      'a:2:1: found a row of 3 bits; expected 2; if the first value numbers the row, save the matrix without it (index=False).',
    ],
    ['0,0\n0,1', '0,0\n', 'b:2:1: found the end after 1 rows; expected 2 rows, bank after bank.'],
    [
      '0,0\n0,1',
      '# b\n1,0\n0, 1',
      'b:3:4: row 1, column 1 is a fault in a, too; expected each cell in one matrix only.',
    ],
  ])('matrices %j and %j', (a, b, message) => {
    const files = [
      { file: 'a', bytes: bytesOf(a) },
      { file: 'b', bytes: bytesOf(b) },
    ];
    expect(() => decodeFaultMap(files)).toThrow(new InputError(message));
  });

  test('a log or table without a memory', () => {
    const needs =
      'which does not say how large the memory is: give its banks, rows and columns (--geometry BxRxC), or name the network or accelerator that it is of.';
    expect(() => decode('1,1', { format: 'mbist' })).toThrow(
      new InputError(`file is an MBIST log, ${needs}`),
    );
    expect(() => decode('bank,row,column,kind\n')).toThrow(
      new InputError(`file is a CSV table, ${needs}`),
    );
  });

  test('a log of words that do not fill the rows', () => {
    expect(() => decode('1,1', { geometry, columnMux: 3, format: 'mbist' })).toThrow(
      new InputError(
        'file: the column mux is 3, but must be a positive whole number that divides the data and check columns of a memory of 1 banks × 2 rows × 8 columns.',
      ),
    );
  });

  const flip: FaultMap = {
    geometry,
    cells: Float64Array.of(9, 10),
    kinds: Uint8Array.of(2, 1),
    provenance: { source: 'file', file: 'x' },
  };

  test('maps that a format cannot hold', () => {
    const remedy = 'use .csv, .json or .bfm.';
    expect(() => formatHex(flip, 'out.hex')).toThrow(
      new InputError(
        `Cannot write out.hex: a hexadecimal dump holds stuck-at-0 faults only, but bank 0, row 1, column 1 is flip; ${remedy}`,
      ),
    );
    expect(() => formatMatrices(flip, 'a,b')).toThrow(
      new InputError(
        `Cannot write a,b: a pair of 0/1 matrices holds stuck-at faults only, but bank 0, row 1, column 1 is a flip; ${remedy}`,
      ),
    );
    expect(() => formatMbist(flip, 'out.log')).toThrow(
      new InputError(
        `Cannot write out.log: an MBIST log does not say how a bit fails, but this map has flip and stuck-at-1 faults; ${remedy}`,
      ),
    );
    const spare = { ...flip, geometry: { ...geometry, spareRows: 1 }, kinds: Uint8Array.of(2, 2) };
    expect(() => formatMbist(spare, 'out.log')).toThrow(
      new InputError(
        `Cannot write out.log: bank 0, row 1, column 1 is a spare cell, which has no address; ${remedy}`,
      ),
    );
    expect(() => writeFaultMap('map.txt', flip)).toThrow(/^Cannot write map\.txt: its extension/);
  });
});

describe('fuzzed', () => {
  /** Decodes bytes to a map that fits its memory, or throws an InputError that says where. */
  function decodeOrRefuse(files: readonly Uint8Array[], options: ReadMapOptions): void {
    const named = files.map((bytes, index) => ({ file: `file${index}`, bytes }));
    try {
      const { map } = decodeFaultMap(named, options);
      const cells = map.geometry.banks * map.geometry.rows * map.geometry.columns;
      map.cells.forEach((cell, fault) => {
        expect(Number.isInteger(cell) && cell < cells).toBe(true);
        expect(cell).toBeGreaterThan(fault === 0 ? -1 : map.cells[fault - 1]);
        expect(map.kinds[fault]).toBeLessThan(3);
      });
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message).toMatch(
        /^file[01](?::\d+:\d+: |: byte \d+: |: | (?:is|has|can|says) )./,
      );
    }
  }

  const geometry: CellGeometry = { banks: 2, rows: 3, columns: 8 };
  const formats = fc.constantFrom(undefined, ...FAULT_FILE_FORMATS);
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.string({ unit: fc.constantFrom(...'01fx,\n\r #{}[]"kindbaroweclumsfp-') }).map(bytesOf),
  );

  test.prop([junk, formats, fc.boolean()])('any bytes in any format', (bytes, format, known) => {
    const options = { format, ...(known && { geometry }) } as ReadMapOptions;
    decodeOrRefuse([bytes], options);
    decodeOrRefuse([bytes, bytes], known ? { geometry } : {});
  });

  const mutation = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 4 }),
    insert: fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.string({ maxLength: 4 }).map(bytesOf)),
  });

  function mutate(
    bytes: Uint8Array,
    { at, remove, insert }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
  ) {
    const start = at % (bytes.length + 1);
    return Uint8Array.from([
      ...bytes.subarray(0, start),
      ...insert,
      ...bytes.subarray(Math.min(bytes.length, start + remove)),
    ]);
  }

  test.prop([faultMaps(fc.constant(geometry), ['stuck-at-0']), mutation])(
    'valid files with a change',
    (map, change) => {
      const written: Uint8Array[] = [
        formatBinary(map),
        bytesOf(formatCsv(map)),
        formatHex(map, 'file'),
        bytesOf(formatMbist(map, 'file')),
      ];
      for (const bytes of written) decodeOrRefuse([mutate(bytes, change)], { geometry });
      const [zero, one] = formatMatrices(map, 'file');
      decodeOrRefuse([mutate(zero, change), one], { geometry });
      decodeOrRefuse([zero, mutate(one, change)], {});
    },
  );

  test.prop([faultMaps(fc.constant(geometry)), fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'a binary file with any byte changed, or cut, is refused',
    (map, at, change) => {
      const bytes = formatBinary(map);
      const position = at % bytes.length;
      const changed = Uint8Array.from(bytes);
      changed[position] ^= change;
      expect(() => decode(changed, { geometry, format: 'binary' })).toThrow(InputError);
      expect(() => decode(bytes.subarray(0, position), { format: 'binary' })).toThrow(InputError);
    },
  );

  test.prop([faultMaps(fc.constant(geometry)), mutation])(
    'a binary file with a change and the checksum of it',
    (map, change) => {
      const bytes = formatBinary(map);
      const body = mutate(bytes.subarray(0, bytes.length - 8), change);
      const checksum = createHash('sha256').update(body).digest().subarray(0, 8);
      decodeOrRefuse([Uint8Array.from([...body, ...checksum])], { format: 'binary' });
    },
  );
});

describe('encodings of text formats', () => {
  const geometry = { banks: 2, rows: 64, columns: 64 };
  const text = 'bank,row,column,kind\r\n1,2,3,flip\r\n';
  const plain = decode(text, { geometry }).map;

  test('UTF-16 and UTF-8 with a byte-order mark read as UTF-8', () => {
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    expect(decode(utf16, { geometry }).map).toEqual(plain);
    expect(decode(Buffer.from(utf16).swap16(), { geometry }).map).toEqual(plain);
    expect(decode(`\ufeff${text}`, { geometry }).map).toEqual(plain);
  });

  test('others are refused at their line', () => {
    const latin1 = Buffer.from(`${text}# caf\xe9\n`, 'latin1');
    expect(() => decode(latin1, { geometry })).toThrow(
      new InputError('file:3:6: not encoded as UTF-8; save it as UTF-8.'),
    );
  });
});
