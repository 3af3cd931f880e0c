import { featureCount, weightCount, windowSize } from '../../core/index.js';
import type {
  Float32Clip,
  Float32ConvolutionKernel,
  Float32ConvolutionSpecification,
} from '../backend.js';
import {
  checkClip,
  checkFloat32Specification,
  checkTensors,
  checkWeightIndex,
  checkWeightIndices,
} from '../check.js';
import { planFloat32Convolution, winogradTiles } from '../float32/plan.js';
import { winogradSums } from './float32-winograd.js';
import { forEachPosition, forEachTap } from './window.js';

/**
 * The definition of {@link Float32ConvolutionSpecification}, one sum at a time: the algorithm of the plan,
 * and `direct` for the channels and images beyond the plan's limits.
 */
export function float32Convolution(
  specification: Float32ConvolutionSpecification,
): Float32ConvolutionKernel {
  checkFloat32Specification(specification);
  const { shape, bias, relu } = specification;
  const plan = planFloat32Convolution(shape);
  const weights = specification.weights.slice();
  const { channels } = shape.output;
  const window = windowSize(shape);
  const inputLength = featureCount(shape.input);
  const outputLength = featureCount(shape.output);
  const sums = new Float32Array(outputLength);
  const tiles = winogradTiles(plan);
  let clip: Float32Clip | undefined;

  function directSums(image: Float32Array, channel: number, skipPadding: boolean): void {
    const group = Math.floor((channel * shape.groups) / channels);
    forEachPosition(shape, 1, (row, _image, y, x) => {
      let sum = bias[channel];
      forEachTap(shape, group, y, x, (tap, weight) => {
        if (skipPadding && tap < 0) return;
        const activation = tap < 0 ? 0 : image[tap];
        sum = Math.fround(sum + Math.fround(activation * weights[channel * window + weight]));
      });
      sums[row * channels + channel] = sum;
    });
  }

  function sumsOf(image: Float32Array): void {
    const ordinaryImage = isWithin(image, plan.activationLimit);
    for (let channel = 0; channel < channels; channel++) {
      const filter = weights.subarray(channel * window, (channel + 1) * window);
      const ordinary = ordinaryImage && isWithin(filter, plan.weightLimit);
      if (tiles && ordinary) {
        winogradSums(shape, tiles, image, filter, bias[channel], (position, sum) => {
          sums[position * channels + channel] = sum;
        });
      } else {
        directSums(image, channel, ordinary && plan.algorithm === 'direct-inside');
      }
    }
  }

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weightCount(shape));
      weights[index] = value;
    },
    setWeights(indices, values) {
      checkWeightIndices(indices, values, weightCount(shape));
      for (let place = 0; place < indices.length; place++) {
        weights[indices[place]] = values[place];
      }
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
      const positions = shape.output.height * shape.output.width;
      for (let image = 0; image < images; image++) {
        sumsOf(input.subarray(image * inputLength, (image + 1) * inputLength));
        observe?.(sums, image * positions, positions, channels);
        for (let index = 0; index < outputLength; index++) {
          const sum = clipFloat32(sums[index], clip, index);
          output[image * outputLength + index] = relu && sum <= 0 ? 0 : sum;
        }
      }
    },
  };
}

/** Whether every magnitude is at most `limit`; a NaN is within no finite limit. */
function isWithin(values: Float32Array, limit: number): boolean {
  return limit === Infinity || values.every((value) => Math.abs(value) <= limit);
}

/** A threshold per channel serves the neurons of all positions in turn. */
function clipFloat32(sum: number, clip: Float32Clip | undefined, neuron: number): number {
  if (!clip) return sum;
  const threshold = clip.thresholds[neuron % clip.thresholds.length];
  if (clip.mode === 'clip-zero') return sum <= threshold ? sum : 0;
  const above = sum > threshold;
  return above ? threshold : sum;
}
