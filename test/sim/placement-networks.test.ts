import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { cellAt, cellCount, cellIndex } from '../../fault/index.js';
import { arrayLayers, dequantize, type Network, WORD_BITS } from '../../models/index.js';
import {
  type Accelerator,
  cellsOfWeight,
  networkWeights,
  type Placement,
  placeNetwork,
  type StoredBit,
  slotCount,
  streamedPlacement,
  weightLocator,
  weightsOfCell,
} from '../../sim/index.js';
import {
  ARCHITECTURES,
  convolutionShapes,
  int8GraphOf,
  int8Networks,
  systolicArrays,
  weightMemories,
  xorshift,
} from '../../testing/index.js';
import { enumerateStream } from './reference.js';

/**
 * The laws of a placement, cell by cell. What the weights say of their cells is collected first; then every
 * cell of the memory must say the same of its weights.
 */
function expectPlacementLaws(placement: Placement): void {
  const { geometry, weights, weightBits } = placement;
  const stored = new Map<number, StoredBit[]>();
  for (let weight = 0; weight < weights; weight++) {
    const tile = placement.tileOf(weight);
    for (const [bit, cell] of cellsOfWeight(placement, weight).entries()) {
      const index = cellIndex(geometry, cell);
      const others = stored.get(index);
      if (others === undefined) stored.set(index, [{ weight, tile, bit }]);
      else others.push({ weight, tile, bit });
    }
  }
  let bits = 0;
  const wrong: unknown[] = [];
  for (let index = 0; index < cellCount(geometry); index++) {
    const expected = (stored.get(index) ?? []).toSorted((a, b) => a.tile - b.tile);
    const found = weightsOfCell(placement, cellAt(geometry, index));
    const equal =
      found.length === expected.length &&
      found.every(
        ({ weight, tile, bit }, time) =>
          weight === expected[time].weight &&
          tile === expected[time].tile &&
          bit === expected[time].bit,
      );
    // Within a tile no two weights share a cell, and neighbouring tiles lie in different halves.
    const inTurn = found.every(({ tile }, time) => time === 0 || tile === found[time - 1].tile + 2);
    if (!equal || !inTurn) wrong.push({ index, expected, found });
    bits += found.length;
  }
  expect(wrong).toEqual([]);
  expect(bits).toBe(weights * weightBits);
}

/** Grouped, depthwise and 1×1 convolutions, fully connected layers, branches. */
const architectures = Object.entries(ARCHITECTURES).map(([name, build]) => {
  const random = xorshift(7);
  const network = build({ channels: 3, height: 8, width: 8 }, random);
  return [name, network, int8GraphOf(network, random)] as const;
});

const accelerator = (weightMemory: Accelerator['weightMemory'], network: Network): Accelerator => ({
  name: network.name,
  array: { rows: 4, columns: 8, dataflow: 'weight-stationary' },
  weightMemory,
});

describe('every cell knows every weight that it ever holds', () => {
  const halved = { banks: 2, rows: 8, wordBits: 128, columnMux: 4, spareColumns: 3, checkBits: 9 };

  test.each(architectures)('%s, streamed', (_name, float32, int8) => {
    for (const network of [float32, int8]) {
      const placement = placeNetwork(network, accelerator(halved, network), 'streamed');
      expect(placement.tiles).toBeGreaterThan(2);
      expectPlacementLaws(placement);
    }
  });

  test.each(architectures)('%s, resident', (_name, _float32, int8) => {
    const rows = Math.ceil(networkWeights(int8) / slotCount({ ...halved, rows: 1 }, 8));
    const memory = { ...halved, rows, spareRows: 1 };
    expectPlacementLaws(placeNetwork(int8, accelerator(memory, int8), 'resident'));
  });

  test.prop(
    [
      weightMemories().filter(({ rows, columnMux }) => (rows * columnMux) % 2 === 0),
      fc.tuple(int8Networks(), fc.boolean()),
      systolicArrays(),
    ],
    { numRuns: 20 },
  )('random networks, streamed', (memory, [network, float], array) => {
    const placed = float ? dequantize(network) : network;
    const shapes = arrayLayers(placed).map(({ shape }) => shape);
    expectPlacementLaws(streamedPlacement(memory, shapes, WORD_BITS[placed.format], array));
  });

  test.prop(
    [
      weightMemories().filter(({ rows, columnMux }) => (rows * columnMux) % 2 === 0),
      fc.array(convolutionShapes(), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(8 as const, 32 as const),
      systolicArrays(),
    ],
    { numRuns: 40 },
  )('random grouped convolutions, streamed', (memory, shapes, bits, array) => {
    expectPlacementLaws(streamedPlacement(memory, shapes, bits, array));
  });
});

describe('the stream', () => {
  test.each(architectures)('of %s reads every weight once, layer by layer', (_name, network) => {
    const place = accelerator({ banks: 1, rows: 2, wordBits: 32, columnMux: 1 }, network);
    const shapes = arrayLayers(network).map(({ shape }) => shape);
    const order = enumerateStream(shapes, place.array);
    const placement = placeNetwork(network, place, 'streamed');
    const first = order.filter((weight) => placement.slotOf(weight) === 0);
    expect(
      Array.from({ length: placement.occupancy(0) }, (_, time) => placement.weightAt(0, time)),
    ).toEqual(first);
  });
});

describe('weightLocator', () => {
  test.each(architectures)('names the place of every weight of %s', (_name, network) => {
    const locate = weightLocator(network);
    let weight = 0;
    for (const { name, shape } of arrayLayers(network)) {
      const groupInputs = shape.input.channels / shape.groups;
      const groupOutputs = shape.output.channels / shape.groups;
      for (let outputChannel = 0; outputChannel < shape.output.channels; outputChannel++) {
        const firstInput = Math.floor(outputChannel / groupOutputs) * groupInputs;
        for (let input = 0; input < groupInputs; input++) {
          for (let ky = 0; ky < shape.kernel[0]; ky++) {
            for (let kx = 0; kx < shape.kernel[1]; kx++) {
              const place = {
                layer: name,
                outputChannel,
                inputChannel: firstInput + input,
                ky,
                kx,
              };
              expect(locate(weight++)).toEqual(place);
            }
          }
        }
      }
    }
    expect(weight).toBe(networkWeights(network));
  });
});
