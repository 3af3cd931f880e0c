import { describe, expect, test } from 'vitest';
import { createScope, expandScope, type FaultSource } from '../../campaign/index.js';
import { faultSourceOf, trialFaultMap } from '../../campaign/study/fault-source.js';
import { cellCount, cellIndex } from '../../fault/index.js';
import { arrayLayers } from '../../models/index.js';
import {
  cellsOfWeight,
  firstWeightOfLayers,
  type Placement,
  residentPlacement,
  streamedPlacement,
  weightsOfCell,
} from '../../sim/index.js';
import { smallNetwork } from './small-network.js';

const network = smallNetwork();
const layers = arrayLayers(network);
const first = firstWeightOfLayers(network);
const weights = first[first.length - 1];
const memory = { banks: 3, rows: 128, wordBits: 64, columnMux: 4 };
const shapes = layers.map(({ shape }) => shape);

const placements: [string, Placement][] = [
  ['resident', residentPlacement(memory, weights, 8)],
  // A memory of a fifth of the network.
  [
    'streamed',
    streamedPlacement({ ...memory, banks: 1, rows: 32 }, shapes, 8, {
      rows: 4,
      columns: 4,
      dataflow: 'weight-stationary',
    }),
  ],
];

function cellsOf(scope: string, placement: Placement): number[] {
  const { count, at } = createScope(scope, network, placement);
  return Array.from({ length: count }, (_, position) => at(position)).sort((a, b) => a - b);
}

describe.each(placements)('scopes of a %s placement', (_, placement) => {
  const { geometry } = placement;
  const all = Array.from({ length: cellCount(geometry) }, (_unused, cell) => cell);

  test.each(['all', 'layer:conv2', 'layer:fc1', 'bit:0', 'bit:7', 'bank:0'])(
    '%s lists distinct cells, those that it has',
    (name) => {
      const scope = createScope(name, network, placement);
      const cells = cellsOf(name, placement);
      expect(new Set(cells).size).toBe(scope.count);
      expect(cells).toEqual(all.filter((cell) => scope.has(cell)));
    },
  );

  test('a layer has the cells of its weights', () => {
    for (const [index, { name }] of layers.entries()) {
      const cells = new Set<number>();
      for (let weight = first[index]; weight < first[index + 1]; weight += 1) {
        for (const cell of cellsOfWeight(placement, weight)) cells.add(cellIndex(geometry, cell));
      }
      expect(cellsOf(`layer:${name}`, placement)).toEqual([...cells].sort((a, b) => a - b));
    }
  });

  test('bits and banks each divide the memory', () => {
    for (const kind of ['bit:*', 'bank:*']) {
      const parts = expandScope(kind, network, placement).map((name) => cellsOf(name, placement));
      expect(parts.flat().sort((a, b) => a - b)).toEqual(all);
    }
  });

  test('a bit position is that bit of every weight', () => {
    const scope = createScope('bit:5', network, placement);
    for (const cell of all.filter((_unused, index) => index % 97 === 0)) {
      const bank = Math.floor(cell / (geometry.rows * geometry.columns));
      const row = Math.floor(cell / geometry.columns) % geometry.rows;
      const stored = weightsOfCell(placement, { bank, row, column: cell % geometry.columns });
      for (const { bit } of stored) expect(scope.has(cell)).toBe(bit === 5);
    }
  });

  test('maps have their faults in the scope, as many as the rate says, nested in the rate', () => {
    const scope = createScope('layer:fc1', network, placement);
    const source = faultSourceOf('stuck-at');
    const readMap = () => {
      throw new Error('there is no file');
    };
    const [few, many] = [0.01, 0.2].map((rate) =>
      trialFaultMap({ source, geometry, scope, rate, seed: 3, map: 1, readMap }),
    );
    for (const [map, rate] of [[few, 0.01] as const, [many, 0.2] as const]) {
      expect(Math.abs(map.cells.length - rate * scope.count)).toBeLessThan(1);
      expect([...map.cells].every((cell) => scope.has(cell))).toBe(true);
      expect([...map.cells]).toEqual([...new Set(map.cells)].sort((a, b) => a - b));
    }
    const kinds = new Map(Array.from(many.cells, (cell, index) => [cell, many.kinds[index]]));
    few.cells.forEach((cell, index) => {
      expect(kinds.get(cell)).toBe(few.kinds[index]);
    });
    // Of a file, the faults in the scope stay.
    const whole = trialFaultMap({
      ...{ source, geometry, rate: 0.1, seed: 3, map: 0, readMap },
      scope: createScope('all', network, placement),
    });
    const file: FaultSource = { kind: 'file', file: 'map.json' };
    const inside = trialFaultMap({
      ...{ source: file, geometry, scope, rate: 0, seed: 3, map: 0 },
      readMap: () => whole,
    });
    expect([...inside.cells]).toEqual([...whole.cells].filter((cell) => scope.has(cell)));
  });
});

describe('expandScope', () => {
  const [, placement] = placements[0];

  test('gives each layer, bit or bank for a star, and others as they are', () => {
    expect(expandScope('layer:*', network, placement)).toEqual(
      ['conv1', 'conv2', 'fc1', 'fc2'].map((name) => `layer:${name}`),
    );
    expect(expandScope('bank:*', network, placement)).toEqual(['bank:0', 'bank:1', 'bank:2']);
    expect(expandScope('bit:3', network, placement)).toEqual(['bit:3']);
    expect(expandScope('all', network, placement)).toEqual(['all']);
  });

  test.each([
    ['layer:conv9', 'has no such layer: expected one of conv1, conv2, fc1, fc2'],
    ['bit:8', 'has no such bit: expected 0 to 7'],
    ['bank:3', 'has no such bank: expected 0 to 2'],
  ])('refuses %s', (scope, message) => {
    expect(() => expandScope(scope, network, placement)).toThrow(
      `scope ${scope}: small with int8 words ${message}`,
    );
  });
});
