import fc from 'fast-check';
import {
  type ConvolutionShape,
  type FeatureShape,
  featureCount,
  fullyConnectedShape,
  type PoolingShape,
  weightCount,
} from '../core/index.js';
import type { Int8Layer, Int8Network, Quantization, Tensor } from '../models/index.js';
import { xorshift } from './xorshift.js';

/**
 * Small quantised networks, one layer after the other: one to three convolutions (with ReLU or
 * without, perhaps followed by pooling), flatten, one or two fully connected layers. Weights reach
 * both ends of their range; scales keep most values between the bounds of uint8.
 */
export function int8Networks(): fc.Arbitrary<Int8Network> {
  return fc
    .record({
      input: fc.record({
        channels: fc.integer({ min: 1, max: 4 }),
        height: fc.integer({ min: 4, max: 7 }),
        width: fc.integer({ min: 4, max: 7 }),
      }),
      inputQuantization: quantizations(false),
      convolutions: fc.array(convolutionStages(), { minLength: 1, maxLength: 3 }),
      classifier: fc.array(weightedStages(), { minLength: 1, maxLength: 2 }),
      seed: fc.integer({ min: 1, max: 0x7fffffff }),
    })
    .map(buildNetwork);
}

interface WeightedStage {
  readonly outputs: number;
  readonly relu: boolean;
  readonly output: Quantization;
}

interface ConvolutionStage extends WeightedStage {
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  readonly pool: boolean;
}

function quantizations(relu: boolean): fc.Arbitrary<Quantization> {
  return fc.record({
    scale: fc.integer({ min: 1, max: 999 }).map((k) => Math.fround(k / 4096)),
    zeroPoint: relu ? fc.constant(0) : fc.integer({ min: 0, max: 255 }),
  });
}

function weightedStages(): fc.Arbitrary<WeightedStage> {
  return fc.boolean().chain((relu) =>
    fc.record({
      outputs: fc.integer({ min: 1, max: 20 }),
      relu: fc.constant(relu),
      output: quantizations(relu),
    }),
  );
}

function convolutionStages(): fc.Arbitrary<ConvolutionStage> {
  return fc
    .record({
      stage: weightedStages(),
      kernel: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 2 }),
      pad: fc.integer({ min: 0, max: 1 }),
      pool: fc.boolean(),
    })
    .map(({ stage, ...rest }) => ({ ...stage, ...rest }));
}

interface Recipe {
  readonly input: FeatureShape;
  readonly inputQuantization: Quantization;
  readonly convolutions: readonly ConvolutionStage[];
  readonly classifier: readonly WeightedStage[];
  readonly seed: number;
}

function buildNetwork(recipe: Recipe): Int8Network {
  const tensors: Tensor[] = [
    { name: 'input_quantized', shape: recipe.input, quantization: recipe.inputQuantization },
  ];
  const layers: Int8Layer[] = [];
  const draw = xorshift(recipe.seed);

  function last(): Required<Tensor> {
    return tensors[tensors.length - 1] as Required<Tensor>;
  }

  function push(layer: Int8Layer, shape: FeatureShape, quantization: Quantization): void {
    layers.push(layer);
    tensors.push({ name: `${layer.name}_quantized`, shape, quantization });
  }

  function pushWeighted(
    kind: 'convolution' | 'fully-connected',
    shape: ConvolutionShape,
    { relu, output }: WeightedStage,
  ): void {
    const channels = shape.output.channels;
    const layer: Int8Layer = {
      kind,
      name: `${kind}${layers.length}`,
      input: tensors.length - 1,
      output: tensors.length,
      shape,
      relu,
      weights: Int8Array.from({ length: weightCount(shape) }, () => extremeByte(draw())),
      scales: Float32Array.from({ length: channels }, () => (1 + draw() * 99) / 16384),
      zeroPoints: new Int32Array(channels),
      bias: Int32Array.from({ length: channels }, () => Math.floor((draw() - 0.5) * 20_000)),
    };
    push(layer, shape.output, output);
  }

  for (const stage of recipe.convolutions) {
    const shape = convolutionShape(last().shape, stage);
    pushWeighted('convolution', shape, stage);
    const { height, width } = shape.output;
    if (stage.pool && height > 1 && width > 1) {
      const pooling = poolingShape(shape.output);
      const position = { input: tensors.length - 1, output: tensors.length };
      const name = `pool${layers.length}`;
      push(
        { kind: 'max-pool', name, ...position, shape: pooling },
        pooling.output,
        last().quantization,
      );
    }
  }
  const flat = { channels: featureCount(last().shape), height: 1, width: 1 };
  push(
    { kind: 'flatten', name: 'flatten', input: tensors.length - 1, output: tensors.length },
    flat,
    last().quantization,
  );
  for (const stage of recipe.classifier) {
    pushWeighted(
      'fully-connected',
      fullyConnectedShape(last().shape.channels, stage.outputs),
      stage,
    );
  }
  return {
    name: 'random',
    checksum: '0'.repeat(64),
    format: 'int8',
    tensors,
    input: 0,
    output: tensors.length - 1,
    layers,
  };
}

function convolutionShape(input: FeatureShape, stage: ConvolutionStage): ConvolutionShape {
  const { kernel, stride, pad, outputs } = stage;
  const size = Math.min(kernel, input.height + 2 * pad, input.width + 2 * pad);
  const extent = (length: number) => Math.floor((length + 2 * pad - size) / stride) + 1;
  return {
    input,
    output: { channels: outputs, height: extent(input.height), width: extent(input.width) },
    kernel: [size, size],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    dilations: [1, 1],
    groups: 1,
  };
}

function poolingShape(input: FeatureShape): PoolingShape {
  const { channels, height, width } = input;
  return {
    input,
    output: { channels, height: Math.floor(height / 2), width: Math.floor(width / 2) },
    kernel: [2, 2],
    strides: [2, 2],
    pads: [0, 0, 0, 0],
  };
}

/** A byte of −128…127 that is often one of the two ends. */
function extremeByte(share: number): number {
  if (share < 0.05) return -128;
  if (share > 0.95) return 127;
  return Math.floor(share * 256) - 128;
}
