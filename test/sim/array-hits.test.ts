import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type ConvolutionShape, windowSize } from '../../core/index.js';
import { type Cell, cellAt, cellCount, cellIndex, type FaultMap } from '../../fault/index.js';
import {
  arrayHits,
  cellOfWordBit,
  countStorageCells,
  DATAFLOWS,
  memoryGeometry,
  type PlacedStorage,
  type RegisterStorage,
  registersOf,
  type SystolicArray,
  slotCount,
  type WeightMemory,
} from '../../sim/index.js';

const shapes = fc
  .record({
    ...{ height: fc.integer({ min: 1, max: 4 }), width: fc.integer({ min: 1, max: 3 }) },
    ...{ groups: fc.integer({ min: 1, max: 3 }), filters: fc.integer({ min: 1, max: 7 }) },
    ...{ channels: fc.integer({ min: 1, max: 3 }), kernel: fc.integer({ min: 1, max: 2 }) },
  })
  .map(
    ({ height, width, groups, filters, channels, kernel }): ConvolutionShape => ({
      input: {
        ...{ channels: channels * groups, height: height + kernel - 1, width: width + kernel - 1 },
      },
      output: { channels: filters * groups, height, width },
      ...{ kernel: [kernel, kernel], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] },
      groups,
    }),
  );

const layers = fc
  .array(shapes, { minLength: 1, maxLength: 3 })
  .map((found) => found.map((shape, index) => ({ name: `layer${index}`, shape })));

const arrays = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 1, max: 5 }),
    dataflow: fc.constantFrom(...DATAFLOWS),
    preload: fc.boolean(),
  })
  .map(
    ({ preload, ...array }): SystolicArray => ({
      ...array,
      ...(preload && array.dataflow === 'weight-stationary' && { preload }),
    }),
  );

const memories = fc.record({
  banks: fc.integer({ min: 1, max: 2 }),
  rows: fc.constantFrom(2, 4, 6),
  wordBits: fc.constantFrom(16, 32, 64),
  columnMux: fc.constantFrom(1, 2),
  spareRows: fc.constantFrom(0, 1),
  spareColumns: fc.constantFrom(0, 3),
  checkBits: fc.constantFrom(0, 2),
}) satisfies fc.Arbitrary<WeightMemory>;

/** What has come through a register or a slot: outputs and weights by names of their own. */
interface Seen {
  readonly outputs: Set<string>;
  readonly weights: Set<string>;
}

/** The product of a window position for an output, and where its parts go, by the table of docs/fault-maps.md. */
interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

type Register = readonly [bank: number, row: number, column: number];

function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, number) => number);
}

function registersPassed(
  storage: RegisterStorage,
  { rows: R, columns: C, dataflow, preload }: SystolicArray,
  { m, n, k }: Product,
): Register[] {
  if (dataflow === 'output-stationary') {
    if (storage !== 'weight-registers') return [[0, m % R, n % C]];
    return upTo(m % R).map((row) => [0, row, n % C]);
  }
  const column = dataflow === 'weight-stationary' ? n % C : m % C;
  if (storage === 'multipliers') return [[0, k % R, column]];
  if (storage === 'accumulators') return upTo(R - 1).map((row) => [0, row, column]);
  if (dataflow === 'input-stationary') return upTo(m % C).map((passed) => [0, k % R, passed]);
  const shifting = upTo(k % R).map((row): Register => [preload ? 1 : 0, row, column]);
  return preload ? [...shifting, [0, k % R, column]] : shifting;
}

/** Follows every product of a layer. */
function follow(
  shape: ConvolutionShape,
  placesOf: (product: Product) => readonly string[],
): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  const filters = shape.output.channels / shape.groups;
  for (const g of upTo(shape.groups - 1)) {
    for (const m of upTo(shape.output.height * shape.output.width - 1)) {
      for (const n of upTo(filters - 1)) {
        for (const k of upTo(windowSize(shape) - 1)) {
          for (const place of placesOf({ m, n, k })) {
            const at = seen.get(place) ?? { outputs: new Set(), weights: new Set() };
            seen.set(place, at);
            at.outputs.add(`${g},${m},${n}`);
            at.weights.add(`${g},${n},${k}`);
          }
        }
      }
    }
  }
  return seen;
}

/** A map with a fault in every cell. */
function wholeMap(geometry: FaultMap['geometry']): FaultMap {
  const count = cellCount(geometry);
  const cells = Float64Array.from({ length: count }, (_, cell) => cell);
  const provenance = { source: 'file', file: 'whole' } as const;
  return { geometry, cells, kinds: new Uint8Array(count), provenance };
}

describe('hits of an array are those of a walk through all products', () => {
  test.prop(
    [
      fc.constantFrom<RegisterStorage>('weight-registers', 'accumulators', 'multipliers'),
      fc.constantFrom('int8' as const, 'float32' as const),
      arrays,
      layers,
    ],
    { numRuns: 60 },
  )('in registers', (name, format, array, ofNetwork) => {
    const registers = registersOf(name, array, format);
    const { geometry, bits } = registers;
    const storage: PlacedStorage = {
      ...{ name, geometry, columnMux: 1, valueBits: bits },
      cells: { kind: 'registers', registers },
    };
    const map = wholeMap(geometry);
    const walks = ofNetwork.map(({ shape }) =>
      follow(shape, (product) => registersPassed(name, array, product).map(String)),
    );
    const expected = Array.from(map.cells, (index) => {
      const { bank, row, column } = cellAt(geometry, index);
      const element = { row, column: Math.floor(column / bits) };
      return walks.flatMap((seen, layer) => {
        const at = seen.get(String([bank, element.row, element.column]));
        if (at === undefined) return [];
        const counts = {
          outputs: at.outputs.size,
          ...(name === 'weight-registers' && { weights: at.weights.size }),
        };
        const { name: of } = ofNetwork[layer];
        return [
          { fault: index, element, slot: undefined, bit: column % bits, layer: of, ...counts },
        ];
      });
    });
    expect([...arrayHits(map, storage, ofNetwork, array)]).toEqual(expected.flat());
    const used = expected.filter((hits) => hits.length > 0).length;
    expect(countStorageCells(map, storage, ofNetwork, array)).toEqual({
      ...{ used, unused: map.cells.length - used, check: 0, spare: 0 },
    });
  });

  test.prop([memories, arrays, layers], { numRuns: 60 })(
    'in an accumulator memory',
    (memory, { preload: _, ...given }, ofNetwork) => {
      const stays =
        given.dataflow === 'output-stationary' ? ('input-stationary' as const) : given.dataflow;
      const array = { ...given, dataflow: stays };
      const C = array.columns;
      const slots = slotCount(memory, 32);
      const geometry = memoryGeometry(memory);
      const storage: PlacedStorage = {
        ...{ name: 'accumulators', geometry, columnMux: memory.columnMux, valueBits: 32 },
        cells: { kind: 'accumulator-memory', memory, slots },
      };
      const map = wholeMap(geometry);
      const walks = ofNetwork.map(({ shape }) =>
        follow(shape, ({ m, n }) => [
          String((stays === 'weight-stationary' ? m * C + (n % C) : n * C + (m % C)) % slots),
        ]),
      );
      const expected = upTo(slots - 1).flatMap((slot) =>
        upTo(31).flatMap((bit) =>
          walks.flatMap((seen, layer) => {
            const at = seen.get(String(slot));
            if (at === undefined) return [];
            const fault = cellIndex(geometry, cellOfSum(memory, slot, bit));
            const { name } = ofNetwork[layer];
            return [
              { fault, element: undefined, slot, bit, layer: name, outputs: at.outputs.size },
            ];
          }),
        ),
      );
      const hits = [...arrayHits(map, storage, ofNetwork, array)];
      // Words of a row interleave: the same hits, cell by cell.
      expect(hits).toEqual(expected.toSorted((one, other) => one.fault - other.fault));
      const used = new Set(expected.map(({ fault }) => fault)).size;
      const { banks, rows, wordBits, columnMux, checkBits } = memory;
      const words = banks * rows * columnMux;
      const [data, check] = [words * wordBits, words * checkBits];
      expect(countStorageCells(map, storage, ofNetwork, array)).toEqual({
        ...{ used, unused: data - used, check, spare: cellCount(geometry) - data - check },
      });
    },
  );
});

/** Where bit b of the sum in a slot lies: two sums in a word of 64 bits, two words of 16 bits for a sum. */
function cellOfSum(memory: WeightMemory, slot: number, bit: number): Cell {
  const number = slot * 32 + bit;
  const address = Math.floor(number / memory.wordBits);
  return cellOfWordBit(memory, { address, bit: number % memory.wordBits });
}
