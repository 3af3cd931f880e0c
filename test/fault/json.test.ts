import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import {
  formatFaultMap,
  parseFaultMap,
  readFaultMap,
  uniformFaultMap,
  writeFaultMap,
} from '../../fault/index.js';
import { extendedGeometries, faultMaps } from '../../testing/index.js';

const FILE = {
  format: 'bitcell-fault-map',
  version: 1,
  geometry: { banks: 2, rows: 3, columns: 4 },
  faults: [
    [1, 2, 3, 'flip'],
    [0, 0, 1, 'stuck-at-0'],
    [0, 2, 0, 'stuck-at-1'],
  ],
};

const parse = (file: unknown) => parseFaultMap(JSON.stringify(file), 'map.json');

describe('Bitcell JSON', () => {
  test.prop([faultMaps(extendedGeometries())])('is read back as it was written', (map) => {
    expect(parseFaultMap(formatFaultMap(map), 'map.json')).toEqual(map);
  });

  test.prop([faultMaps(), fc.func(fc.integer())])('is sorted when it is read', (map, rank) => {
    const file = JSON.parse(formatFaultMap(map));
    file.faults.sort((a: unknown, b: unknown) => rank(a) - rank(b));
    expect(parse(file)).toEqual(map);
  });

  test('of a map that was read has the same bytes again', () => {
    const text = formatFaultMap(parse(FILE));
    expect(formatFaultMap(parseFaultMap(text, 'elsewhere.json'))).toBe(text);
  });

  test('without provenance comes from its file', () => {
    expect(parse(FILE)).toEqual({
      geometry: FILE.geometry,
      cells: Float64Array.of(1, 8, 23),
      kinds: Uint8Array.of(0, 1, 2),
      provenance: { source: 'file', file: 'map.json' },
    });
  });

  test('has one fault a line', () => {
    const geometry = { columns: 4, rows: 3, banks: 2 };
    const map = uniformFaultMap({ geometry, rate: 0.125, faults: 'flip', seed: 1, trial: 0 });
    expect(formatFaultMap(map)).toMatchInlineSnapshot(`
      "{
        "format": "bitcell-fault-map",
        "version": 2,
        "geometry": {"banks":2,"rows":3,"columns":4},
        "provenance": {"source":"generated","model":{"model":"uniform","faults":"flip"},"seed":1,"trial":0,"rate":0.125},
        "faults": [
          [0,1,0,"flip"],
          [1,0,1,"flip"],
          [1,2,1,"flip"]
        ]
      }
      "
    `);
    expect(formatFaultMap({ ...map, cells: new Float64Array(), kinds: new Uint8Array() })).toMatch(
      /"faults": \[\]\n}\n$/,
    );
  });

  test('is written to a file and read from it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bitcell-map-'));
    try {
      const path = join(folder, 'map.json');
      const map = parse(FILE);
      writeFaultMap(path, map);
      expect(readFaultMap(path)).toEqual(map);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('bad files', () => {
  const modelled = {
    source: 'generated',
    model: { model: 'uniform', faults: 'flip' },
    seed: 1,
    trial: 0,
    rate: 0.5,
  };
  const withFaults = (...faults: unknown[]) => ({ ...FILE, faults });
  const generated = {
    source: 'generated',
    generator: 'uniform',
    seed: 1,
    trial: 0,
    rate: 0.5,
    faults: 'flip',
  };

  /** A file, the text at which its error is, and the error. */
  const cases: [file: unknown, at: string, message: string][] = [
    [{ ...FILE, provenance: 'guess' }, '"guess"', 'provenance is "guess"; expected an object.'],
    [[], '[]', 'the top level is []; expected an object.'],
    [{ ...FILE, format: 'other' }, '"other"', 'format is "other"; expected "bitcell-fault-map".'],
    [{ ...FILE, version: 3 }, '3,', 'version is 3; expected 1 or 2.'],
    [
      { ...FILE, faults: undefined },
      '{"format',
      'faults is missing; expected a list of [bank, row, column, kind].',
    ],
    [{ ...FILE, seed: 17 }, '17', 'unknown field "seed" at the top level; remove it.'],
    [
      { ...FILE, geometry: { banks: 1, rows: 0.5, columns: 1 } },
      '0.5',
      'geometry.rows is 0.5; expected a positive whole number.',
    ],
    [
      { ...FILE, geometry: { ...FILE.geometry, spares: 17 } },
      '17',
      'unknown field "spares" at geometry; remove it.',
    ],
    [
      { ...FILE, geometry: { ...FILE.geometry, spareRows: 17 } },
      '17',
      'unknown field "spareRows" at geometry; remove it.',
    ],
    [
      { ...FILE, geometry: { banks: 2 ** 30, rows: 2 ** 30, columns: 1 } },
      '{"banks',
      'the memory has 1073741824 banks × 1073741824 rows × 1 columns; each must be a positive whole number, and their product below 2^53.',
    ],
    [
      { ...FILE, version: 2, geometry: { ...FILE.geometry, spareRows: 3 } },
      '{"banks',
      'the memory has 2 banks × 3 rows × 4 columns (of them 3 spare rows); spare and check cells are counted within the rows and columns and must leave at least one data row and data column.',
    ],
    [
      { ...FILE, provenance: { source: 'guess' } },
      '"guess"',
      'provenance.source is "guess"; expected "generated" or "file".',
    ],
    [
      { ...FILE, provenance: { ...generated, rate: 7 } },
      '7',
      'provenance.rate is 7; expected a number from 0 to 1.',
    ],
    [
      { ...FILE, provenance: { ...generated, faults: 'bridge' } },
      '"bridge"',
      'provenance.faults is "bridge"; expected one of stuck-at-0, stuck-at-1, flip, stuck-at.',
    ],
    [
      { ...FILE, version: 2, provenance: { ...modelled, model: { model: 'rust' } } },
      '"rust"',
      'provenance.model.model is "rust"; expected one of uniform, rows, columns, banks, clusters, weak-lines, voltage.',
    ],
    [
      withFaults([0, 0, 0, 'flip'], [0, 0, 1]),
      '[0,0,1]',
      'faults[1] is [0,0,1]; expected [bank, row, column, kind].',
    ],
    [
      withFaults([2, 0, 0, 'flip']),
      '[2,0',
      'faults[0] is [2,0,0,"flip"]; expected a bank from 0 to 1.',
    ],
    [
      withFaults([0, -1, 0, 'flip']),
      '[0,-1',
      'faults[0] is [0,-1,0,"flip"]; expected a row from 0 to 2.',
    ],
    [
      withFaults([0, 0, '3', 'flip']),
      '[0,0,"3"',
      'faults[0] is [0,0,"3","flip"]; expected a column from 0 to 3.',
    ],
    [
      withFaults([0, 0, 0, 'stuck']),
      '[0,0,0',
      'faults[0] is [0,0,0,"stuck"]; expected a kind that is one of stuck-at-0, stuck-at-1, flip.',
    ],
    [
      withFaults([1, 0, 0, 'flip'], [0, 0, 0, 'flip'], [1, 0, 0, 'stuck-at-0']),
      '[1,0,0,"stuck-at-0"]',
      'faults[2] is [1,0,0,"stuck-at-0"], the same cell as faults[0]; expected each cell once.',
    ],
  ];

  test.each(cases.map(([file, at, message]) => ({ file, at, message })))(
    '$message',
    ({ file, at, message }) => {
      const oneLine = JSON.stringify(file);
      const column = oneLine.indexOf(at) + 1;
      expect(() => parse(file)).toThrow(new InputError(`map.json:1:${column}: ${message}`));
      // The same file over many lines: its error is where that text is.
      const text = JSON.stringify(file, null, 2);
      expect(() => parseFaultMap(text, 'map.json')).toThrow(/^map\.json:\d+:\d+: /);
    },
  );

  test.each([
    ['{"format":', '1:11', 'found the end'],
    ['{\n  "format": "bitcell-fault-map",\n  "version": 2,,', '3:16', 'found ","'],
    ['{"format": nul}', '1:12', 'found "nul}"'],
    ['{"a\nb": 1}', '1:4', 'found the end of the line'],
  ])('no JSON: %j', (text, place, found) => {
    expect(() => parseFaultMap(text, 'map.json')).toThrow(
      new InputError(`map.json:${place}: ${found}, which is not valid JSON there.`),
    );
  });

  test('deeply nested ones', () => {
    expect(() => parseFaultMap('['.repeat(1e6), 'map.json')).toThrow(InputError);
  });

  test.prop([fc.json({ maxDepth: 4 }), fc.nat(), fc.string({ maxLength: 3 })])(
    'any text is a map or an error with a place',
    (json, at, inserted) => {
      const position = at % (json.length + 1);
      const text = json.slice(0, position) + inserted + json.slice(position);
      expect(() => parseFaultMap(text, 'map.json')).toThrow(/^map\.json:\d+:\d+: .*\.$/s);
    },
  );
});

describe('version 1', () => {
  test('is still read', () => {
    const provenance = {
      source: 'generated',
      generator: 'uniform',
      seed: 3,
      trial: 1,
      rate: 0.25,
      faults: 'stuck-at',
    };
    expect(parse({ ...FILE, provenance }).provenance).toEqual({
      source: 'generated',
      model: { model: 'uniform', faults: 'stuck-at' },
      seed: 3,
      trial: 1,
      rate: 0.25,
    });
  });
});
