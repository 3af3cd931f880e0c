import {
  type ConvolutionShape,
  featureCount,
  InputError,
  ModelError,
  type PoolingShape,
  weightCount,
  windowSize,
} from '../core/index.js';
import type {
  Float32Clip,
  Float32ConvolutionSpecification,
  Int8Clip,
  Int8ConvolutionSpecification,
} from './backend.js';
import { convolutionGroup, type FaultySumsSpecification, type SumPart } from './faulty-sums.js';

/** Throws a ModelError unless the window fits the padded input and gives exactly the stated output. */
export function checkConvolutionShape(shape: ConvolutionShape): void {
  const { input, output, groups } = shape;
  const sizes = [input, output].flatMap(({ channels, height, width }) => [channels, height, width]);
  const positive = [...sizes, ...shape.kernel, ...shape.strides, ...shape.dilations, groups];
  if (!positive.every(isPositiveInteger) || !shape.pads.every(isNaturalNumber)) {
    throw new ModelError('A convolution needs positive integer sizes and pads of 0 or more.');
  }
  if (input.channels % groups !== 0 || output.channels % groups !== 0) {
    throw new ModelError(
      `A convolution from ${input.channels} to ${output.channels} channels cannot have ${groups} groups: both numbers must be multiples of it.`,
    );
  }
  const [top, left, bottom, right] = shape.pads;
  const height = windows(input.height + top + bottom, 0, shape);
  const width = windows(input.width + left + right, 1, shape);
  if (height !== output.height || width !== output.width) {
    throw new ModelError(
      `A convolution gives ${height}×${width} output positions, but its output shape says ${output.height}×${output.width}.`,
    );
  }
}

function windows(paddedSize: number, axis: 0 | 1, shape: ConvolutionShape): number {
  const extent = shape.dilations[axis] * (shape.kernel[axis] - 1) + 1;
  return Math.floor((paddedSize - extent) / shape.strides[axis]) + 1;
}

/** Throws a ModelError unless channels agree and every window holds at least one input position. */
export function checkPoolingShape(shape: PoolingShape, kind: 'max' | 'average'): void {
  const { input, output, kernel, strides, pads } = shape;
  const sizes = [input, output].flatMap(({ channels, height, width }) => [channels, height, width]);
  if (![...sizes, ...kernel, ...strides].every(isPositiveInteger) || !pads.every(isNaturalNumber)) {
    throw new ModelError(
      `${article(kind)} pooling needs positive integer sizes and pads of 0 or more.`,
    );
  }
  if (input.channels !== output.channels) {
    throw new ModelError(
      `${article(kind)} pooling keeps the channels, but its shape goes from ${input.channels} to ${output.channels}.`,
    );
  }
  const onlyPadding =
    pads[0] >= kernel[0] ||
    pads[1] >= kernel[1] ||
    (output.height - 1) * strides[0] - pads[0] >= input.height ||
    (output.width - 1) * strides[1] - pads[1] >= input.width;
  if (onlyPadding) {
    throw new ModelError(`${article(kind)} pooling has a window that holds only padding.`);
  }
}

function article(kind: 'max' | 'average'): string {
  return kind === 'average' ? 'An average' : 'A max';
}

/** Throws a ModelError unless shape, lengths and ranges of the specification are consistent. */
export function checkInt8Specification(specification: Int8ConvolutionSpecification): void {
  const { shape, weightZeroPoints, multipliers, inputZeroPoint, outputZeroPoint, low, high } =
    specification;
  checkConvolutionShape(shape);
  checkLength('weights', specification.weights, weightCount(shape));
  checkLength('weight zero points', weightZeroPoints, shape.output.channels);
  checkLength('bias', specification.bias, shape.output.channels);
  checkLength('multipliers', multipliers, shape.output.channels);
  if (!weightZeroPoints.every((zeroPoint) => zeroPoint >= -128 && zeroPoint <= 127)) {
    throw new ModelError('The weight zero points of an int8 convolution must lie in -128…127.');
  }
  if (![inputZeroPoint, outputZeroPoint, low, high].every(isByte) || low > high) {
    throw new ModelError(
      'The zero points and output bounds of an int8 convolution must lie in 0…255, with low ≤ high.',
    );
  }
  if (!multipliers.every(Number.isFinite)) {
    throw new ModelError('The multipliers of an int8 convolution must be finite.');
  }
}

/** Throws a ModelError unless shape and lengths of the specification are consistent. */
export function checkFloat32Specification(specification: Float32ConvolutionSpecification): void {
  checkConvolutionShape(specification.shape);
  checkLength('weights', specification.weights, weightCount(specification.shape));
  checkLength('bias', specification.bias, specification.shape.output.channels);
}

/** Throws an InputError unless the clip has one threshold per output channel or per neuron. */
export function checkClip(clip: Int8Clip | Float32Clip, { output }: ConvolutionShape): void {
  const { length } = clip.thresholds;
  const neurons = featureCount(output);
  if (length !== output.channels && length !== neurons) {
    throw new InputError(
      `A clip of a layer with ${output.channels} output channels and ${neurons} neurons has ${length} thresholds; give one per channel or one per neuron.`,
    );
  }
}

/** Throws an InputError unless `index` numbers one of `count` weights. */
export function checkWeightIndex(index: number, count: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < count)) {
    throw new InputError(`There is no weight ${index} in a layer of ${count} weights.`);
  }
}

/** Throws an InputError unless `indices` ascend and are below `count`, and there is a value for each. */
export function checkWeightIndices(
  indices: Uint32Array,
  values: { readonly length: number },
  count: number,
): void {
  if (values.length !== indices.length) {
    throw new InputError(`${indices.length} weights were given ${values.length} values.`);
  }
  for (let place = 1; place < indices.length; place++) {
    if (indices[place] <= indices[place - 1]) {
      throw new InputError(
        `Weights must come in ascending order, but weight ${indices[place]} follows weight ${indices[place - 1]}.`,
      );
    }
  }
  if (indices.length > 0) checkWeightIndex(indices[indices.length - 1], count);
}

/** Throws an InputError unless there is a byte for each of `count` weights. */
export function checkInvertedBits(bits: Uint8Array, count: number): void {
  if (bits.length !== count) {
    throw new InputError(
      `Bits of ${bits.length} weights were to be inverted in a layer of ${count} weights: give a byte for each.`,
    );
  }
}

/** Throws an InputError unless `value` is an int8 value. */
export function checkInt8(value: number): void {
  if (!(Number.isInteger(value) && value >= -128 && value <= 127)) {
    throw new InputError(`The int8 weight ${value} is not an integer in -128…127.`);
  }
}

/** Throws an InputError unless input and output hold `images` images of these shapes. */
export function checkTensors(
  shape: Pick<ConvolutionShape, 'input' | 'output'>,
  input: { readonly length: number },
  output: { readonly length: number },
  images: number,
): void {
  if (!isNaturalNumber(images)) {
    throw new InputError(`The number of images is ${images}; it must be an integer of 0 or more.`);
  }
  const inputLength = images * featureCount(shape.input);
  const outputLength = images * featureCount(shape.output);
  if (input.length < inputLength || output.length < outputLength) {
    throw new InputError(
      `A layer run on ${images} images needs ${inputLength} input and ${outputLength} output values, but has room for ${input.length} and ${output.length}.`,
    );
  }
}

function checkLength(what: string, values: { readonly length: number }, expected: number): void {
  if (values.length !== expected) {
    throw new ModelError(
      `A convolution has ${values.length} ${what}, but its shape asks for ${expected}.`,
    );
  }
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function isNaturalNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}

/** Throws a ModelError unless shape, lengths, ranges and orders of the specification are consistent. */
export function checkFaultySums(specification: FaultySumsSpecification): void {
  const { format, shape, inputZeroPoint, bias, groups } = specification;
  checkConvolutionShape(shape);
  const { channels, height, width } = shape.output;
  const isInt8 = format === 'int8';
  if (bias.length !== channels || bias instanceof Int32Array !== isInt8) {
    throw new ModelError(
      `Faulty ${format} sums of ${channels} channels need a bias for each, as ${isInt8 ? 'int32' : 'float32'} numbers.`,
    );
  }
  const mostZeroPoint = isInt8 ? 255 : 0;
  if (
    !(Number.isInteger(inputZeroPoint) && inputZeroPoint >= 0 && inputZeroPoint <= mostZeroPoint)
  ) {
    throw new ModelError(
      `The input zero point of faulty ${format} sums is ${inputZeroPoint}; it must lie in 0…${mostZeroPoint}.`,
    );
  }
  for (const { positions, parts } of groups) {
    requireAscending('output position', positions, height * width);
    for (const part of parts) checkPart(part, shape, isInt8);
  }
}

function checkPart(part: SumPart, shape: ConvolutionShape, isInt8: boolean): void {
  const { channels, weights, steps } = part;
  const window = windowSize(shape);
  requireAscending('output channel', channels, shape.output.channels);
  const groupChannels = shape.output.channels / shape.groups;
  const first = convolutionGroup(shape, part);
  if (channels.length > 0 && Math.floor(channels[channels.length - 1] / groupChannels) !== first) {
    throw new ModelError(
      'A part of faulty sums has channels of several groups of its convolution: make a part for each group.',
    );
  }
  if (weights.length !== channels.length * window || weights instanceof Int16Array !== isInt8) {
    throw new ModelError(
      `A part of faulty sums with ${channels.length} channels and a window of ${window} needs ${channels.length * window} weights, as ${isInt8 ? 'int16' : 'float32'} numbers.`,
    );
  }
  requireAscending('place in the window', steps.at, window);
  for (const masks of [steps.product, steps.sum]) {
    for (const mask of [masks.and, masks.or, masks.xor]) {
      if (mask.length !== steps.at.length) {
        throw new ModelError(
          `A part of faulty sums has ${steps.at.length} steps, but ${mask.length} masks.`,
        );
      }
    }
  }
}

function requireAscending(what: string, numbers: Uint32Array, count: number): void {
  for (let place = 0; place < numbers.length; place++) {
    if (numbers[place] >= count) {
      throw new ModelError(`Faulty sums name ${what} ${numbers[place]} of ${count}.`);
    }
    if (place > 0 && numbers[place] <= numbers[place - 1]) {
      throw new ModelError(
        `Faulty sums must be in ascending order, but ${what} ${numbers[place]} follows ${numbers[place - 1]}.`,
      );
    }
  }
}

/** Throws an InputError unless `input` holds `images` images of the specification's format. */
export function checkSumsInput(
  { format, shape }: FaultySumsSpecification,
  input: Uint8Array | Float32Array,
  images: number,
): void {
  if (!(Number.isSafeInteger(images) && images >= 0)) {
    throw new InputError(`The number of images is ${images}; it must be an integer of 0 or more.`);
  }
  const length = images * featureCount(shape.input);
  const hasFormat = input instanceof (format === 'int8' ? Uint8Array : Float32Array);
  if (input.length < length || !hasFormat) {
    throw new InputError(
      `Faulty sums of ${images} images need ${length} input values of ${format === 'int8' ? 'uint8' : 'float32'}, but were given ${input.length} of ${input instanceof Float32Array ? 'float32' : 'uint8'}.`,
    );
  }
}
