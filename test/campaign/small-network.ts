import {
  type ConvolutionShape,
  fullyConnectedShape,
  weightCount,
  windowSize,
} from '../../core/index.js';
import type { Int8Layer, Int8Network, Quantization } from '../../models/index.js';

/** A convolution with a 3×3 window and a border of zeros. */
function convolutionShape(
  inputs: number,
  outputs: number,
  size: number,
  stride: 1 | 2,
): ConvolutionShape {
  return {
    input: { channels: inputs, height: size, width: size },
    output: { channels: outputs, height: size / stride, width: size / stride },
    kernel: [3, 3],
    strides: [stride, stride],
    pads: [1, 1, 1, 1],
    dilations: [1, 1],
    groups: 1,
  };
}

/** Weights over the whole range, different everywhere, with outputs that fill uint8. */
function weighted(
  name: string,
  kind: 'convolution' | 'fully-connected',
  tensors: { readonly input: number; readonly output: number },
  shape: ConvolutionShape,
  relu: boolean,
): Int8Layer {
  const channels = shape.output.channels;
  const window = windowSize(shape);
  const scale = 1 / (74 * Math.sqrt(window));
  return {
    kind,
    name,
    ...tensors,
    shape,
    relu,
    weights: Int8Array.from(
      { length: weightCount(shape) },
      (_, index) => ((index * 89 + Math.floor(index / window) * 31) % 256) - 128,
    ),
    scales: Float32Array.from({ length: channels }, (_, channel) => scale * (1 + channel / 16)),
    zeroPoints: new Int32Array(channels),
    bias: Int32Array.from({ length: channels }, (_, channel) => (channel % 3) * 500),
  };
}

/** A quantised network for images of CIFAR-10's size: two convolutions, pooling, two fully connected layers. */
export function smallNetwork(): Int8Network {
  const relu: Quantization = { scale: 1 / 64, zeroPoint: 0 };
  const shapes = [
    convolutionShape(3, 8, 32, 2),
    convolutionShape(8, 8, 16, 1),
    fullyConnectedShape(512, 16),
    fullyConnectedShape(16, 10),
  ];
  const pooled = { channels: 8, height: 8, width: 8 };
  return {
    name: 'small',
    checksum: '',
    format: 'int8',
    input: 0,
    output: 6,
    tensors: [
      { name: 'input', shape: shapes[0].input, quantization: { scale: 1 / 48, zeroPoint: 110 } },
      { name: 'conv1.out', shape: shapes[0].output, quantization: relu },
      { name: 'conv2.out', shape: shapes[1].output, quantization: relu },
      { name: 'pool.out', shape: pooled, quantization: relu },
      { name: 'flat', shape: shapes[2].input, quantization: relu },
      { name: 'fc1.out', shape: shapes[2].output, quantization: relu },
      { name: 'logits', shape: shapes[3].output, quantization: { scale: 1 / 16, zeroPoint: 128 } },
    ],
    layers: [
      weighted('conv1', 'convolution', { input: 0, output: 1 }, shapes[0], true),
      weighted('conv2', 'convolution', { input: 1, output: 2 }, shapes[1], true),
      {
        kind: 'max-pool',
        name: 'pool',
        input: 2,
        output: 3,
        shape: {
          input: shapes[1].output,
          output: pooled,
          kernel: [2, 2],
          strides: [2, 2],
          pads: [0, 0, 0, 0],
        },
      },
      { kind: 'flatten', name: 'flatten', input: 3, output: 4 },
      weighted('fc1', 'fully-connected', { input: 4, output: 5 }, shapes[2], true),
      weighted('fc2', 'fully-connected', { input: 5, output: 6 }, shapes[3], false),
    ],
  };
}
