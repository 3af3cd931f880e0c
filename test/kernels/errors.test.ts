import { expect, test } from 'vitest';
import {
  type ConvolutionShape,
  fullyConnectedShape,
  InputError,
  ModelError,
} from '../../core/index.js';
import type { Int8ConvolutionSpecification } from '../../kernels/index.js';
import { describeBackends, fastBackends } from './support.js';

const shape = fullyConnectedShape(3, 2);
const specification: Int8ConvolutionSpecification = {
  shape,
  inputZeroPoint: 0,
  weights: new Int8Array(6),
  weightZeroPoints: new Int32Array(2),
  bias: new Int32Array(2),
  multipliers: new Float32Array(2),
  outputZeroPoint: 0,
  low: 0,
  high: 255,
};

describeBackends('bad input', (backend) => {
  test.each<[string, Partial<Int8ConvolutionSpecification>]>([
    ['A convolution has 5 weights, but its shape asks for 6.', { weights: new Int8Array(5) }],
    ['A convolution has 3 bias, but its shape asks for 2.', { bias: new Int32Array(3) }],
    [
      'The weight zero points of an int8 convolution must lie in -128…127.',
      { weightZeroPoints: Int32Array.of(0, 128) },
    ],
    [
      'The zero points and output bounds of an int8 convolution must lie in 0…255, with low ≤ high.',
      { low: 9, high: 8 },
    ],
    [
      'The zero points and output bounds of an int8 convolution must lie in 0…255, with low ≤ high.',
      { inputZeroPoint: 256 },
    ],
    [
      'The multipliers of an int8 convolution must be finite.',
      { multipliers: Float32Array.of(1, NaN) },
    ],
  ])('%s', (message, change) => {
    const build = (): unknown => backend.int8Convolution({ ...specification, ...change });
    expect(build).toThrow(new ModelError(message));
  });

  test.each<[string, Partial<ConvolutionShape>]>([
    ['A convolution needs positive integer sizes and pads of 0 or more.', { strides: [0, 1] }],
    ['A convolution needs positive integer sizes and pads of 0 or more.', { pads: [-1, 0, 0, 0] }],
    [
      'A convolution from 3 to 2 channels cannot have 2 groups: both numbers must be multiples of it.',
      { groups: 2 },
    ],
    [
      'A convolution gives 3×1 output positions, but its output shape says 1×1.',
      { pads: [1, 0, 1, 0] },
    ],
  ])('%s', (message, change) => {
    const build = (): unknown =>
      backend.float32Convolution({
        shape: { ...shape, ...change },
        weights: new Float32Array(6),
        bias: new Float32Array(2),
        relu: false,
      });
    expect(build).toThrow(new ModelError(message));
  });

  test('weights that do not exist or are not int8', () => {
    const kernel = backend.int8Convolution(specification);
    expect(() => kernel.setWeight(6, 0)).toThrow(
      new InputError('There is no weight 6 in a layer of 6 weights.'),
    );
    expect(() => kernel.getWeight(-1)).toThrow(
      new InputError('There is no weight -1 in a layer of 6 weights.'),
    );
    expect(() => kernel.setWeight(0, 128)).toThrow(
      new InputError('The int8 weight 128 is not an integer in -128…127.'),
    );
  });

  test('a clip with the wrong number of thresholds', () => {
    const kernel = backend.int8Convolution(specification);
    expect(() => kernel.setClip({ mode: 'clamp', thresholds: new Int32Array(3) })).toThrow(
      new InputError(
        'A clip of a layer with 2 output channels and 2 neurons has 3 thresholds; give one per channel or one per neuron.',
      ),
    );
  });

  test('tensors that are too short', () => {
    const kernel = backend.int8Convolution(specification);
    const input = backend.allocateUint8(8);
    const output = backend.allocateUint8(6);
    expect(() => kernel.run(input, output, 3)).toThrow(
      new InputError(
        'A layer run on 3 images needs 9 input and 6 output values, but has room for 8 and 6.',
      ),
    );
    expect(() => kernel.run(input, output, 0.5)).toThrow(
      new InputError('The number of images is 0.5; it must be an integer of 0 or more.'),
    );
  });

  test('a pooling window of padding only', () => {
    const pooling = {
      input: { channels: 1, height: 2, width: 2 },
      output: { channels: 1, height: 2, width: 2 },
      kernel: [1, 1],
      strides: [1, 1],
      pads: [1, 0, 0, 0],
    } as const;
    const values = backend.allocateUint8(4);
    expect(() => backend.maxPool(pooling, values, values, 1)).toThrow(
      new ModelError('A max pooling has a window that holds only padding.'),
    );
  });
});

test.each(fastBackends.map((backend) => [backend.name, backend] as const))(
  '%s refuses tensors of another memory, and poolings of mixed format',
  (_name, backend) => {
    const kernel = backend.int8Convolution(specification);
    const own = backend.allocateUint8(3);
    const message =
      'A tensor lies outside the memory of the kernels: make it with allocateUint8 or allocateFloat32 of the same backend.';
    expect(() => kernel.run(new Uint8Array(3), own, 1)).toThrow(new InputError(message));
    expect(() => kernel.run(own, new Uint8Array(3), 1)).toThrow(new InputError(message));
    const pooling = {
      input: { channels: 1, height: 1, width: 1 },
      output: { channels: 1, height: 1, width: 1 },
      kernel: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
    } as const;
    expect(() => backend.maxPool(pooling, own, backend.allocateFloat32(1), 1)).toThrow(
      new InputError('The input and the output of a max pooling differ in their format.'),
    );
  },
);
