import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError, weightCount } from '../../core/index.js';
import {
  cellsOfWeight,
  residentPlacement,
  slotCount,
  streamedPlacement,
  weightStream,
  weightsOfCell,
  wordCount,
} from '../../sim/index.js';
import { convolutionShapes, systolicArrays, weightMemories } from '../../testing/index.js';
import { definedSlots, enumerateStream } from './reference.js';

const networks = fc.array(convolutionShapes(), { minLength: 1, maxLength: 3 });
const weightBits = fc.constantFrom(8 as const, 32 as const);
const halvedMemories = weightMemories().filter((memory) => wordCount(memory) % 2 === 0);

describe('weightStream', () => {
  test.prop([networks, systolicArrays()], { numRuns: 300 })(
    'both directions equal the loops that define the order',
    (shapes, array) => {
      const stream = weightStream(shapes, array);
      const order = enumerateStream(shapes, array);
      expect(stream.weights).toBe(order.length);
      expect(order.map((_, position) => stream.weightAtStreamPosition(position))).toEqual(order);
      expect(order.map((weight) => stream.streamPositionOf(weight))).toEqual([...order.keys()]);
    },
  );

  test('is exact for layers of more than 2^31 weights', () => {
    const shape = {
      input: { channels: 65_537, height: 1, width: 1 },
      output: { channels: 65_519, height: 1, width: 1 },
      kernel: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      groups: 1,
    } as const;
    for (const dataflow of ['weight-stationary', 'input-stationary'] as const) {
      const stream = weightStream([shape], { rows: 16, columns: 16, dataflow });
      expect(stream.weights).toBe(weightCount(shape));
      for (let weight = 0; weight < stream.weights; weight += 39_916_801) {
        expect(stream.weightAtStreamPosition(stream.streamPositionOf(weight))).toBe(weight);
      }
      expect(stream.streamPositionOf(stream.weights - 1)).toBe(stream.weights - 1);
    }
  });
});

describe('residentPlacement', () => {
  test.prop([weightMemories(), weightBits, fc.double({ min: 0, max: 1, noNaN: true })])(
    'gives every weight cells of its own, in network order',
    (memory, bits, share) => {
      const slots = slotCount(memory, bits);
      const weights = Math.floor(share * slots);
      const placement = residentPlacement(memory, weights, bits);
      for (let slot = 0; slot < slots; slot++) {
        expect(placement.occupancy(slot)).toBe(slot < weights ? 1 : 0);
      }
      const seen = new Set<string>();
      for (let weight = 0; weight < weights; weight++) {
        expect(placement.weightAt(placement.slotOf(weight), 0)).toBe(weight);
        for (const [bit, cell] of cellsOfWeight(placement, weight).entries()) {
          expect(weightsOfCell(placement, cell)).toEqual([{ weight, tile: 0, bit }]);
          seen.add(JSON.stringify(cell));
        }
      }
      expect(seen.size).toBe(weights * bits);
    },
  );

  test('a weight that the network does not have is an error', () => {
    const memory = { banks: 1, rows: 2, wordBits: 32, columnMux: 1 };
    expect(() => cellsOfWeight(residentPlacement(memory, 5, 8), 5)).toThrow(
      new InputError('A weight must be an integer from 0 to 4, not 5.'),
    );
  });

  test('a memory that is too small is an error that says what is needed and available', () => {
    const memory = { banks: 1, rows: 2, wordBits: 32, columnMux: 1 };
    expect(residentPlacement(memory, 8, 8).weights).toBe(8);
    expect(() => residentPlacement(memory, 9, 8)).toThrow(
      new InputError(
        'The weight memory is too small for a resident placement: the network has 9 weights of 8 bits, the memory holds 8; use more banks or a streamed placement.',
      ),
    );
  });

  test('more weights than 32 bits can number are an error', () => {
    const memory = { banks: 2 ** 20, rows: 1024, wordBits: 64, columnMux: 4 };
    expect(() => residentPlacement(memory, 2 ** 32 + 1, 8)).toThrow(
      new InputError('A network must have 0 to 2^32 weights to be placed, not 4294967297.'),
    );
  });
});

describe('streamedPlacement', () => {
  test.prop([halvedMemories, networks, weightBits, systolicArrays()])(
    'tile t lies in half t mod 2, and a slot holds its weights in the order of the stream',
    (memory, shapes, bits, array) => {
      const placement = streamedPlacement(memory, shapes, bits, array);
      const order = enumerateStream(shapes, array);
      const slots = definedSlots(placement, order);
      expect(slots.map((_, weight) => placement.slotOf(weight))).toEqual(slots);
      const held = Array.from({ length: slotCount(memory, bits) }, (): number[] => []);
      for (const weight of order) held[slots[weight]].push(weight);
      for (const [slot, weights] of held.entries()) {
        expect(placement.occupancy(slot)).toBe(weights.length);
        expect(weights.map((_, occurrence) => placement.weightAt(slot, occurrence))).toEqual(
          weights,
        );
      }
    },
  );

  test.prop([halvedMemories, networks, weightBits, systolicArrays()])(
    'tiles are as long as a half, in the order of the stream, and neighbours lie in different halves',
    (memory, shapes, bits, array) => {
      const placement = streamedPlacement(memory, shapes, bits, array);
      const half = slotCount(memory, bits) / 2;
      const order = enumerateStream(shapes, array);
      const tiles = order.map((weight) => placement.tileOf(weight));
      expect(tiles).toEqual(order.map((_, position) => Math.floor(position / half)));
      expect(placement.tiles).toBe(Math.max(...tiles) + 1);
      expect(order.map((weight) => Math.floor(placement.slotOf(weight) / half))).toEqual(
        tiles.map((tile) => tile % 2),
      );
    },
  );

  test('a memory that cannot be halved is an error', () => {
    const memory = { banks: 3, rows: 1, wordBits: 32, columnMux: 1 };
    const array = { rows: 4, columns: 4, dataflow: 'weight-stationary' } as const;
    expect(() => streamedPlacement(memory, [], 8, array)).toThrow(
      new InputError(
        'A streamed placement needs two equal halves, but the weight memory has 3 words; use an even number of banks, rows or words a row.',
      ),
    );
  });
});
