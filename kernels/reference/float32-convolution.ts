import { featureCount, weightCount, windowSize } from '../../core/index.js';
import type {
  Float32Clip,
  Float32ConvolutionKernel,
  Float32ConvolutionSpecification,
} from '../backend.js';
import { checkClip, checkFloat32Specification, checkTensors, checkWeightIndex } from '../check.js';
import { forEachPosition, forEachTap } from './window.js';

/** The definition of {@link Float32ConvolutionSpecification}, one sum at a time. */
export function float32Convolution(
  specification: Float32ConvolutionSpecification,
): Float32ConvolutionKernel {
  checkFloat32Specification(specification);
  const { shape, bias, relu } = specification;
  const weights = specification.weights.slice();
  const channels = shape.output.channels;
  const groupOutputs = channels / shape.groups;
  const window = windowSize(shape);
  const inputLength = featureCount(shape.input);
  const accumulators = new Float32Array(channels);
  let clip: Float32Clip | undefined;

  return {
    shape,
    setWeight(index, value) {
      checkWeightIndex(index, weightCount(shape));
      weights[index] = value;
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
            const activation = tap < 0 ? 0 : input[image * inputLength + tap];
            sum = Math.fround(sum + Math.fround(activation * weights[channel * window + weight]));
          });
          accumulators[channel] = sum;
        }
        observe?.(accumulators, row, 1, channels);
        for (let channel = 0; channel < channels; channel++) {
          const sum = clipFloat32(accumulators[channel], clip, channel);
          output[row * channels + channel] = relu && sum <= 0 ? 0 : sum;
        }
      });
    },
  };
}

function clipFloat32(sum: number, clip: Float32Clip | undefined, channel: number): number {
  if (!clip) return sum;
  const threshold = clip.thresholds[channel];
  if (clip.mode === 'clip-zero') return sum <= threshold ? sum : 0;
  const above = sum > threshold;
  return above ? threshold : sum;
}
