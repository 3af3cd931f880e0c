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
import { faultMaps } from '../../testing/index.js';

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
  test.prop([faultMaps()])('is read back as it was written', (map) => {
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
        "version": 1,
        "geometry": {"banks":2,"rows":3,"columns":4},
        "provenance": {"source":"generated","generator":"uniform","seed":1,"trial":0,"rate":0.125,"faults":"flip"},
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
  const withFaults = (...faults: unknown[]) => ({ ...FILE, faults });
  const generated = {
    source: 'generated',
    generator: 'uniform',
    seed: 1,
    trial: 0,
    rate: 0.5,
    faults: 'flip',
  };

  const cases: [unknown, string][] = [
    [{ ...FILE, provenance: 'guess' }, 'map.json: provenance is "guess"; expected an object.'],
    [[], 'map.json: the top level is []; expected an object.'],
    [{ ...FILE, format: 'other' }, 'map.json: format is "other"; expected "bitcell-fault-map".'],
    [{ ...FILE, version: 2 }, 'map.json: version is 2; expected 1, the only version there is.'],
    [
      { ...FILE, faults: undefined },
      'map.json: faults is missing; expected a list of [bank, row, column, kind].',
    ],
    [{ ...FILE, seed: 1 }, 'map.json: unknown field "seed" at the top level; remove it.'],
    [
      { ...FILE, geometry: { banks: 1, rows: 0.5, columns: 1 } },
      'map.json: geometry.rows is 0.5; expected a positive whole number.',
    ],
    [
      { ...FILE, geometry: { ...FILE.geometry, spares: 1 } },
      'map.json: unknown field "spares" at geometry; remove it.',
    ],
    [
      { ...FILE, geometry: { banks: 2 ** 30, rows: 2 ** 30, columns: 1 } },
      'map.json: geometry has 1073741824 banks × 1073741824 rows × 1 columns; each must be a positive whole number, and their product below 2^53.',
    ],
    [
      { ...FILE, provenance: { source: 'guess' } },
      'map.json: provenance.source is "guess"; expected "generated" or "file".',
    ],
    [
      { ...FILE, provenance: { ...generated, rate: 2 } },
      'map.json: provenance.rate is 2; expected a number from 0 to 1.',
    ],
    [
      { ...FILE, provenance: { ...generated, faults: 'bridge' } },
      'map.json: provenance.faults is "bridge"; expected one of stuck-at-0, stuck-at-1, flip, stuck-at.',
    ],
    [
      withFaults([0, 0, 0, 'flip'], [0, 0, 1]),
      'map.json: faults[1] is [0,0,1]; expected [bank, row, column, kind].',
    ],
    [
      withFaults([2, 0, 0, 'flip']),
      'map.json: faults[0] is [2,0,0,"flip"]; expected a bank from 0 to 1.',
    ],
    [
      withFaults([0, -1, 0, 'flip']),
      'map.json: faults[0] is [0,-1,0,"flip"]; expected a row from 0 to 2.',
    ],
    [
      withFaults([0, 0, '3', 'flip']),
      'map.json: faults[0] is [0,0,"3","flip"]; expected a column from 0 to 3.',
    ],
    [
      withFaults([0, 0, 0, 'stuck']),
      'map.json: faults[0] is [0,0,0,"stuck"]; expected a kind that is one of stuck-at-0, stuck-at-1, flip.',
    ],
    [
      withFaults([1, 0, 0, 'flip'], [0, 0, 0, 'flip'], [1, 0, 0, 'stuck-at-0']),
      'map.json: faults[2] is [1,0,0,"stuck-at-0"], the same cell as faults[0]; expected each cell once.',
    ],
  ];

  test.each(cases.map(([file, message]) => ({ file, message })))(
    '$message',
    ({ file, message }) => {
      expect(() => parse(file)).toThrow(new InputError(message));
    },
  );

  test('a text cut short', () => {
    expect(() => parseFaultMap('{"format":', 'map.json')).toThrow(
      new InputError('map.json is not valid JSON: Unexpected end of JSON input.'),
    );
  });
});
