import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createRandomStream, InputError } from '../../core/index.js';
import { cellAt, cellCount, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import {
  applyFaultMap,
  bitNumberOfCell,
  createPatchBuffers,
  memoryGeometry,
  residentPlacement,
  slotCount,
  streamedPlacement,
  type WeightPatches,
} from '../../sim/index.js';
import { residentCases, streamedCases } from './placed-faults.js';
import { patchesByWalkingWeights } from './reference.js';

function plain({ weights, words, effectiveFaults }: WeightPatches) {
  return { weights: [...weights], words: [...words], effectiveFaults };
}

describe('applyFaultMap', () => {
  for (const [name, cases] of [
    ['resident', residentCases],
    ['streamed', streamedCases],
  ] as const) {
    test.prop([cases])(
      `equals asking every weight for its cells (${name})`,
      ({ placement, slots, words, map }) => {
        const patches = applyFaultMap(map, placement, words);
        expect(plain(patches)).toEqual(patchesByWalkingWeights(map, placement, slots, words));
      },
    );

    test.prop([cases])(
      `faults in check and spare cells change no weight (${name})`,
      ({ placement, words, map }) => {
        const { memory } = placement;
        const part = (isData: boolean): FaultMap => {
          const faults = [...map.cells.keys()].filter((fault) => {
            const { row, column } = cellAt(map.geometry, map.cells[fault]);
            const ofData = row < memory.rows && column < memory.wordBits * memory.columnMux;
            return ofData === isData;
          });
          return {
            ...map,
            cells: Float64Array.from(faults, (fault) => map.cells[fault]),
            kinds: Uint8Array.from(faults, (fault) => map.kinds[fault]),
          };
        };
        expect(applyFaultMap(part(false), placement, words)).toEqual({
          weights: new Uint32Array(0),
          words: new Uint32Array(0),
          effectiveFaults: 0,
        });
        expect(applyFaultMap(part(true), placement, words)).toEqual(
          applyFaultMap(map, placement, words),
        );
      },
    );
  }

  test.prop([fc.maxSafeNat(), fc.integer({ min: 1, max: 60 })], { numRuns: 8 })(
    'is the same for few faults, kept in a list, and many, kept in a mask, with buffers used before and without',
    (seed, count) => {
      const memory = { banks: 2, rows: 160, wordBits: 64, columnMux: 4 };
      const weights = slotCount(memory, 8) - 5;
      const placement = residentPlacement(memory, weights, 8);
      const stream = createRandomStream(seed, 0, 0);
      const words = Uint8Array.from({ length: weights }, (_, weight) =>
        stream.integerBelow(256, 2 ** 32 + weight),
      );
      const geometry = memoryGeometry(memory);
      const cellsOf = (faults: number) => {
        const drawn = Array.from({ length: faults }, (_, fault) =>
          stream.integerBelow(cellCount(geometry), fault),
        );
        return [...new Set(drawn)].sort((a, b) => a - b);
      };
      const mapOf = (cells: readonly number[]): FaultMap => ({
        geometry,
        cells: Float64Array.from(cells),
        kinds: Uint8Array.from(cells, (cell) => cell % FAULT_KINDS.length),
        provenance: { source: 'file', file: 'test' },
      });
      const buffers = createPatchBuffers();
      for (const cells of [cellsOf(20 * count), cellsOf(count), cellsOf(10 * count)]) {
        const expected = patchesByWalkingWeights(
          mapOf(cells),
          placement,
          Array.from({ length: weights }, (_, weight) => weight),
          words,
        );
        const own = applyFaultMap(mapOf(cells), placement, words);
        const shared = applyFaultMap(mapOf(cells), placement, words, buffers);
        expect(plain(own)).toEqual(expected);
        expect(plain(shared)).toEqual(expected);
      }
    },
  );

  test('sorts weights of more than one digit', () => {
    const memory = { banks: 1, rows: 40_000, wordBits: 64, columnMux: 16 };
    const weights = slotCount(memory, 8);
    const placement = residentPlacement(memory, weights, 8);
    const cells = Float64Array.from(
      { length: 10_000 },
      (_, index) => index * 4096 + (index % 1024),
    );
    const map: FaultMap = {
      geometry: memoryGeometry(memory),
      cells,
      kinds: new Uint8Array(cells.length).fill(2),
      provenance: { source: 'file', file: 'test' },
    };
    const patches = applyFaultMap(map, placement, new Uint8Array(weights));
    const expected = Array.from(cells, (cell) =>
      Math.floor(bitNumberOfCell(memory, cell) / 8),
    ).toSorted((a, b) => a - b);
    expect(patches.effectiveFaults).toBe(cells.length);
    expect([...patches.weights]).toEqual([...new Set(expected)]);
  });
});

describe('a single faulty cell', () => {
  const memory = { banks: 1, rows: 2, wordBits: 32, columnMux: 2 };
  const single = (cell: number, kind: number): FaultMap => ({
    geometry: memoryGeometry(memory),
    cells: Float64Array.of(cell),
    kinds: Uint8Array.of(kind),
    provenance: { source: 'file', file: 'test' },
  });

  test('hits the sign bit of a float32 weight', () => {
    const placement = residentPlacement(memory, 4, 32);
    const words = new Uint32Array(new Float32Array([1, -2, 3, 4]).buffer);
    const map = single(1 * 64 + 31 * 2 + 1, 2);
    const patches = applyFaultMap(map, placement, words);
    expect([...patches.weights]).toEqual([3]);
    expect([...new Float32Array(patches.words.slice().buffer)]).toEqual([-4]);
  });

  test('stuck at the stored bit changes nothing', () => {
    const placement = residentPlacement(memory, 16, 8);
    const patches = applyFaultMap(single(0, 1), placement, new Uint8Array(16).fill(1));
    expect(patches).toEqual({
      weights: new Uint32Array(0),
      words: new Uint32Array(0),
      effectiveFaults: 0,
    });
  });

  test('under an unused slot changes nothing', () => {
    const placement = residentPlacement(memory, 3, 8);
    expect(applyFaultMap(single(127, 2), placement, new Uint8Array(3)).effectiveFaults).toBe(0);
  });

  test('strikes a weight of every second tile of a stream', () => {
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
    const patches = applyFaultMap(single(0, 2), placement, new Uint8Array(40));
    expect([...patches.weights]).toEqual([0, 16, 32]);
    expect(patches.effectiveFaults).toBe(1);
  });

  test('of another geometry is an error', () => {
    const placement = residentPlacement({ ...memory, rows: 3 }, 16, 8);
    expect(() => applyFaultMap(single(0, 0), placement, new Uint8Array(16))).toThrow(
      new InputError(
        'The fault map is for a memory of 1 banks × 2 rows × 64 columns, but this memory has 1 banks × 3 rows × 64 columns; use a map that was made for it.',
      ),
    );
  });

  test('with the words of another network is an error', () => {
    const placement = residentPlacement(memory, 16, 8);
    expect(() => applyFaultMap(single(0, 0), placement, new Uint32Array(16))).toThrow(
      new InputError(
        'The placement is for 16 weights of 8 bits, but 16 words of 32 bits were given.',
      ),
    );
    expect(() => applyFaultMap(single(0, 0), placement, new Uint8Array(15))).toThrow(
      new InputError(
        'The placement is for 16 weights of 8 bits, but 15 words of 8 bits were given.',
      ),
    );
  });
});
