import { windowSize } from '../../../core/index.js';
import type { Int8ConvolutionSpecification } from '../../backend.js';
import { WINOGRAD_4X4_LIMIT } from '../../reference/winograd.js';

/**
 * Largest |y| of a channel for any input: with P and N the sums of its positive and (negated) negative
 * centred weights, an input of 0…255 less its zero point makes y at most P·(255 − zero point) + N·(zero
 * point), and −y at most the same with P and N exchanged.
 */
export function largestSum(positive: number, negative: number, inputZeroPoint: number): number {
  const above = 255 - inputZeroPoint;
  return Math.max(
    positive * above + negative * inputZeroPoint,
    negative * above + positive * inputZeroPoint,
  );
}

/** Whether each output channel is exact by F(4×4, 3×3); kept up to date weight by weight. */
export interface ChannelBounds {
  change(channel: number, before: number, after: number): void;
  /** Weights, in ascending order, that are about to take new values. */
  changeAll(weights: Int8Array, indices: Uint32Array, values: Int8Array): void;
  /** The weights of a channel were replaced: their sum less the zero points, and that of their magnitudes. */
  replace(channel: number, sum: number, magnitude: number): void;
  isProven(channel: number): boolean;
}

export function channelBounds(specification: Int8ConvolutionSpecification): ChannelBounds {
  const { shape, weights, weightZeroPoints, inputZeroPoint } = specification;
  const window = windowSize(shape);
  const positive = new Float64Array(shape.output.channels);
  const negative = new Float64Array(shape.output.channels);
  const zeroPoints = weightZeroPoints.slice();

  function count(channel: number, weight: number, sign: 1 | -1): void {
    const centred = weight - zeroPoints[channel];
    if (centred > 0) positive[channel] += sign * centred;
    else negative[channel] -= sign * centred;
  }

  for (let channel = 0, index = 0; channel < shape.output.channels; channel++) {
    for (let i = 0; i < window; i++) count(channel, weights[index++], 1);
  }
  return {
    change(channel, before, after) {
      count(channel, before, -1);
      count(channel, after, 1);
    },
    changeAll(before, indices, values) {
      for (let place = 0; place < indices.length; ) {
        const channel = Math.floor(indices[place] / window);
        const end = (channel + 1) * window;
        const zeroPoint = zeroPoints[channel];
        // Of the centred weight x the positive part is (|x| + x) / 2: sums of |x| and x are enough.
        let magnitude = 0;
        let sum = 0;
        for (; place < indices.length && indices[place] < end; place++) {
          const old = before[indices[place]] - zeroPoint;
          const now = values[place] - zeroPoint;
          magnitude += Math.abs(now) - Math.abs(old);
          sum += now - old;
        }
        positive[channel] += (magnitude + sum) / 2;
        negative[channel] += (magnitude - sum) / 2;
      }
    },
    replace(channel, sum, magnitude) {
      positive[channel] = (magnitude + sum) / 2;
      negative[channel] = (magnitude - sum) / 2;
    },
    isProven(channel) {
      return largestSum(positive[channel], negative[channel], inputZeroPoint) < WINOGRAD_4X4_LIMIT;
    },
  };
}
