import { featureCount, weightCount, windowSize } from '../../core/index.js';
import type { Int8Clip, Int8ConvolutionKernel, Int8ConvolutionSpecification } from '../backend.js';
import {
  checkClip,
  checkInt8,
  checkInt8Specification,
  checkInvertedBits,
  checkTensors,
  checkWeightIndex,
  checkWeightIndices,
} from '../check.js';
import { requantize } from '../quantize.js';
import { forEachPosition, forEachTap } from './window.js';

/** The definition of {@link Int8ConvolutionSpecification}, one accumulator at a time. */
export function int8Convolution(
  specification: Int8ConvolutionSpecification,
): Int8ConvolutionKernel {
  checkInt8Specification(specification);
  const { shape, inputZeroPoint, weightZeroPoints, bias } = specification;
  const finish = int8Finish(specification);
  const weights = specification.weights.slice();
  const channels = shape.output.channels;
  const groupOutputs = channels / shape.groups;
  const window = windowSize(shape);
  const inputLength = featureCount(shape.input);
  const positions = shape.output.height * shape.output.width;
  const accumulators = new Int32Array(channels);
  let clip: Int8Clip | undefined;

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weightCount(shape));
      checkInt8(value);
      weights[index] = value;
    },
    setWeights(indices, values) {
      checkWeightIndices(indices, values, weightCount(shape));
      for (let place = 0; place < indices.length; place++) {
        checkInt8(values[place]);
        weights[indices[place]] = values[place];
      }
    },
    invertBits(bits) {
      checkInvertedBits(bits, weightCount(shape));
      for (const [index, inverted] of bits.entries()) weights[index] ^= inverted;
    },
    getWeight(index) {
      checkWeightIndex(index, weightCount(shape));
      return weights[index];
    },
    setClip(newClip) {
      if (newClip) checkClip(newClip, shape);
      clip = newClip && { mode: newClip.mode, thresholds: newClip.thresholds.slice() };
    },
    run(input, output, images, observe) {
      checkTensors(shape, input, output, images);
      forEachPosition(shape, images, (row, image, y, x) => {
        for (let channel = 0; channel < channels; channel++) {
          let sum = bias[channel];
          forEachTap(shape, Math.floor(channel / groupOutputs), y, x, (tap, weight) => {
            const activation = tap < 0 ? 0 : input[image * inputLength + tap] - inputZeroPoint;
            const centred = weights[channel * window + weight] - weightZeroPoints[channel];
            sum = (sum + Math.imul(activation, centred)) | 0;
          });
          accumulators[channel] = sum;
        }
        observe?.(accumulators, row, 1, channels);
        const position = row % positions;
        for (let channel = 0; channel < channels; channel++) {
          const place = { position, channel };
          output[row * channels + channel] = finish(accumulators[channel], place, clip);
        }
      });
    },
  };
}

/** An output: y · width + x, and its channel. */
export interface OutputPlace {
  readonly position: number;
  readonly channel: number;
}

/** A function from the accumulator of an output to the stored value: clipped, then requantised. */
export function int8Finish({
  shape,
  multipliers,
  outputZeroPoint,
  low,
  high,
}: Int8ConvolutionSpecification): (
  accumulator: number,
  place: OutputPlace,
  clip: Int8Clip | undefined,
) => number {
  const { channels } = shape.output;
  return (accumulator, { position, channel }, clip) => {
    const sum = clipInt8(accumulator, clip, position * channels + channel);
    return requantize(sum, multipliers[channel], outputZeroPoint, low, high);
  };
}

/** A threshold per channel serves the neurons of all positions in turn. */
function clipInt8(sum: number, clip: Int8Clip | undefined, neuron: number): number {
  if (!clip) return sum;
  const threshold = clip.thresholds[neuron % clip.thresholds.length];
  if (sum <= threshold) return sum;
  return clip.mode === 'clip-zero' ? 0 : threshold;
}
