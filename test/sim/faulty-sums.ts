import { windowSize } from '../../core/index.js';
import type { SumGroup, SumPart, WordMasks } from '../../kernels/index.js';
import type { Float32ArrayLayer, Int8ArrayLayer } from '../../sim/index.js';

/** A layer and one image. */
export type Int8Case = Int8ArrayLayer & { readonly input: Uint8Array };
export type Float32Case = Float32ArrayLayer & { readonly input: Float32Array };
export type LayerCase = Int8Case | Float32Case;

export function isInt8Case(layer: LayerCase): layer is Int8Case {
  return layer.input instanceof Uint8Array;
}

/**
 * The sums of a layer of which groups of outputs are disturbed: output positions × channels, as 32-bit words. One sum
 * at a time, as the types of the kernels say it.
 */
export function faultySums(layer: LayerCase, groups: readonly SumGroup[]): Int32Array {
  const { output } = layer.shape;
  const sums = new Int32Array(output.height * output.width * output.channels);
  const sound = {
    channels: Uint32Array.from({ length: output.channels }, (_, channel) => channel),
    weights: windowWeights(layer),
    steps: { at: new Uint32Array(0), product: NONE, sum: NONE },
  };
  setSums(
    sums,
    layer,
    sound,
    Uint32Array.from({ length: output.height * output.width }, (_, m) => m),
  );
  for (const { positions, parts } of groups) {
    for (const part of parts) setSums(sums, layer, part, positions);
  }
  return sums;
}

const NONE: WordMasks = {
  and: new Uint32Array(0),
  or: new Uint32Array(0),
  xor: new Uint32Array(0),
};

function setSums(
  sums: Int32Array,
  layer: LayerCase,
  { channels, weights, steps }: SumPart,
  positions: Uint32Array,
): void {
  const { multiply, add } = isInt8Case(layer) ? INT8 : FLOAT32;
  const bias = new Int32Array(layer.bias.buffer);
  const taps = tapsOf(layer);
  for (const [row, channel] of channels.entries()) {
    for (const m of positions) {
      let sum = bias[channel];
      for (let k = 0, step = 0; k < taps.length; k++) {
        const isStep = steps.at[step] === k;
        const weight = weights[row * taps.length + k];
        const product = multiply(taps[k](m, channel), weight);
        sum = add(sum, isStep ? read(steps.product, step, product) : product);
        if (isStep) sum = read(steps.sum, step++, sum);
      }
      sums[m * layer.shape.output.channels + channel] = sum;
    }
  }
}

function read({ and, or, xor }: WordMasks, entry: number, word: number): number {
  return ((word & and[entry]) | or[entry]) ^ xor[entry];
}

const INT8 = {
  multiply: (x: number, w: number) => x * w,
  add: (sum: number, product: number) => (sum + product) | 0,
};

const words = new DataView(new ArrayBuffer(4));

function wordOf(value: number): number {
  words.setFloat32(0, value);
  return Number.isNaN(value) ? 0x7fc00000 : words.getInt32(0);
}

function numberOf(word: number): number {
  words.setInt32(0, word);
  return words.getFloat32(0);
}

const FLOAT32 = {
  multiply: (x: number, w: number) => wordOf(Math.fround(x * w)),
  add: (sum: number, product: number) => wordOf(Math.fround(numberOf(sum) + numberOf(product))),
};

/** For each window position what is multiplied by, of an output position and channel. */
function tapsOf(layer: LayerCase): ((m: number, channel: number) => number)[] {
  const { shape, input } = layer;
  const zeroPoint = isInt8Case(layer) ? layer.inputZeroPoint : 0;
  const groupInputs = shape.input.channels / shape.groups;
  const groupOutputs = shape.output.channels / shape.groups;
  return windowPlaces(layer).map(({ inputChannel, ky, kx }) => (m, channel) => {
    const y =
      Math.floor(m / shape.output.width) * shape.strides[0] -
      shape.pads[0] +
      ky * shape.dilations[0];
    const x = (m % shape.output.width) * shape.strides[1] - shape.pads[1] + kx * shape.dilations[1];
    if (y < 0 || y >= shape.input.height || x < 0 || x >= shape.input.width) return 0;
    const first = Math.floor(channel / groupOutputs) * groupInputs;
    return (
      input[(y * shape.input.width + x) * shape.input.channels + first + inputChannel] - zeroPoint
    );
  });
}

interface WindowPlace {
  readonly inputChannel: number;
  readonly ky: number;
  readonly kx: number;
}

/** int8: input channel, ky, kx; float32: ky, kx, input channel. */
function windowPlaces(layer: LayerCase): WindowPlace[] {
  const { shape } = layer;
  const count = (length: number) => Array.from({ length }, (_, index) => index);
  const channels = count(shape.input.channels / shape.groups);
  const kernel = count(shape.kernel[0]).flatMap((ky) =>
    count(shape.kernel[1]).map((kx) => ({ ky, kx })),
  );
  return isInt8Case(layer)
    ? channels.flatMap((inputChannel) => kernel.map((place) => ({ inputChannel, ...place })))
    : kernel.flatMap((place) => channels.map((inputChannel) => ({ inputChannel, ...place })));
}

/** The weights of all channels in window order, zero points subtracted. */
function windowWeights(layer: LayerCase): Int16Array | Float32Array {
  const { shape } = layer;
  const window = windowSize(shape);
  const places = windowPlaces(layer).map(
    ({ inputChannel, ky, kx }) => (inputChannel * shape.kernel[0] + ky) * shape.kernel[1] + kx,
  );
  const of = (index: number) => {
    const channel = Math.floor(index / window);
    const weight = layer.weights[channel * window + places[index % window]];
    return isInt8Case(layer) ? weight - layer.weightZeroPoints[channel] : weight;
  };
  const { length } = layer.weights;
  return isInt8Case(layer)
    ? Int16Array.from({ length }, (_, index) => of(index))
    : Float32Array.from({ length }, (_, index) => of(index));
}
