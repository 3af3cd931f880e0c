import { fc } from '@fast-check/vitest';
import {
  type ConvolutionShape,
  type FeatureShape,
  featureCount,
  fullyConnectedShape,
  weightCount,
} from '../../core/index.js';
import { planFloat32Convolution } from '../../kernels/index.js';
import {
  arrayLayers,
  type Float32ArrayLayer,
  type Float32Layer,
  type Float32Network,
  type Int8Layer,
  type Int8Network,
  inputsOf,
  isMoving,
  isOnArray,
  type Network,
  type Tensor,
  type WordFormat,
} from '../../models/index.js';
import type { ActivationUnit } from '../../sim/index.js';
import { int8GraphOf, xorshift } from '../../testing/index.js';

/** Whole numbers from `low` to `high`, both included. */
export type Draw = (low: number, high: number) => number;

export function drawOf(random: () => number): Draw {
  return (low, high) => low + Math.floor(random() * (high - low + 1));
}

export const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });

/**
 * Small networks with what decides where faults strike: groups, dilations and uneven borders; branches; weights that two
 * layers share, in the same order or transposed; of int8 networks zero points, uint8 weights and int8 tensors. Float32
 * sums are all of the direct algorithm, which is that of the array.
 */
export function storageNetworks(format: WordFormat): fc.Arbitrary<Network> {
  return seeds.map((seed) => randomNetwork(format, xorshift(seed)));
}

export function randomNetwork(format: WordFormat, random: () => number): Network {
  const network = randomGraph(random);
  return format === 'float32' ? network : integers(network, random);
}

function randomGraph(random: () => number): Float32Network {
  const draw = drawOf(random);
  const size = { height: draw(1, 5), width: draw(1, 5) };
  const tensors: Tensor[] = [{ name: 'input', shape: { channels: draw(1, 4), ...size } }];
  const layers: Float32Layer[] = [];

  function push(
    shape: FeatureShape,
    layer: (at: { name: string; output: number }) => Float32Layer,
  ) {
    const output = tensors.push({ name: `value${tensors.length}`, shape }) - 1;
    layers.push(layer({ name: `layer${layers.length}`, output }));
    return output;
  }

  function weighted(input: number, shape: ConvolutionShape, from?: Float32ArrayLayer): number {
    const relu = random() < 0.5;
    const spread = Math.sqrt((6 * shape.output.channels) / weightCount(shape));
    const own = Float32Array.from(
      { length: weightCount(shape) },
      () => (random() * 2 - 1) * spread,
    );
    const isTransposed = from && from.shape.input.channels !== shape.input.channels;
    return push(shape.output, (at) => ({
      ...{ kind: 'convolution', ...at, input, shape, relu },
      ...(relu && random() < 0.3 && { upper: 2 }),
      weights: from ? sharedWith(from, isTransposed === true) : own,
      bias: Float32Array.from({ length: shape.output.channels }, () => random() - 0.5),
      ...(from && { sharedWeights: { layer: from.name, transposed: isTransposed === true } }),
    }));
  }

  const steps = ['conv', 'pool', 'leaky', 'residual'] as const;
  let last = weighted(0, drawConvolution(tensors[0].shape, random));
  for (let count = draw(0, 2); count > 0; count -= 1) {
    const { shape } = tensors[last];
    const input = last;
    switch (steps[draw(0, 3)]) {
      case 'conv':
        last = weighted(last, drawConvolution(shape, random));
        break;
      case 'pool':
        last = push({ ...shape, height: 1 }, (at) => ({
          ...{ kind: 'max-pool', ...at, input },
          shape: {
            ...{ input: shape, output: { ...shape, height: 1 }, kernel: [shape.height, 1] },
            ...{ strides: [1, 1], pads: [0, 0, 0, 0] },
          },
        }));
        break;
      case 'leaky':
        last = push(shape, (at) => ({ kind: 'leaky-relu', ...at, input, alpha: 0.25 }));
        break;
      case 'residual': {
        const body = weighted(last, pointwise(shape, shape.channels));
        last = push(shape, (at) => ({ kind: 'add', ...at, inputs: [input, body], relu: false }));
      }
    }
  }
  const features = featureCount(tensors[last].shape);
  const flat = last;
  last = push({ channels: features, height: 1, width: 1 }, (at) => ({
    ...{ kind: 'flatten', ...at, input: flat },
  }));
  if (random() < 0.5) {
    const hidden = random() < 0.5 ? features : draw(1, 6);
    last = weighted(last, fullyConnectedShape(features, hidden));
    const from = layers[layers.length - 1] as Float32ArrayLayer;
    last = weighted(last, fullyConnectedShape(hidden, features), from);
  }
  if (random() < 0.7) {
    last = weighted(last, fullyConnectedShape(tensors[last].shape.channels, draw(1, 6)));
  }
  return {
    ...{ format: 'float32', name: 'random', checksum: '', tensors, input: 0, output: last, layers },
  };
}

/** The weights of a fully connected layer as another one reads them. */
function sharedWith({ weights, shape }: Float32ArrayLayer, transposed: boolean): Float32Array {
  return transposed ? transpose(weights, shape.output.channels, shape.input.channels) : weights;
}

function transpose<Values extends Int8Array | Float32Array>(
  values: Values,
  rows: number,
  columns: number,
): Values {
  const copy = values.slice() as Values;
  for (const index of copy.keys()) {
    copy[index] = values[(index % rows) * columns + Math.floor(index / rows)];
  }
  return copy;
}

function pointwise(input: FeatureShape, outputs: number): ConvolutionShape {
  return {
    ...{ input, output: { ...input, channels: outputs }, kernel: [1, 1], strides: [1, 1] },
    ...{ pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 },
  };
}

function drawConvolution(input: FeatureShape, random: () => number): ConvolutionShape {
  const draw = drawOf(random);
  const axis = (size: number) => {
    const kernel = draw(1, Math.min(3, size));
    const dilation = kernel > 1 && 2 * (kernel - 1) < size ? draw(1, 2) : 1;
    const [before, after] = kernel > 1 ? [draw(0, 1), draw(0, 1)] : [0, 0];
    const stride = draw(1, 2);
    const extent = dilation * (kernel - 1) + 1;
    const output = Math.floor((size + before + after - extent) / stride) + 1;
    return { kernel, dilation, before, after, stride, output };
  };
  const divisors = [1, 2, 3, input.channels].filter((count) => input.channels % count === 0);
  for (let tries = 0; tries < 20; tries += 1) {
    const [y, x] = [axis(input.height), axis(input.width)];
    const groups = divisors[draw(0, divisors.length - 1)];
    const shape: ConvolutionShape = {
      ...{ input, groups, kernel: [y.kernel, x.kernel], strides: [y.stride, x.stride] },
      output: { channels: groups * draw(1, 3), height: y.output, width: x.output },
      pads: [y.before, x.before, y.after, x.after],
      dilations: [y.dilation, x.dilation],
    };
    if (planFloat32Convolution(shape).algorithm === 'direct') return shape;
  }
  return pointwise(input, draw(1, 6));
}

/** The int8 network of the same layers, with zero points, uint8 weights and int8 tensors among others. */
function integers(graph: Float32Network, random: () => number): Int8Network {
  const draw = drawOf(random);
  const network = int8GraphOf(graph, random);
  const signed = network.tensors.map(() => random() < 0.3);
  for (const layer of network.layers) {
    if (isMoving(layer)) signed[layer.output] = signed[inputsOf(layer)[0]];
  }
  const layers: Int8Layer[] = [];
  for (const layer of network.layers) {
    if (!isOnArray(layer)) {
      layers.push(layer);
      continue;
    }
    const from = layers.find(({ name }) => name === layer.sharedWeights?.layer);
    const isUnsigned = from && isOnArray(from) ? from.unsignedWeights : random() < 0.3;
    const { channels } = layer.shape.output;
    layers.push({
      ...layer,
      ...(isUnsigned && { unsignedWeights: true }),
      zeroPoints: Int32Array.from({ length: channels }, () =>
        random() < 0.5 ? 0 : draw(-128, 127),
      ),
      weights:
        from && isOnArray(from)
          ? layer.sharedWeights?.transposed
            ? transpose(from.weights, from.shape.output.channels, from.shape.input.channels)
            : from.weights
          : layer.weights,
    });
  }
  return {
    ...network,
    layers,
    tensors: network.tensors.map(({ quantization, ...tensor }, index) => ({
      ...tensor,
      ...(quantization && {
        quantization: { ...quantization, ...(signed[index] && { signed: true as const }) },
      }),
    })),
  };
}

/** Units behind some weighted layers, with a threshold for each channel or neuron that some values exceed. */
export function randomUnits(
  network: Network,
  random: () => number,
): ReadonlyMap<string, ActivationUnit> {
  const units = new Map<string, ActivationUnit>();
  for (const { name, shape } of arrayLayers(network)) {
    if (random() < 0.5) continue;
    const mode = random() < 0.5 ? 'clip-zero' : 'clamp';
    const length = random() < 0.5 ? shape.output.channels : featureCount(shape.output);
    const draws = Array.from({ length }, () => random());
    units.set(
      name,
      network.format === 'int8'
        ? {
            format: 'int8',
            clip: { mode, thresholds: Int32Array.from(draws, (share) => share * 20_000) },
          }
        : { format: 'float32', clip: { mode, thresholds: Float32Array.from(draws) } },
    );
  }
  return units;
}

/** Images of normalised values, image × channel × row × column. */
export function randomImages(network: Network, count: number, random: () => number): Float32Array {
  const length = count * featureCount(network.tensors[network.input].shape);
  return Float32Array.from({ length }, () => (random() - 0.5) * 4);
}

/** Bits of values, of which every NaN has the same. */
export function bitsOf(values: Uint8Array | Int32Array | Float32Array): number[] {
  if (!(values instanceof Float32Array)) return Array.from(values);
  const bits = new Uint32Array(values.slice().buffer);
  return Array.from(bits, (word, index) => (Number.isNaN(values[index]) ? 0x7fc00000 : word));
}
