import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  InputError,
  weightCount,
  windowSize,
} from '../../core/index.js';
import {
  type AccumulatorObserver,
  createReferenceBackend,
  planFloat32Convolution,
} from '../../kernels/index.js';
import {
  type Float32ArrayLayer,
  type Int8ArrayLayer,
  layerTiming,
  runFloat32Layer,
  runInt8Layer,
  type SystolicArray,
  weightStream,
} from '../../sim/index.js';
import { convolutionShapes, systolicArrays, xorshift } from '../../testing/index.js';

const kernels = createReferenceBackend();

interface Int8Case extends Int8ArrayLayer {
  readonly input: Uint8Array;
}

interface Float32Case extends Float32ArrayLayer {
  readonly input: Float32Array;
}

const shapes = fc.oneof(
  { weight: 4, arbitrary: convolutionShapes() },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 }))
      .map(([inputs, outputs]) => fullyConnectedShape(inputs, outputs)),
  },
);

/** Random operands of the whole range, and biases so large that sums wrap around. */
const int8Cases = fc
  .tuple(shapes, fc.integer({ min: 1, max: 2 ** 31 - 1 }))
  .map(([shape, seed]): Int8Case => {
    const random = xorshift(seed);
    const byte = () => Math.floor(random() * 256);
    const channels = { length: shape.output.channels };
    return {
      shape,
      inputZeroPoint: byte(),
      weights: Int8Array.from({ length: weightCount(shape) }, () => byte() - 128),
      weightZeroPoints: Int32Array.from(channels, () => byte() - 128),
      bias: Int32Array.from(channels, () => Math.floor((random() - 0.5) * 2 ** 32)),
      input: Uint8Array.from({ length: featureCount(shape.input) }, byte),
    };
  });

/** Numbers of very different sizes, whose sums depend on their order; zeros of both signs, infinities. */
const float32Cases = fc
  .tuple(shapes, fc.integer({ min: 1, max: 2 ** 31 - 1 }))
  .map(([shape, seed]): Float32Case => {
    const random = xorshift(seed);
    const number = () => {
      const share = random();
      if (share < 0.02) return -0;
      if (share > 0.999) return Number.POSITIVE_INFINITY;
      return (random() - 0.5) * 10 ** Math.floor(random() * 12 - 6);
    };
    return {
      shape,
      weights: Float32Array.from({ length: weightCount(shape) }, number),
      bias: Float32Array.from({ length: shape.output.channels }, number),
      input: Float32Array.from({ length: featureCount(shape.input) }, number),
    };
  });

/** Every array as it is, and weight-stationary ones also with a second weight register. */
const arrays: fc.Arbitrary<SystolicArray> = fc
  .tuple(systolicArrays(), fc.boolean())
  .map(([array, preload]) =>
    array.dataflow === 'weight-stationary' ? { ...array, preload } : array,
  );

/** Collects the accumulators that a kernel shows its observer. */
function accumulatorsOf<T extends Int32Array | Float32Array>(
  sums: T,
  channels: number,
  run: (observe: AccumulatorObserver<T>) => void,
): T {
  run((block, firstRow, rows, stride) => {
    for (let row = 0; row < rows; row++) {
      sums.set(block.subarray(row * stride, row * stride + channels), (firstRow + row) * channels);
    }
  });
  return sums;
}

function int8Accumulators({ input, ...layer }: Int8Case): Int32Array {
  const { channels } = layer.shape.output;
  const kernel = kernels.int8Convolution({
    ...layer,
    multipliers: new Float32Array(channels).fill(1),
    outputZeroPoint: 0,
    low: 0,
    high: 255,
  });
  const length = featureCount(layer.shape.output);
  return accumulatorsOf<Int32Array>(new Int32Array(length), channels, (observe) =>
    kernel.run(input, new Uint8Array(length), 1, observe),
  );
}

function float32Accumulators({ input, ...layer }: Float32Case): Float32Array {
  const kernel = kernels.float32Convolution({ ...layer, relu: false });
  const length = featureCount(layer.shape.output);
  return accumulatorsOf<Float32Array>(
    new Float32Array(length),
    layer.shape.output.channels,
    (observe) => kernel.run(input, new Float32Array(length), 1, observe),
  );
}

describe('the array, element by element and cycle by cycle', () => {
  property.prop([int8Cases, arrays])(
    'computes the int8 accumulators of the kernels',
    (layer, array) => {
      expect(runInt8Layer(layer, layer.input, array).accumulators).toEqual(int8Accumulators(layer));
    },
  );

  property.prop([float32Cases, arrays])(
    'computes the float32 sums of the direct kernel, rounding by rounding',
    (layer, array) => {
      fc.pre(planFloat32Convolution(layer.shape).algorithm === 'direct');
      expect(runFloat32Layer(layer, layer.input, array).accumulators).toEqual(
        float32Accumulators(layer),
      );
    },
  );

  property.prop([int8Cases, arrays])(
    'takes the cycles, and accesses the SRAMs as often, as layerTiming computes',
    (layer, array) => {
      const { cycles, accesses } = runInt8Layer(layer, layer.input, array);
      const { hardwareCycles, sram } = layerTiming(layer.shape, array);
      expect(cycles).toBe(hardwareCycles);
      const { scaleSimOutputWrites, ...computed } = sram;
      expect(accesses).toEqual(computed);
      // SCALE-Sim's own count is never less than what is written.
      expect(scaleSimOutputWrites).toBeGreaterThanOrEqual(accesses.outputWrites);
    },
  );

  property.prop([int8Cases, systolicArrays()])(
    'reads the weights fold by fold in the order of the weight stream',
    (layer, array) => {
      const firstReads = new Set<number>();
      runInt8Layer(layer, layer.input, array, { weightRead: (weight) => firstReads.add(weight) });
      const stream = weightStream([layer.shape], array);
      const positions = [...firstReads].map((weight) => stream.streamPositionOf(weight));
      // Within a fold, skew and the shifting in of weights change the order, not the set. (Preloaded tiles follow
      // each other so closely that their skewed loads overlap.)
      let start = 0;
      for (const size of foldSizes(layer.shape, array)) {
        const fold = positions.slice(start, start + size).sort((a, b) => a - b);
        expect(fold).toEqual(Array.from({ length: size }, (_, index) => start + index));
        start += size;
      }
      expect(start).toBe(stream.weights);
    },
  );

  test('a 2×2 output-stationary array multiplies 2×2 matrices in 4 cycles', () => {
    const shape: ConvolutionShape = {
      ...fullyConnectedShape(2, 2),
      input: { channels: 2, height: 2, width: 1 },
      output: { channels: 2, height: 2, width: 1 },
    };
    const layer = {
      shape,
      inputZeroPoint: 0,
      weights: Int8Array.of(5, 6, 7, 8),
      weightZeroPoints: new Int32Array(2),
      bias: new Int32Array(2),
    };
    const array = { rows: 2, columns: 2, dataflow: 'output-stationary' } as const;
    expect(runInt8Layer(layer, Uint8Array.of(1, 2, 3, 4), array)).toEqual({
      // Rows (1, 2) and (3, 4) times columns (5, 6) and (7, 8).
      accumulators: Int32Array.of(17, 23, 39, 53),
      cycles: 4,
      accesses: { inputReads: 4, weightReads: 4, outputWrites: 4, partialSumReads: 0 },
    });
  });

  test('operands that do not fit the shape are an error', () => {
    const layer = {
      shape: fullyConnectedShape(3, 2),
      weights: new Float32Array(6),
      bias: new Float32Array(2),
    };
    const array = { rows: 2, columns: 2, dataflow: 'input-stationary' } as const;
    expect(() => runFloat32Layer(layer, new Float32Array(4), array)).toThrow(
      new InputError('Systolic array: input must hold 3 values, not 4.'),
    );
    expect(() =>
      runFloat32Layer({ ...layer, bias: new Float32Array(3) }, new Float32Array(3), array),
    ).toThrow(new InputError('Systolic array: bias must hold 2 values, not 3.'));
  });
});

/** Weights that each fold reads for the first time, in the order of the folds. */
function foldSizes(shape: ConvolutionShape, { rows, columns, dataflow }: SystolicArray): number[] {
  const window = windowSize(shape);
  const filters = shape.output.channels / shape.groups;
  const cut = (extent: number, width: number) =>
    Array.from({ length: Math.ceil(extent / width) }, (_, fold) =>
      Math.min(width, extent - fold * width),
    );
  const group = {
    'weight-stationary': () =>
      cut(filters, columns).flatMap((n) => cut(window, rows).map((k) => k * n)),
    'output-stationary': () => cut(filters, columns).map((n) => n * window),
    'input-stationary': () => cut(window, rows).map((k) => k * filters),
  }[dataflow]();
  return Array.from({ length: shape.groups }, () => group).flat();
}
