import fc from 'fast-check';
import {
  type ConvolutionShape,
  type FeatureShape,
  featureCount,
  fullyConnectedShape,
  type PoolingShape,
  weightCount,
} from '../../core/index.js';
import {
  type Float32Layer,
  type Float32Network,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  isMoving,
  isOnArray,
  isWeighted,
  type Quantization,
  type Tensor,
} from '../../models/index.js';

/** A number below 1 from a 32-bit linear congruential generator (Numerical Recipes' constants). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const stages = fc.record({
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  pads: fc.tuple(...([0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 1 })) as Four)),
  dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  grouped: fc.boolean(),
  multiplier: fc.integer({ min: 1, max: 4 }),
  relu: fc.boolean(),
  pool: fc.boolean(),
});
type Four = [
  fc.Arbitrary<number>,
  fc.Arbitrary<number>,
  fc.Arbitrary<number>,
  fc.Arbitrary<number>,
];

const recipes = fc.record({
  channels: fc.integer({ min: 1, max: 3 }),
  size: fc.tuple(fc.integer({ min: 5, max: 9 }), fc.integer({ min: 5, max: 9 })),
  stages: fc.array(stages, { maxLength: 2 }),
  classifier: fc.array(fc.record({ outputs: fc.integer({ min: 1, max: 9 }), relu: fc.boolean() }), {
    maxLength: 2,
  }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});
type Recipe = typeof recipes extends fc.Arbitrary<infer T> ? T : never;

/** A layer after another, each with a tensor of its own: any mix of convolutions, pooling and classifier. */
export const float32Networks: fc.Arbitrary<Float32Network> = recipes
  .filter(({ stages, classifier }) => stages.length + classifier.length > 0)
  .map(buildFloat32);

function buildFloat32({ channels, size, stages, classifier, seed }: Recipe): Float32Network {
  const [height, width] = stages.length > 0 ? size : [1, 1];
  const tensors: Tensor[] = [{ name: 'input', shape: { channels, height, width } }];
  const layers: Float32Layer[] = [];
  const random = generator(seed);
  const reals = (length: number) => Float32Array.from({ length }, () => random() * 2 - 1);
  const shapeNow = () => tensors[tensors.length - 1].shape;

  function push(shape: FeatureShape, layer: (input: number, output: number) => Float32Layer) {
    layers.push(layer(tensors.length - 1, tensors.length));
    tensors.push({ name: `tensor${tensors.length}`, shape });
  }
  function pushWeighted(
    kind: 'convolution' | 'fully-connected',
    shape: ConvolutionShape,
    relu: boolean,
  ) {
    const weights = reals(weightCount(shape));
    const bias = reals(shape.output.channels);
    push(shape.output, (input, output) => {
      const name = `${kind}${layers.length}`;
      return { kind, name, input, output, shape, relu, weights, bias };
    });
  }

  for (const stage of stages) {
    const shape = convolution(shapeNow(), stage);
    pushWeighted('convolution', shape, stage.relu);
    const { height, width } = shape.output;
    if (stage.pool && height > 1 && width > 1) {
      const pooling = pool(shape.output, stage.pads);
      push(pooling.output, (input, output) => {
        return { kind: 'max-pool', name: `pool${layers.length}`, input, output, shape: pooling };
      });
    }
  }
  if (stages.length > 0 && classifier.length > 0) {
    const flat = { channels: featureCount(shapeNow()), height: 1, width: 1 };
    push(flat, (input, output) => ({ kind: 'flatten', name: 'flatten', input, output }));
  }
  for (const { outputs, relu } of classifier) {
    pushWeighted('fully-connected', fullyConnectedShape(shapeNow().channels, outputs), relu);
  }
  const last = tensors.length - 1;
  tensors[last] = { ...tensors[last], name: 'logits' };
  return { format: 'float32', name: 'net', checksum: '', tensors, input: 0, output: last, layers };
}

function convolution(input: FeatureShape, stage: Recipe['stages'][number]): ConvolutionShape {
  const { strides, pads, dilations, grouped, multiplier } = stage;
  const groups = grouped ? input.channels : 1;
  // The window may not be larger than its padded input.
  const largestKernel = (size: number, kernel: number, dilation: number) =>
    Math.min(kernel, Math.floor((size - 1) / dilation) + 1);
  const kernel = [
    largestKernel(input.height + pads[0] + pads[2], stage.kernel[0], dilations[0]),
    largestKernel(input.width + pads[1] + pads[3], stage.kernel[1], dilations[1]),
  ] as const;
  const along = (size: number, axis: 0 | 1) =>
    Math.floor(
      (size + pads[axis] + pads[axis + 2] - dilations[axis] * (kernel[axis] - 1) - 1) /
        strides[axis],
    ) + 1;
  const output = {
    channels: groups * multiplier,
    height: along(input.height, 0),
    width: along(input.width, 1),
  };
  return { input, output, kernel, strides, pads, dilations, groups };
}

function pool(input: FeatureShape, pads: readonly [number, number, number, number]): PoolingShape {
  const along = (size: number, axis: 0 | 1) =>
    Math.floor((size + pads[axis] + pads[axis + 2] - 2) / 2) + 1;
  const output = {
    channels: input.channels,
    height: along(input.height, 0),
    width: along(input.width, 1),
  };
  return { input, output, kernel: [2, 2], strides: [2, 2], pads };
}

/** The same networks with int8 weights of the whole range and uint8 activations. */
export const int8Networks: fc.Arbitrary<Int8Network> = fc
  .tuple(float32Networks, fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: -128, max: 127 }))
  .map(([network, seed, weightZeroPoint]) => toInt8(network, generator(seed), weightZeroPoint));

/** Like `int8Networks`, with weight zero points of 0. */
export const symmetricInt8Networks: fc.Arbitrary<Int8Network> = fc
  .tuple(float32Networks, fc.integer({ min: 0, max: 2 ** 31 }))
  .map(([network, seed]) => toInt8(network, generator(seed), 0));

function toInt8(
  network: Float32Network,
  random: () => number,
  weightZeroPoint: number,
): Int8Network {
  const scale = () => Math.fround(0.001 + random());
  const quantizations: Quantization[] = [{ scale: scale(), zeroPoint: Math.floor(random() * 256) }];
  const layers = network.layers.map((layer): Int8Layer => {
    if (!isWeighted(layer) && isMoving(layer)) {
      quantizations.push(quantizations[inputsOf(layer)[0]]);
      return layer;
    }
    if (!isOnArray(layer)) throw new Error(`no ${layer.kind} layers are drawn`);
    const { shape, relu } = layer;
    const zeroPoint = relu ? 0 : Math.floor(random() * 256);
    const output = { scale: scale(), zeroPoint };
    quantizations.push(output);
    // Scales that spread the outputs over the range of uint8 and a little beyond.
    const spread = output.scale / (quantizations[layer.input].scale * 100);
    return {
      ...layer,
      weights: Int8Array.from(layer.weights, () => Math.floor(random() * 256) - 128),
      scales: Float32Array.from({ length: shape.output.channels }, () => random() * spread + 1e-6),
      zeroPoints: new Int32Array(shape.output.channels).fill(weightZeroPoint),
      bias: Int32Array.from({ length: shape.output.channels }, () => (random() - 0.5) * 20_000),
    };
  });
  return {
    ...network,
    format: 'int8',
    layers,
    tensors: network.tensors.map((tensor, index) => ({
      ...tensor,
      quantization: quantizations[index],
    })),
  };
}
