import { windowSize } from '../../core/index.js';
import type { Int8ConvolutionSpecification } from '../backend.js';
import { WINOGRAD_4X4_LIMIT } from '../reference/winograd.js';

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
    isProven(channel) {
      return largestSum(positive[channel], negative[channel], inputZeroPoint) < WINOGRAD_4X4_LIMIT;
    },
  };
}
