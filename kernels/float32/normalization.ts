import type { FeatureShape } from '../../core/index.js';
import type { Grouping } from '../elementwise/axes/grouping.js';

/** Normalisation of groups, with a factor and an offset for each value of an image. */
export interface GroupNormalization {
  readonly groups: Grouping;
  readonly epsilon: number;
  /** For each value of an image, which of the factors and offsets it has. */
  readonly parameterOf: Int32Array;
  readonly factors: Float32Array;
  readonly offsets: Float32Array;
}

/**
 * y = fround(fround(x − μ) / √(σ² + ε) · factor + offset), μ and σ² of the group, in float64 but for what is rounded.
 * @param input `images` tensors of as many values as the groups have together
 */
export function normalizeGroups(
  { groups: { starts, members }, epsilon, parameterOf, factors, offsets }: GroupNormalization,
  input: Float32Array,
  output: Float32Array,
  images: number,
): void {
  const length = starts.length * members.length;
  for (let image = 0; image < images; image++) {
    for (const start of starts) {
      const first = image * length;
      let sum = 0;
      for (const member of members) sum += input[first + start + member];
      const mean = sum / members.length;
      let squares = 0;
      for (const member of members) squares += (input[first + start + member] - mean) ** 2;
      const factor = 1 / Math.sqrt(squares / members.length + epsilon);
      for (const member of members) {
        const place = start + member;
        const parameter = parameterOf[place];
        output[first + place] =
          (input[first + place] - mean) * factor * factors[parameter] + offsets[parameter];
      }
    }
  }
}

/** ONNX LRN: of each value by the squares of those around it in its position's channels. */
export interface ResponseNormalization {
  /** Channels whose squares count, ⌊(size − 1) / 2⌋ of them before. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  /** What is added to the squares: ONNX's `bias`. */
  readonly base: number;
}

/** y = x / (base + alpha / size · Σ x²)^beta, in float64 and rounded once, channels innermost. */
export function normalizeResponse(
  { size, alpha, beta, base }: ResponseNormalization,
  { channels, height, width }: FeatureShape,
  input: Float32Array,
  output: Float32Array,
  images: number,
): void {
  const before = Math.floor((size - 1) / 2);
  const after = size - 1 - before;
  const end = images * height * width * channels;
  for (let first = 0; first < end; first += channels) {
    for (let channel = 0; channel < channels; channel++) {
      const last = Math.min(channel + after, channels - 1);
      let sum = 0;
      for (let other = Math.max(channel - before, 0); other <= last; other++) {
        sum += input[first + other] ** 2;
      }
      output[first + channel] = input[first + channel] / (base + (alpha / size) * sum) ** beta;
    }
  }
}
