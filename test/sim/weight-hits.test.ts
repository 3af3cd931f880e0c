import { test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../core/index.js';
import { cellAt, type FaultMap } from '../../fault/index.js';
import {
  applyFaultMap,
  countFaultyCells,
  memoryGeometry,
  residentPlacement,
  streamedPlacement,
  weightHits,
  weightsOfCell,
} from '../../sim/index.js';
import { residentCases, streamedCases } from './placed-faults.js';

describe('weightHits', () => {
  for (const [name, cases] of [
    ['resident', residentCases],
    ['streamed', streamedCases],
  ] as const) {
    test.prop([cases])(
      `lists what every faulty cell of the map stores (${name})`,
      ({ placement, words, map }) => {
        const listed = [...weightHits(map, placement, words)];
        const expected = Array.from(map.cells, (index) => {
          const cell = cellAt(map.geometry, index);
          return weightsOfCell(placement, cell).map((stored) => ({ ...cell, ...stored }));
        }).flat();
        expect(
          listed.map(({ bank, row, column, weight, tile, bit }) => ({
            ...{ bank, row, column },
            ...{ weight, tile, bit },
          })),
        ).toEqual(expected);
      },
    );

    test.prop([cases])(
      `agrees with the patches: effective hits are the changed bits (${name})`,
      ({ placement, words, map }) => {
        const patches = applyFaultMap(map, placement, words);
        const changed = new Map<number, number>();
        const effectiveCells = new Set<string>();
        for (const hit of weightHits(map, placement, words)) {
          const read = patches.weights.indexOf(hit.weight);
          expect(hit.storedWord).toBe(words[hit.weight]);
          expect(hit.faultyWord).toBe(read < 0 ? hit.storedWord : patches.words[read]);
          const differs = ((hit.storedWord ^ hit.faultyWord) >>> hit.bit) & 1;
          expect(hit.effective).toBe(differs === 1);
          if (!hit.effective) continue;
          changed.set(hit.weight, ((changed.get(hit.weight) ?? 0) | (1 << hit.bit)) >>> 0);
          effectiveCells.add(`${hit.bank},${hit.row},${hit.column}`);
        }
        expect([...changed].toSorted(([a], [b]) => a - b)).toEqual(
          Array.from(patches.weights, (weight, patch) => [
            weight,
            (words[weight] ^ patches.words[patch]) >>> 0,
          ]),
        );
        expect(patches.effectiveFaults).toBe(effectiveCells.size);
      },
    );

    test.prop([cases])(
      `every faulty cell is counted once (${name})`,
      ({ placement, words, map }) => {
        const counts = countFaultyCells(map, placement);
        const { used, unused, check, spare } = counts;
        expect(used + unused + check + spare).toBe(map.cells.length);
        const hit = [...weightHits(map, placement, words)].map(
          ({ bank, row, column }) => `${bank},${row},${column}`,
        );
        expect(used).toBe(new Set(hit).size);
        const { memory } = placement;
        const cells = Array.from(map.cells, (cell) => cellAt(map.geometry, cell));
        const dataColumns = memory.wordBits * memory.columnMux;
        const checkColumns = (memory.checkBits ?? 0) * memory.columnMux;
        const inCheckColumns = cells.filter(
          ({ row, column }) =>
            row < memory.rows && column >= dataColumns && column < dataColumns + checkColumns,
        );
        expect(check).toBe(inCheckColumns.length);
      },
    );
  }
});

describe('the hits of a single faulty cell', () => {
  const memory = { banks: 1, rows: 2, wordBits: 32, columnMux: 2 };
  const faults = (...places: readonly [cell: number, kind: number][]): FaultMap => ({
    geometry: memoryGeometry(memory),
    cells: Float64Array.from(places, ([cell]) => cell),
    kinds: Uint8Array.from(places, ([, kind]) => kind),
    provenance: { source: 'file', file: 'test' },
  });

  test('name place, tile, bit and words', () => {
    const placement = residentPlacement(memory, 4, 32);
    const words = new Uint32Array(new Float32Array([1, -2, 3, 4]).buffer);
    expect([...weightHits(faults([1 * 64 + 31 * 2 + 1, 2]), placement, words)]).toEqual([
      {
        bank: 0,
        row: 1,
        column: 63,
        kind: 'flip',
        weight: 3,
        tile: 0,
        bit: 31,
        storedWord: 0x40800000,
        faultyWord: 0xc0800000,
        effective: true,
      },
    ]);
  });

  test('show the word as read, another broken cell included', () => {
    const placement = residentPlacement(memory, 16, 8);
    const listed = [...weightHits(faults([0, 0], [2, 2]), placement, new Uint8Array(16))];
    expect(listed).toMatchObject([
      { bit: 0, storedWord: 0, faultyWord: 2, effective: false },
      { bit: 1, storedWord: 0, faultyWord: 2, effective: true },
    ]);
  });

  test('are a weight of every second tile of a stream', () => {
    const shape = {
      input: { channels: 40, height: 1, width: 1 },
      output: { channels: 1, height: 1, width: 1 },
      kernel: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
    } as const;
    const array = { rows: 4, columns: 4, dataflow: 'weight-stationary' } as const;
    const placement = streamedPlacement(memory, [shape], 8, array);
    const last = faults([127, 2]);
    expect(
      [...weightHits(last, placement, new Uint8Array(40))].map(({ weight, tile }) => [
        weight,
        tile,
      ]),
    ).toEqual([
      [15, 1],
      [31, 3],
    ]);
  });

  test('under an unused slot are none', () => {
    const placement = residentPlacement(memory, 3, 8);
    expect([...weightHits(faults([127, 2]), placement, new Uint8Array(3))]).toEqual([]);
  });

  test('need a map of the same geometry', () => {
    const placement = residentPlacement({ ...memory, rows: 3 }, 16, 8);
    expect(() => weightHits(faults([0, 0]), placement, new Uint8Array(16)).next()).toThrow(
      new InputError(
        'The fault map is for a memory of 1 banks × 2 rows × 64 columns, but this memory has 1 banks × 3 rows × 64 columns; use a map that was made for it.',
      ),
    );
  });
});
