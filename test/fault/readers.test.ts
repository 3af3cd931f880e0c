import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import {
  type FaultMap,
  formatCsv,
  formatHex,
  importFaultMap,
  placeFaultMap,
  type ReadMapOptions,
  TILINGS,
} from '../../fault/index.js';
import { faultMaps } from '../../testing/index.js';
import { decode, faultsOf, MAP_SAMPLES, naiveFaults, readOrRefuse } from './map-samples.js';
import type { NaiveFault } from './naive-readers.js';

const encoder = new TextEncoder();
const folder = mkdtempSync(join(tmpdir(), 'bitcell-readers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const change = fc.record({
  at: fc.nat(),
  remove: fc.nat({ max: 3 }),
  insert: fc.string({ unit: fc.constantFrom(...'01fxX.,;\n\r #@"-eb_/'), maxLength: 3 }),
});

describe.each(Object.entries(MAP_SAMPLES))('%s', (_name, arbitrary) => {
  test.prop([arbitrary])('are read as the naive reader reads them', (sample) => {
    expect(readOrRefuse(sample.text, sample)).toEqual(naiveFaults(sample.text, sample));
  });

  test.prop([arbitrary, change])(
    'with a change mean the same to both, where neither refuses them',
    (sample, { at, remove, insert }) => {
      const { text } = sample;
      const start = at % (text.length + 1);
      const changed = text.slice(0, start) + insert + text.slice(start + remove);
      const read = readOrRefuse(changed, sample);
      const expected = naiveFaults(changed, sample);
      if (read !== undefined && expected !== undefined) expect(read).toEqual(expected);
    },
  );

  test.prop([arbitrary])('are taken for what they are, or for two things', (sample) => {
    const { text, options, format } = sample;
    try {
      expect(decode(text, options).format).toBe(format);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
    }
  });
});

describe('what can be read in two ways is refused', () => {
  const memory = (banks: number, rows: number, columns: number) => ({
    geometry: { banks, rows, columns },
  });
  test.each([
    [
      'two columns of bits',
      '0,0\n1,0\n0,1\n',
      memory(1, 3, 2),
      /--from mbist.*--columns.*--from matrix decides/,
    ],
    ['pairs of numbers', '2,41\n9,34\n', memory(1, 64, 64), /--from mbist or --columns/],
    ['triples of numbers', '0,48,39\n1,14,29\n', memory(3, 100, 48), /--columns bank,row,column/],
    ['rows of bits', '0010\n0000\n', {}, /--from hex or --from bitmap decides/],
    ['digits on one line', 'FFFF'.repeat(64), {}, /--geometry/],
    [
      'padded addresses',
      'address,mask\n0001,01\n0010,80\n',
      memory(1, 64, 8),
      /:3:1: .*--address-base|:2:1: .*--address-base/,
    ],
    [
      'short masks of digits',
      'address,mask\n0,4096\n1,1\n',
      memory(1, 64, 16),
      /:2:3: .*--mask-base/,
    ],
    ['0b masks', 'address,mask\n0x0,0b10\n', memory(1, 64, 16), /--mask-base/],
    [
      'several dies',
      'die,row,column\nA,0,0\nB,0,1\n',
      memory(1, 2, 2),
      /die \(A, B\); --select die=A/,
    ],
    ['a matrix of passes', '1 1 1 1 1\n1 0 1 1 1\n', memory(1, 2, 5), /--fault-bit/],
    ['a read-back of zeros', '0002\n0000\n', memory(1, 2, 16), /--fault-bit/],
    [
      '--kind beside a dump',
      'FFFE\nFFFF\n',
      { ...memory(1, 2, 16), kind: 'flip' as const },
      /stuck-at-0.*--kind|--kind/,
    ],
    [
      '--kind beside kinds',
      'row,column,kind\n0,0,SA0\n',
      { ...memory(1, 2, 2), kind: 'flip' as const },
      /--kind/,
    ],
    [
      '--columns beside names',
      'row,column\n0,0\n',
      { ...memory(1, 2, 2), columns: ['row', 'column'] },
      /--columns/,
    ],
    [
      'an option without a use',
      'row,column\n0,0\n',
      { ...memory(1, 2, 2), faultBit: 1 as const },
      /--fault-bit/,
    ],
    ['NaN', '0 0 1 0 nan\n0 0 0 0 0\n', memory(1, 2, 5), /:1:9: found "nan"; expected 0 or 1/],
    ['rows in groups', 'FE FF\nFF FF\n', memory(1, 512, 16), /--from memh or --from mbist/],
    ['xxd', '00000000: ffff ffff  ....\n', memory(1, 2, 16), /listing.*a row a line/],
    ['YAML', 'faults:\n  - bank: 0\n', memory(1, 2, 16), /YAML.*JSON/],
    ['YAML in a list', '- bank: 0\n  row: 1\n  column: 2\n', memory(1, 2, 16), /YAML.*CSV/],
    ['YAML of flows', '- {bank: 0, row: 1, column: 2}\n', memory(1, 2, 16), /YAML.*JSON/],
    ['YAML with a map', 'geometry: {banks: 1}\nfaults: []\n', memory(1, 2, 16), /YAML.*JSON/],
    ['a YAML document', '---\n- address: 1\n  bit: 2\n', memory(1, 2, 16), /YAML.*JSON/],
    [
      'to_json of pandas',
      '{"bank":{"0":0,"1":0},"row":{"0":3,"1":4},"column":{"0":5,"1":6}}',
      memory(1, 8, 16),
      /:1:1: found a table as to_json of pandas.*orient="columns".*orient="records"/,
    ],
    [
      'to_json of pandas by lines',
      '{"0":{"bank":0,"row":3,"column":5},"1":{"bank":0,"row":4,"column":6}}',
      memory(1, 8, 16),
      /orient="index".*orient="records".*to_csv/,
    ],
    [
      'to_json of pandas that is split',
      '{"columns":["bank","row","column"],"index":[0],"data":[[0,3,5]]}',
      memory(1, 8, 16),
      /orient="split".*orient="records"/,
    ],
    [
      'to_json of pandas without names',
      '[[0,3,5],[0,4,6]]',
      memory(1, 8, 16),
      /values without names; name them, such as --columns bank,row,column/,
    ],
    ['PNG', '\u0089PNG', memory(1, 2, 16), /./],
  ] as const)('%s', (_what, text, options, message) => {
    expect(() => decode(text, options)).toThrow(InputError);
    expect(() => decode(text, options)).toThrow(message);
  });

  test('a log below a heading by the heading', () => {
    const log = 'Failures:\n  addr: 0x1 exp: 0xff act: 0xfe\n';
    expect(() => decode(log, memory(1, 2, 8))).toThrow(
      /:1:1: found "Failures:"; expected values of addr, exp, act on each line/,
    );
  });

  test('files of other programs by name', () => {
    const start = (bytes: number[], text = '') =>
      Uint8Array.from([...bytes, ...encoder.encode(text), 0, 1, 2]);
    const problems: [Uint8Array, RegExp][] = [
      [start([0x89, 0x50, 0x4e, 0x47]), /PNG image.*numpy/],
      [start([], 'MATLAB 5.0 MAT-file'), /MAT-file.*writematrix/],
      [start([0x50, 0x4b, 3, 4], '[Content_Types].xml'), /xlsx.*CSV/],
      [start([0x50, 0x4b, 3, 4], 'arr_0.npy'), /npz.*numpy\.save/],
      [start([0xff, 0xff, 0xfe, 0xff]), /raw bytes.*xxd/],
    ];
    for (const [bytes, message] of problems) {
      expect(() => decode(bytes, { geometry: { banks: 1, rows: 2, columns: 8 } })).toThrow(message);
    }
  });
});

describe('files as tools write them', () => {
  const geometry = { banks: 2, rows: 4, columns: 6 };
  const cells = (text: string | Uint8Array, options: ReadMapOptions = {}) =>
    faultsOf(decode(text, { geometry, ...options }).map);
  const one = [[1, 2, 3, 'flip']];

  test.each<[string, string, ReadMapOptions]>([
    ['pandas to_csv', ',bank,row,column\n0,1,2,3\n', {}],
    ['capitals and synonyms', 'Bank;Row;Col\n1;2;3\n', {}],
    [
      'savetxt of argwhere',
      '1.000e+00 2.000e+00 3.000e+00\n',
      { columns: ['bank', 'row', 'column'] },
    ],
    ['a spreadsheet that is told its separator', 'sep=;\nbank;row;column\n1;2;3\n', {}],
    ['sections in words', 'Bank 0:\nBank 1:\n0x2,0x8\n', {}],
    ['numbers from 1', '9 2 3 4\n', { columns: ['-', 'bank', 'row', 'column'], indexBase: 1 }],
    ['JSON records', '[{"bank":1,"row":2,"column":3}]', {}],
    ['JSON triples', '[[1,2,3]]', { columns: ['bank', 'row', 'column'] }],
    ['JSON lines', '{"bank":1,"row":2,"column":3}\n{"bank":1,"row":2,"column":3}\n', {}],
    ['JSON columns', '{"bank":[1],"row":[2],"column":[3]}', {}],
    ['address and bit', 'address,bit\n6,3\n', {}],
    ['sections', '[bank 0]\n[bank 1]\n0x2,0x8\n', {}],
    ['bank and address', 'bank,address,mask\n1,0x2,0x8\n', {}],
    ['names and values', '// March\nPASS addr=0x1\nFAIL addr=0x6 mask=0x8 element=2\n', {}],
    ['one line of labels without a fault', 'die,bank,row,column\nD1,,,\nD1,1,2,3\n', {}],
    [
      'a selection',
      'die,V,bank,row,column\nA,0.60,1,2,3\nB,0.6,0,0,0\n',
      {
        select: [
          { name: 'die', value: 'A' },
          { name: 'voltage', value: '0.6' },
        ],
      },
    ],
  ])('%s', (_what, text, options) => {
    expect(cells(text, options)).toEqual(one);
  });

  test('a log of names and values in which nothing failed has no fault', () => {
    const log = 'PASS addr=0x2 exp=0xFF\nPASS addr=0x3 exp=0xFF\n';
    expect(decode(log, { geometry, format: 'mbist' }).map.cells).toHaveLength(0);
  });

  test('a record whose name ends with another blank than those of ASCII is refused', () => {
    const log = 'FAIL addr\u2028=0x0 exp=0xFF act=0xFE\nPASS addr=0x2\n';
    expect(() => decode(log, { geometry, format: 'mbist' })).toThrow(InputError);
  });

  test('gzip is unpacked', () => {
    expect(cells(new Uint8Array(gzipSync('bank,row,column\n1,2,3\n')))).toEqual(one);
  });

  test('labels and comments are kept', () => {
    const text = '# 85 C\ndie,element,row,column,bank\nD1,2,2,3,1\nD1,3,2,3,1\n';
    expect(decode(text, { geometry }).map.provenance).toEqual({
      source: 'file',
      file: 'file',
      comments: ['85 C'],
      labels: { die: ['D1'], element: ['2', '3'] },
    });
  });

  test.each([
    ['|b1', [0, 1], false],
    ['<i8', [0, 1], true],
    ['>u2', [0, 1], false],
    ['<f4', [0, 1], true],
    ['>f8', [0, 1], false],
  ] as const)('a NumPy array of %s', (descr, _values, isFortran) => {
    const size = Number(descr[2]);
    const order = (bank: number, row: number, column: number) =>
      isFortran ? (column * 4 + row) * 2 + bank : (bank * 4 + row) * 6 + column;
    const data = new DataView(new ArrayBuffer(48 * size));
    const isLittle = descr[0] !== '>';
    const at = order(1, 2, 3) * size;
    if (descr[1] === 'f') {
      if (size === 4) data.setFloat32(at, 1, isLittle);
      else data.setFloat64(at, 1, isLittle);
    } else {
      data.setUint8(at + (isLittle ? 0 : size - 1), 1);
    }
    const header =
      `{'descr': '${descr}', 'fortran_order': ${isFortran ? 'True' : 'False'}, 'shape': (2, 4, 6), }`.padEnd(
        117,
      );
    const bytes = Buffer.concat([
      Buffer.from('934e554d505901007600', 'hex'),
      Buffer.from(`${header}\n`),
      new Uint8Array(data.buffer),
    ]);
    expect(cells(new Uint8Array(bytes), { geometry: undefined })).toEqual(one);
    const wrong = Uint8Array.from(bytes);
    wrong[wrong.length - 1] = 0x40;
    expect(() => cells(wrong)).toThrow(/at \[1, 3, 5\]; expected 0 or 1/);
  });

  test('a file of many blocks is read as its bytes are', () => {
    const large = { banks: 4, rows: 1024, columns: 64 };
    const map: FaultMap = {
      geometry: large,
      cells: Float64Array.from({ length: 40_000 }, (_, index) => 5 * index),
      kinds: Uint8Array.from({ length: 40_000 }, (_, index) => index % 3),
      provenance: { source: 'file', file: 'x' },
    };
    const path = join(folder, 'large.csv');
    writeFileSync(path, formatCsv(map));
    expect(faultsOf(importFaultMap(path, { geometry: large }).map)).toEqual(faultsOf(map));
    const dump = join(folder, 'large.hex');
    const zeros = { ...map, kinds: map.kinds.map(() => 0) };
    const digits = new TextDecoder().decode(formatHex(zeros, dump)).replaceAll('\n', '');
    writeFileSync(dump, digits.repeat(5));
    const tall = { ...large, banks: 20 };
    expect(importFaultMap(dump, { geometry: tall }).map.cells).toHaveLength(200_000);
  });
});

describe('a map on a larger memory', () => {
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 7 }),
    fc.integer({ min: 1, max: 7 }),
  );
  const small = fc.record({
    banks: fc.integer({ min: 1, max: 3 }),
    rows: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 4 }),
  });

  test.prop([faultMaps(small), sizes, sizes, fc.constantFrom(...TILINGS)])(
    'has at each cell what its rule says',
    (map, extra, shift, tile) => {
      const { banks, rows, columns } = map.geometry;
      const onto = {
        banks: banks + extra[0],
        rows: rows + extra[1],
        columns: columns + extra[2],
      };
      const offset = (
        tile === 'macros'
          ? [0, 0, 0]
          : [shift[0] % (extra[0] + 1), shift[1] % (extra[1] + 1), shift[2] % (extra[2] + 1)]
      ) as [number, number, number];
      const kinds = new Map(faultsOf(map).map(([b, r, c, kind]) => [`${b},${r},${c}`, kind]));
      const modulo = (value: number, size: number) => ((value % size) + size) % size;
      const expected: NaiveFault[] = [];
      for (let b = 0; b < onto.banks; b += 1) {
        for (let r = 0; r < onto.rows; r += 1) {
          for (let c = 0; c < onto.columns; c += 1) {
            const [db, dr, dc] = [b - offset[0], r - offset[1], c - offset[2]];
            const across = Math.ceil(onto.columns / columns);
            const down = Math.ceil(onto.rows / rows);
            const macro = (b * down + Math.floor(r / rows)) * across + Math.floor(c / columns);
            const source = {
              once: `${db},${dr},${dc}`,
              repeat: `${modulo(db, banks)},${modulo(dr, rows)},${modulo(dc, columns)}`,
              macros: `${macro % banks},${r % rows},${c % columns}`,
            }[tile];
            const kind = kinds.get(source);
            if (kind !== undefined) expected.push([b, r, c, kind]);
          }
        }
      }
      const placed = placeFaultMap(map, onto, { tile, offset });
      expect(faultsOf(placed.map)).toEqual(expected);
      const all = onto.banks * onto.rows * onto.columns;
      expect(placed.coveredCells).toBe(tile === 'once' ? banks * rows * columns : all);
    },
  );

  test.prop([faultMaps(small), fc.infiniteStream(fc.nat()), fc.constantFrom(...TILINGS)])(
    'does not depend on the order of the lines of its file',
    (map, random, tile) => {
      const [head, ...lines] = formatCsv(map).trimEnd().split('\n');
      const shuffled = lines
        .map((line) => ({ line, key: random.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ line }) => line);
      const options = { geometry: map.geometry };
      const onto = { banks: 4, rows: 8, columns: 8 };
      const place = (text: string[]) =>
        placeFaultMap(decode([head, ...text].join('\n'), options).map, onto, { tile }).map;
      expect(place(shuffled)).toEqual(place(lines));
    },
  );

  test('must fit', () => {
    const map = decode('bank,row,column\n0,0,0\n', {
      geometry: { banks: 2, rows: 2, columns: 2 },
    }).map;
    expect(() =>
      placeFaultMap(map, { banks: 2, rows: 4, columns: 4 }, { tile: 'once', offset: [1, 0, 0] }),
    ).toThrow(
      /does not fit: with the offset 1,0,0 it has banks 1 to 2, but the memory has 2 banks/,
    );
  });
});
