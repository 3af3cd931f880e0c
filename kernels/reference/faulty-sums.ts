import { type ConvolutionShape, featureCount, windowSize } from '../../core/index.js';
import { checkFaultySums, checkSumsInput } from '../check.js';
import {
  CANONICAL_NAN,
  convolutionGroup,
  type FaultySumsKernel,
  type FaultySumsSpecification,
  type SumPart,
  type WordMasks,
} from '../faulty-sums.js';
import { forEachTap } from './window.js';

/**
 * The definition of {@link FaultySumsSpecification}, one sum at a time.
 *
 * @throws ModelError unless the specification is consistent
 */
export function referenceFaultySums(specification: FaultySumsSpecification): FaultySumsKernel {
  checkFaultySums(specification);
  const { format, shape, groups } = specification;
  const values = new Float32Array(windowSize(shape));
  const sumOf = format === 'int8' ? int8Sum : float32Sum;
  const List = format === 'int8' ? Int32Array : Float32Array;
  const steps = groups.map(({ parts }) => parts.map((part) => stepNumbers(shape, part)));
  let sums: (Int32Array | Float32Array)[][] = groups.map(({ parts }) =>
    parts.map(() => new List()),
  );

  return {
    get sums() {
      return sums;
    },
    run(input, images) {
      checkSumsInput(specification, input, images);
      sums = groups.map(({ positions, parts }) =>
        parts.map(({ channels }) => new List(images * positions.length * channels.length)),
      );
      for (const [group, { positions, parts }] of groups.entries()) {
        for (const [number, part] of parts.entries()) {
          const target = sums[group][number];
          let next = 0;
          for (let image = 0; image < images; image++) {
            for (const position of positions) {
              readWindow(specification, input, image, position, part, values);
              for (let channel = 0; channel < part.channels.length; channel++) {
                target[next++] = sumOf(specification, part, channel, steps[group][number], values);
              }
            }
          }
        }
      }
    },
  };
}

/** For each place in the window the number of its step, or -1. */
function stepNumbers(shape: ConvolutionShape, { steps }: SumPart): Int32Array {
  const numbers = new Int32Array(windowSize(shape)).fill(-1);
  for (const [number, place] of steps.at.entries()) numbers[place] = number;
  return numbers;
}

/** The inputs of one window, zero point subtracted, in the order in which their products are added. */
function readWindow(
  { format, shape, inputZeroPoint }: FaultySumsSpecification,
  input: Uint8Array | Float32Array,
  image: number,
  position: number,
  part: SumPart,
  values: Float32Array,
): void {
  const { width } = shape.output;
  const first = image * featureCount(shape.input);
  let place = 0;
  forEachTap(
    shape,
    convolutionGroup(shape, part),
    Math.floor(position / width),
    position % width,
    (tap, weight) => {
      // Weights of a channel lie in network order: input channel, ky, kx.
      const target = format === 'int8' ? weight : place++;
      values[target] = tap < 0 ? 0 : input[first + tap] - inputZeroPoint;
    },
  );
}

function int8Sum(
  { bias }: FaultySumsSpecification,
  { channels, weights, steps }: SumPart,
  channel: number,
  stepOf: Int32Array,
  values: Float32Array,
): number {
  let sum = bias[channels[channel]];
  for (let k = 0; k < values.length; k++) {
    const step = stepOf[k];
    let product = Math.imul(values[k], weights[channel * values.length + k]);
    if (step >= 0) product = masked(product, steps.product, step);
    sum = (sum + product) | 0;
    if (step >= 0) sum = masked(sum, steps.sum, step);
  }
  return sum;
}

function float32Sum(
  { bias }: FaultySumsSpecification,
  { channels, weights, steps }: SumPart,
  channel: number,
  stepOf: Int32Array,
  values: Float32Array,
): number {
  let sum = bias[channels[channel]];
  for (let k = 0; k < values.length; k++) {
    const step = stepOf[k];
    let product = Math.fround(values[k] * weights[channel * values.length + k]);
    if (step >= 0) product = maskedFloat32(product, steps.product, step);
    sum = Math.fround(sum + product);
    if (step >= 0) sum = maskedFloat32(sum, steps.sum, step);
  }
  return sum;
}

function masked(word: number, { and, or, xor }: WordMasks, step: number): number {
  return ((word & and[step]) | or[step]) ^ xor[step];
}

const number = new Float32Array(1);
const bits = new Int32Array(number.buffer);

function maskedFloat32(value: number, masks: WordMasks, step: number): number {
  number[0] = value;
  bits[0] = masked(Number.isNaN(value) ? CANONICAL_NAN : bits[0], masks, step);
  return number[0];
}
