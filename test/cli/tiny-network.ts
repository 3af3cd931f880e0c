import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FeatureShape,
  fullyConnectedShape,
  sha256Hex,
  weightCount,
} from '../../core/index.js';
import { type Thresholds, writeThresholds } from '../../mitigation/index.js';
import {
  arrayLayers,
  type Float32ArrayLayer,
  type Float32Network,
  type Int8Network,
  quantizeNetwork,
  writeFloat32,
  writeQdq,
} from '../../models/index.js';

/** Names of the layers with an activation function. */
export const ACTIVATED_LAYERS = ['conv1', 'fc1'] as const;

/** Weights in all: 8·3·3·3 + 16·512 + 10·16. */
export const WEIGHTS = 216 + 8192 + 160;

/** int8 words fit one default bank (1024 rows × 4 · 64 bits), float32 words take two. */
export const CELLS = { int8: 1024 * 256, float32: 2 * 1024 * 256 } as const;

/** Numbers from −1 to 1 of a 32-bit linear congruential generator (Numerical Recipes' constants). */
function randomValues(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function weighted(
  layer: Omit<Float32ArrayLayer, 'weights' | 'bias'>,
  magnitude: number,
): Float32ArrayLayer {
  const count = weightCount(layer.shape);
  return {
    ...layer,
    weights: randomValues(count, 1).map((value) => value * magnitude),
    bias: randomValues(layer.shape.output.channels, 2).map((value) => value / 2),
  };
}

/** A network for CIFAR-10's images: convolution, max pooling and two fully connected layers. */
function buildFloat32(): Float32Network {
  const shapes: readonly FeatureShape[] = [
    { channels: 3, height: 32, width: 32 },
    { channels: 8, height: 16, width: 16 },
    { channels: 8, height: 8, width: 8 },
    { channels: 512, height: 1, width: 1 },
    { channels: 16, height: 1, width: 1 },
    { channels: 10, height: 1, width: 1 },
  ];
  const names = ['images', 'features', 'pooled', 'flat', 'hidden', 'logits'];
  return {
    format: 'float32',
    name: 'tiny',
    checksum: '',
    tensors: shapes.map((shape, index) => ({ name: names[index], shape })),
    input: 0,
    output: 5,
    layers: [
      weighted(
        {
          kind: 'convolution',
          name: 'conv1',
          input: 0,
          output: 1,
          relu: true,
          shape: {
            input: shapes[0],
            output: shapes[1],
            kernel: [3, 3],
            strides: [2, 2],
            pads: [1, 1, 1, 1],
            dilations: [1, 1],
            groups: 1,
          },
        },
        0.3,
      ),
      {
        kind: 'max-pool',
        name: 'pool1',
        input: 1,
        output: 2,
        shape: {
          input: shapes[1],
          output: shapes[2],
          kernel: [2, 2],
          strides: [2, 2],
          pads: [0, 0, 0, 0],
        },
      },
      { kind: 'flatten', name: 'flatten', input: 2, output: 3 },
      weighted(
        {
          kind: 'fully-connected',
          name: 'fc1',
          input: 3,
          output: 4,
          relu: true,
          shape: fullyConnectedShape(512, 16),
        },
        0.1,
      ),
      weighted(
        {
          kind: 'fully-connected',
          name: 'fc2',
          input: 4,
          output: 5,
          relu: false,
          shape: fullyConnectedShape(16, 10),
        },
        0.6,
      ),
    ],
  };
}

export const FLOAT32_NETWORK = buildFloat32();

/** Quantised with ranges a little narrower than its activations', so that some saturate. */
export const INT8_NETWORK: Int8Network = quantizeNetwork(FLOAT32_NETWORK, [
  { low: -2, high: 2.2 },
  { low: 0, high: 2.5 },
  { low: 0, high: 2.5 },
  { low: 0, high: 2.5 },
  { low: 0, high: 2 },
  { low: -1.5, high: 1.5 },
]);

/** The tiny network in files. */
export interface TinyFiles {
  /** QDQ form. */
  readonly int8: string;
  /** The network before its quantisation. */
  readonly float32: string;
  /** Clip thresholds of `int8` for both word formats, low enough to clip. */
  readonly thresholds: string;
}

export function writeTinyNetwork(folder: string): TinyFiles {
  const files = {
    int8: join(folder, 'tiny.onnx'),
    float32: join(folder, 'tiny-float32.onnx'),
    thresholds: join(folder, 'tiny.thresholds.json'),
  };
  writeFileSync(files.int8, writeQdq(INT8_NETWORK));
  writeFileSync(files.float32, writeFloat32(FLOAT32_NETWORK));
  writeThresholds(files.thresholds, tinyThresholds());
  return files;
}

/** Half of what each activated layer's output can represent, as accumulators and as real numbers. */
export function tinyThresholds(): Thresholds {
  const int8: Record<string, number[]> = {};
  const float32: Record<string, number[]> = {};
  for (const { name, input, output, scales, relu } of arrayLayers(INT8_NETWORK)) {
    if (!relu) continue;
    const largest = 255 * scaleOf(output);
    float32[name] = [largest / 2];
    int8[name] = Array.from(scales, (scale) => Math.floor(largest / 2 / (scaleOf(input) * scale)));
  }
  return {
    format: 'bitcell-thresholds',
    version: 1,
    network: { name: 'tiny', checksum: sha256Hex(writeQdq(INT8_NETWORK)) },
    found: { method: 'profile-maximum', images: 1 },
    int8,
    float32,
  };
}

function scaleOf(tensor: number): number {
  return INT8_NETWORK.tensors[tensor].quantization?.scale ?? Number.NaN;
}
