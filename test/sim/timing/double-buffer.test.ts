import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  weightCount,
} from '../../../core/index.js';
import {
  type Bandwidth,
  layerTiming,
  type MemorySystem,
  type OperandBuffers,
  type SystolicArray,
} from '../../../sim/index.js';
import { convolutionShapes, systolicArrays } from '../../../testing/index.js';
import { measuredLayers } from './measured.js';

const arrays = fc
  .tuple(systolicArrays(), fc.boolean())
  .map(([array, preload]): SystolicArray => ({ ...array, preload }));

/** Ports of so many bytes a cycle. */
function bytes({ input, weights, output }: Record<keyof Bandwidth, number>): Bandwidth {
  return {
    input: { bytesPerCycle: input },
    weights: { bytesPerCycle: weights },
    output: { bytesPerCycle: output },
  };
}

function operands(values: fc.Arbitrary<number>): fc.Arbitrary<Record<keyof Bandwidth, number>> {
  return fc.record({ input: values, weights: values, output: values });
}

const buffers = operands(fc.integer({ min: 8, max: 3000 }));
const bandwidths = operands(
  fc.oneof(fc.integer({ min: 1, max: 16 }), fc.constantFrom(0.1, 0.75, 2.5)),
);

function doubleBuffer(
  buffers: OperandBuffers,
  bandwidth: Bandwidth,
  wordBytes: 1 | 4 = 1,
): MemorySystem {
  return { model: 'double-buffer', buffers, bandwidth, wordBytes };
}

function everywhere(value: number) {
  return { input: value, weights: value, output: value };
}

/** Input pixels, not padding, under at least one window. */
function touchedPixels({ input, output, kernel, strides, dilations, pads }: ConvolutionShape) {
  const touched = (axis: 0 | 1, extent: number, outputs: number) => {
    const found = new Set<number>();
    for (let at = 0; at < outputs; at++) {
      for (let tap = 0; tap < kernel[axis]; tap++) {
        const place = at * strides[axis] + tap * dilations[axis] - pads[axis];
        if (place >= 0 && place < extent) found.add(place);
      }
    }
    return found.size;
  };
  return (
    input.channels * touched(0, input.height, output.height) * touched(1, input.width, output.width)
  );
}

describe('the double-buffer model', () => {
  test.prop([convolutionShapes(), arrays, buffers])(
    'is ideal at infinite bandwidth, whatever the buffers',
    (shape, array, sizes) => {
      const memory = doubleBuffer(sizes, everywhere(Number.POSITIVE_INFINITY));
      const ideal = layerTiming(shape, array);
      expect(layerTiming(shape, array, memory)).toMatchObject({ ...ideal, stallCycles: 0 });
    },
  );

  test.prop([convolutionShapes(), arrays])(
    'waits only for the first tile and the last drain where memory is fast and buffers are large',
    (shape, array) => {
      const memory = doubleBuffer(everywhere(1e6), everywhere(1e6));
      const { stalls, computeCycles } = layerTiming(shape, array, memory);
      expect(stalls).toEqual({ firstFill: 1, input: 0, weights: 0, output: 0, lastDrain: 1 });
      expect(computeCycles).toBe(layerTiming(shape, array).computeCycles);
    },
  );

  test.prop([convolutionShapes(), arrays, buffers, bandwidths])(
    'the causes add up, and the compute cycles are the ideal ones',
    (shape, array, sizes, bandwidth) => {
      const timing = layerTiming(shape, array, doubleBuffer(sizes, bandwidth));
      const causes = Object.values(timing.stalls ?? {});
      expect(Math.min(...causes)).toBeGreaterThanOrEqual(0);
      expect(causes.reduce((sum, cycles) => sum + cycles, 0)).toBe(timing.stallCycles);
      expect(timing.computeCycles).toBe(layerTiming(shape, array).computeCycles);
      expect(timing.totalCycles).toBe(timing.computeCycles + timing.stallCycles);
    },
  );

  test.prop([
    convolutionShapes(),
    arrays,
    buffers,
    bandwidths,
    fc.constantFrom('input', 'weights', 'output'),
    fc.double({ min: 1, max: 4, noNaN: true }),
  ])(
    'never takes longer with more bandwidth',
    (shape, array, sizes, bandwidth, operand, factor) => {
      const slow = layerTiming(shape, array, doubleBuffer(sizes, bandwidth));
      const faster = { ...bandwidth, [operand]: factor * bandwidth[operand] };
      const fast = layerTiming(shape, array, doubleBuffer(sizes, faster));
      expect(fast.totalCycles).toBeLessThanOrEqual(slow.totalCycles);
      expect(fast.memory).toEqual(slow.memory);
    },
  );

  test.prop([convolutionShapes(), arrays, buffers])(
    'fetches every operand at least once and at most as often as the array reads it',
    (shape, array, sizes) => {
      const { memory, sram } = layerTiming(shape, array, doubleBuffer(sizes, everywhere(1)));
      expect(memory?.inputReads).toBeGreaterThanOrEqual(touchedPixels(shape));
      expect(memory?.inputReads).toBeLessThanOrEqual(sram.inputReads);
      expect(memory?.weightReads).toBeGreaterThanOrEqual(weightCount(shape));
      expect(memory?.weightReads).toBeLessThanOrEqual(sram.weightReads);
      expect(memory?.partialSumReads).toBeLessThanOrEqual(sram.partialSumReads);
      const { height, width, channels } = shape.output;
      expect((memory?.outputWrites ?? 0) - (memory?.partialSumReads ?? 0)).toBe(
        height * width * channels,
      );
    },
  );

  test.prop([convolutionShapes(), arrays, bandwidths])(
    'fetches nothing twice where every operand fits',
    (shape, array, bandwidth) => {
      const memory = doubleBuffer(everywhere(1e6), bandwidth);
      const { channels, height, width } = shape.output;
      expect(layerTiming(shape, array, memory).memory).toEqual({
        inputReads: touchedPixels(shape),
        weightReads: weightCount(shape),
        partialSumReads: 0,
        outputWrites: channels * height * width,
      });
    },
  );

  test.prop([convolutionShapes(), arrays, buffers, bandwidths])(
    'takes at least as long as each port needs, and at most as if nothing overlapped',
    (shape, array, sizes, bandwidth) => {
      const timing = layerTiming(shape, array, doubleBuffer(sizes, bandwidth));
      const { inputReads, weightReads, partialSumReads, outputWrites } = timing.memory ?? {
        inputReads: Number.NaN,
        weightReads: Number.NaN,
        partialSumReads: Number.NaN,
        outputWrites: Number.NaN,
      };
      const ports = [
        inputReads / bandwidth.input,
        weightReads / bandwidth.weights,
        (partialSumReads + outputWrites) / bandwidth.output,
      ];
      expect(timing.hardwareCycles).toBeGreaterThanOrEqual(Math.max(...ports));
      // Each tile moves each operand in at most two parts, each rounded up to whole cycles.
      const product = layerTiming(shape, array);
      const tiles = tilesOf(shape, array);
      const serial =
        product.hardwareCycles + ports.reduce((sum, cycles) => sum + cycles, 6 * tiles);
      expect(timing.hardwareCycles).toBeLessThanOrEqual(serial);
    },
  );

  test.prop([convolutionShapes(), arrays, buffers, bandwidths])(
    'moves a quarter of its bytes a cycle in float32 words, partial sums included',
    (shape, array, sizes, { input, weights, output }) => {
      const fourBytesAWord = bytes({ input: 4 * input, weights: 4 * weights, output: 4 * output });
      expect(layerTiming(shape, array, doubleBuffer(sizes, fourBytesAWord, 4))).toEqual(
        layerTiming(shape, array, doubleBuffer(sizes, { input, weights, output }, 4)),
      );
    },
  );

  test.prop([convolutionShapes(), arrays, buffers, bandwidths, fc.constantFrom(1, 4)])(
    'takes at least as long as each port needs for its bytes, four of them for a partial sum',
    (shape, array, sizes, bandwidth, wordBytes) => {
      const timing = layerTiming(shape, array, doubleBuffer(sizes, bytes(bandwidth), wordBytes));
      const { inputReads = 0, weightReads = 0 } = timing.memory ?? {};
      const { partialSumReads = 0, outputWrites = 0 } = timing.memory ?? {};
      const outputs = featureCount(shape.output);
      const sums = partialSumReads + outputWrites - outputs;
      expect(timing.hardwareCycles).toBeGreaterThanOrEqual(
        Math.max(
          (wordBytes * inputReads) / bandwidth.input,
          (wordBytes * weightReads) / bandwidth.weights,
          (wordBytes * outputs + 4 * sums) / bandwidth.output,
        ),
      );
    },
  );

  // K = 64 inputs and N = 8 outputs on 4×4, weight-stationary: 16 row folds × 2 column folds of 4·4 weights, 11 cycles each.
  const array: SystolicArray = { rows: 4, columns: 4, dataflow: 'weight-stationary' };
  const fold = 1 + 2 * 4 + 4 - 2;

  test('weights that arrive slower than tiles compute set the pace', () => {
    const memory = doubleBuffer(everywhere(4096), { input: 64, weights: 1, output: 64 });
    const timing = layerTiming(fullyConnectedShape(64, 8), array, memory);
    expect(timing.stalls).toEqual({
      firstFill: 16,
      input: 0,
      weights: 31 * (16 - fold),
      output: 0,
      lastDrain: 1,
    });
  });

  test.each([1, 4] as const)('weights of %i bytes at a byte a cycle set the pace', (wordBytes) => {
    const sizes = everywhere(4096 * wordBytes);
    const bandwidth = bytes({ input: 64, weights: 1, output: 64 });
    const timing = layerTiming(
      fullyConnectedShape(64, 8),
      array,
      doubleBuffer(sizes, bandwidth, wordBytes),
    );
    const load = 16 * wordBytes;
    expect(timing.stalls).toEqual({
      firstFill: load,
      input: 0,
      weights: 31 * (load - fold),
      output: 0,
      lastDrain: 1,
    });
    // All bytes of the weights, then the last tile and its outputs.
    expect(timing.hardwareCycles).toBe(64 * 8 * wordBytes + fold + 1);
  });

  // 10 positions × 4 columns of 32 bits leave in each of 2 · 16 tiles, and come back in all but the first row fold's.
  test.each([1, 4] as const)(
    'partial sums take four bytes of the output port where final outputs take %i',
    (wordBytes) => {
      const shape: ConvolutionShape = {
        ...fullyConnectedShape(64, 8),
        input: { channels: 64, height: 10, width: 1 },
        output: { channels: 8, height: 10, width: 1 },
      };
      const sizes = { input: 4096, weights: 4096, output: 4 };
      const bandwidth = bytes({ input: 1e6, weights: 1e6, output: 1 });
      const timing = layerTiming(shape, array, doubleBuffer(sizes, bandwidth, wordBytes));
      const portCycles = 2 * 40 * (15 * 4 + 15 * 4 + wordBytes);
      // The port never rests from the first tile's start, a cycle after the first words are asked for.
      expect(timing.hardwareCycles).toBe(1 + portCycles);
    },
  );

  test('weights that arrive as fast as tiles compute cost the first tile alone', () => {
    const memory = doubleBuffer(everywhere(4096), { input: 64, weights: 16 / fold, output: 64 });
    const { stalls } = layerTiming(fullyConnectedShape(64, 8), array, memory);
    expect(stalls).toEqual({ firstFill: fold, input: 0, weights: 0, output: 0, lastDrain: 1 });
  });

  test('partial sums that do not fit are written and read back by each row fold', () => {
    const shape: ConvolutionShape = {
      ...fullyConnectedShape(64, 8),
      input: { channels: 64, height: 10, width: 1 },
      output: { channels: 8, height: 10, width: 1 },
    };
    const words = (output: number) =>
      layerTiming(shape, array, doubleBuffer({ input: 4096, weights: 4096, output }, everywhere(8)))
        .memory;
    // 10 positions × 4 columns of 32 bits.
    expect(words(160)).toMatchObject({ partialSumReads: 0, outputWrites: 80 });
    expect(words(156)).toMatchObject({ partialSumReads: 80 * 15, outputWrites: 80 * 16 });
  });

  test('the weights of an output-stationary column fold stay for its row folds if they fit', () => {
    const shape: ConvolutionShape = {
      ...fullyConnectedShape(64, 8),
      input: { channels: 64, height: 12, width: 1 },
      output: { channels: 8, height: 12, width: 1 },
    };
    const outputStationary: SystolicArray = { ...array, dataflow: 'output-stationary' };
    const words = (weights: number) =>
      layerTiming(
        shape,
        outputStationary,
        doubleBuffer({ input: 4096, weights, output: 4096 }, everywhere(8)),
      ).memory?.weightReads;
    expect(words(256)).toBe(64 * 8);
    expect(words(255)).toBe(3 * 64 * 8);
  });

  test('stalls less than SCALE-Sim wherever that refetches', () => {
    for (const { shape, array, memory, stallCycles } of measuredLayers('USER')) {
      if (memory === undefined || stallCycles === 0) continue;
      const timing = layerTiming(shape, array, { ...memory, model: 'double-buffer' });
      expect(timing.stallCycles).toBeLessThan(stallCycles);
    }
  });
});

function tilesOf(shape: ConvolutionShape, array: SystolicArray): number {
  const positions = shape.output.height * shape.output.width;
  const filters = shape.output.channels / shape.groups;
  const window = weightCount(shape) / shape.output.channels;
  const [rowExtent, columnExtent] = {
    'output-stationary': [positions, filters],
    'weight-stationary': [window, filters],
    'input-stationary': [window, positions],
  }[array.dataflow];
  return shape.groups * Math.ceil(rowExtent / array.rows) * Math.ceil(columnExtent / array.columns);
}
