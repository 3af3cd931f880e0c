import { featureCount, InputError } from '../../core/index.js';
import type {
  AccumulatorObserver,
  Float32Clip,
  Float32ConvolutionKernel,
  Int8Clip,
  Int8ConvolutionKernel,
  Int8ConvolutionSpecification,
  KernelBackend,
  WeightValues,
} from '../../kernels/index.js';
import {
  type ArrayLayer,
  dequantizeWords,
  type Float32ArrayLayer,
  type Int8ArrayLayer,
  isOnArray,
  type Network,
  requantizationMultipliers,
  type WeightedLayer,
} from '../../models/index.js';
import type { ActivationUnit } from './activation-unit.js';
import { quantizationOf } from './operations.js';
import type { WritableWeights } from './weight-writer.js';

type Values = Uint8Array | Float32Array;
type Observer = AccumulatorObserver<Int32Array | Float32Array>;

/** A layer with weights in a datapath. */
export interface LayerKernel extends WritableWeights {
  /** @param input undefined for weights without a product */
  run(input: Values | undefined, output: Values, images: number, observe?: Observer): void;
  /** @throws InputError when the unit is for words of another format */
  install(unit: ActivationUnit | undefined): void;
}

/** What the tensors of a layer on the array hold: that decides what it is computed on. */
export function arithmeticOf(
  { tensors, format }: Network,
  layer: ArrayLayer,
): 'int8' | 'int8-to-float32' | 'float32' {
  if (format === 'float32' || !tensors[layer.input].quantization) return 'float32';
  return tensors[layer.output].quantization ? 'int8' : 'int8-to-float32';
}

/**
 * The kernel of a layer with weights.
 *
 * @param scratch a tensor for the uint8 outputs that a layer with float32 outputs makes, too
 */
export function createLayerKernel(
  network: Network,
  layer: WeightedLayer,
  backend: KernelBackend,
  scratch: () => Uint8Array,
): LayerKernel {
  if (!isOnArray(layer)) return storedWeights(network, layer);
  if (!isInt8(layer)) return float32Kernel(layer, backend.float32Convolution(layer));
  switch (arithmeticOf(network, layer)) {
    case 'int8':
      return int8Kernel(backend.int8Convolution(int8Specification(network, layer)));
    case 'int8-to-float32':
      return int8ToFloat32(network, layer, backend, scratch());
    case 'float32':
      return onDequantizedWords(layer, backend);
  }
}

function isInt8(layer: WeightedLayer): layer is Int8ArrayLayer {
  return layer.weights instanceof Int8Array;
}

function int8Kernel(kernel: Int8ConvolutionKernel): LayerKernel {
  return {
    setWeights: (indices, values) => kernel.setWeights(indices, values),
    invertBits: (bits) => kernel.invertBits(bits),
    run: (input, output, images, observe) =>
      kernel.run(input as Uint8Array, output as Uint8Array, images, observe),
    install: (unit) => kernel.setClip(int8ClipOf(unit)),
  };
}

function int8ClipOf(unit: ActivationUnit | undefined): Int8Clip | undefined {
  if (unit === undefined || unit.format === 'int8') return unit?.clip;
  throw wrongUnit(unit, 'int8');
}

function wrongUnit(unit: ActivationUnit, words: string): InputError {
  return new InputError(`an activation unit for ${unit.format} words cannot serve ${words} words`);
}

/** The bound of ReLU6 and its like, of which kernels know the clip alone. */
function bound(upper: number | undefined, values: Float32Array): void {
  if (upper === undefined) return;
  // Few values are beyond it, and the others need not be written.
  for (let index = 0; index < values.length; index += 1) {
    if (values[index] >= upper) values[index] = upper;
  }
}

/** A bound as the clip of a kernel; undefined: there is none, or before a ReLU it would be another than behind. */
function clampAt(upper: number | undefined, channels: number): Float32Clip | undefined {
  if (upper === undefined || !(upper > 0) || Math.fround(upper) !== upper) return undefined;
  return { mode: 'clamp', thresholds: new Float32Array(channels).fill(upper) };
}

function float32Kernel(
  { upper, shape }: Pick<Float32ArrayLayer, 'upper' | 'shape'>,
  kernel: Float32ConvolutionKernel,
): LayerKernel {
  const length = featureCount(shape.output);
  const clamp = clampAt(upper, shape.output.channels);
  let boundBehind = clamp ? undefined : upper;
  kernel.setClip(clamp);
  return {
    setWeights: (indices, values) => kernel.setWeights(indices, values),
    invertBits: undefined,
    run(input, output, images, observe) {
      kernel.run(input as Float32Array, output as Float32Array, images, observe);
      bound(boundBehind, output.subarray(0, images * length) as Float32Array);
    },
    install(unit) {
      if (unit !== undefined && unit.format !== 'float32') throw wrongUnit(unit, 'float32');
      kernel.setClip(unit?.clip ?? clamp);
      boundBehind = clamp && !unit ? undefined : upper;
    },
  };
}

/** A product of float32 numbers with int8 words, each dequantised as it is read. */
function onDequantizedWords(layer: Int8ArrayLayer, backend: KernelBackend): LayerKernel {
  const { shape, relu, scales, realBias } = layer;
  const weights = dequantizeWords(layer);
  const bias = realBias ?? new Float32Array(scales.length);
  const kernel = float32Kernel(layer, backend.float32Convolution({ shape, weights, bias, relu }));
  const dequantize = dequantizer(layer);
  return {
    ...kernel,
    ...ofWords(layer.weights, (indices, values) =>
      kernel.setWeights(indices, dequantize(indices, values)),
    ),
  };
}

/** Writing of int8 words for a kernel that has their numbers alone. */
function ofWords(
  stored: Int8Array,
  write: (indices: Uint32Array, words: WeightValues) => void,
): WritableWeights {
  const words = stored.slice();
  return {
    setWeights(indices, values) {
      for (const [place, index] of indices.entries()) words[index] = values[place];
      write(indices, values);
    },
    invertBits(bits) {
      const indices = Uint32Array.from(bits.keys()).filter((index) => bits[index] !== 0);
      for (const index of indices) words[index] ^= bits[index];
      write(
        indices,
        Int8Array.from(indices, (index) => words[index]),
      );
    },
  };
}

/** The real numbers of words, by their indices in the layer. */
function dequantizer({
  weights,
  scales,
  zeroPoints,
}: Pick<Int8ArrayLayer, 'weights' | 'scales' | 'zeroPoints'>) {
  const window = weights.length / scales.length;
  return (indices: Uint32Array, values: WeightValues) =>
    Float32Array.from(indices, (index, place) => {
      const channel = Math.floor(index / window);
      return scales[channel] * (values[place] - zeroPoints[channel]);
    });
}

/**
 * Accumulators to float32 numbers: fround(fround(accumulator) · fround(s_x · s_w[c])), then the bias, as onnxruntime's
 * MatMulIntegerToFloat and QGemm compute them.
 */
function int8ToFloat32(
  network: Network,
  layer: Int8ArrayLayer,
  backend: KernelBackend,
  scratch: Uint8Array,
): LayerKernel {
  const { shape, realBias, relu, upper, scales } = layer;
  const kernel = backend.int8Convolution(int8Specification(network, layer));
  const { scale } = quantizationOf(network, layer.input);
  const factors = scales.map((own) => scale * own);
  const { channels, height, width } = shape.output;
  const length = featureCount(shape.output);
  let clip: Int8Clip | undefined;

  const clipped = (sum: number, row: number, channel: number) => {
    if (!clip) return sum;
    const { thresholds, mode } = clip;
    const place =
      thresholds.length === channels ? channel : (row % (height * width)) * channels + channel;
    if (sum <= thresholds[place]) return sum;
    return mode === 'clip-zero' ? 0 : thresholds[place];
  };

  return {
    setWeights: (indices, values) => kernel.setWeights(indices, values),
    invertBits: (bits) => kernel.invertBits(bits),
    run(input, output, images, observe) {
      kernel.run(input as Uint8Array, scratch, images, (sums, firstRow, rows, stride) => {
        observe?.(sums, firstRow, rows, stride);
        for (let row = 0; row < rows; row += 1) {
          const target = (firstRow + row) * channels;
          for (let channel = 0; channel < channels; channel += 1) {
            const sum = clipped(sums[row * stride + channel], firstRow + row, channel);
            let real = Math.fround(Math.fround(sum) * factors[channel]);
            if (realBias) real = Math.fround(real + realBias[channel]);
            output[target + channel] = relu && real <= 0 ? 0 : real;
          }
        }
      });
      bound(upper, output.subarray(0, images * length) as Float32Array);
    },
    install(unit) {
      clip = int8ClipOf(unit);
    },
  };
}

/** Weights that are a tensor: the numbers of their words, the same for every sample. */
function storedWeights(network: Network, layer: Exclude<WeightedLayer, ArrayLayer>): LayerKernel {
  const numbers = 'scales' in layer ? dequantizeWords(layer) : layer.weights.slice();
  const setNumbers = (indices: Uint32Array, values: WeightValues) => {
    for (const [place, index] of indices.entries()) numbers[index] = values[place];
  };
  return {
    ...('scales' in layer
      ? storedWords(layer, setNumbers)
      : { setWeights: setNumbers, invertBits: undefined }),
    run(_, output, images) {
      for (let image = 0; image < images; image += 1) output.set(numbers, image * numbers.length);
    },
    install(unit) {
      if (unit) throw new InputError(`${network.name}: layer "${layer.name}" has no accumulators`);
    },
  };
}

function storedWords(
  layer: Pick<Int8ArrayLayer, 'weights' | 'scales' | 'zeroPoints'>,
  setNumbers: (indices: Uint32Array, values: WeightValues) => void,
): WritableWeights {
  const dequantize = dequantizer(layer);
  return ofWords(layer.weights, (indices, values) =>
    setNumbers(indices, dequantize(indices, values)),
  );
}

/** What a weighted layer of an int8 network asks of its kernel; without a quantised output, of one that is not read. */
export function int8Specification(
  network: Network,
  layer: Int8ArrayLayer,
): Int8ConvolutionSpecification {
  const input = quantizationOf(network, layer.input);
  const output = network.tensors[layer.output].quantization ?? { scale: 1, zeroPoint: 0 };
  return {
    shape: layer.shape,
    inputZeroPoint: input.zeroPoint,
    weights: layer.weights,
    weightZeroPoints: layer.zeroPoints,
    bias: layer.bias,
    multipliers: requantizationMultipliers(input.scale, layer.scales, output.scale),
    outputZeroPoint: output.zeroPoint,
    low: layer.relu ? output.zeroPoint : 0,
    high: 255,
  };
}
