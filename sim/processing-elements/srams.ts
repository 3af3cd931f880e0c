import { type ConvolutionShape, windowSize } from '../../core/index.js';
import type { AccessCounts } from '../hardware/access-counts.js';

/** The convolution that the SRAMs hold. Zero points of inputs are subtracted on the way out, those of weights behind it. */
export interface StoredLayer {
  readonly shape: ConvolutionShape;
  /** One image, channels innermost. */
  readonly input: ArrayLike<number>;
  readonly inputZeroPoint: number;
  /** Words as the weight memory holds them. Network order: output channel, input channel of the group, ky, kx. */
  readonly weights: ArrayLike<number>;
  /** The number that a word of an output channel's weights stands for. */
  weightOf(word: number, channel: number): number;
  /** Words of partial sums, one per output channel. */
  readonly bias: ArrayLike<number>;
  /**
   * In which order the positions of a window count as k = 0, 1, …: input channel, ky, kx (`channel-first`) or
   * ky, kx, input channel (`channel-last`).
   */
  readonly windowOrder: 'channel-first' | 'channel-last';
}

/**
 * What the edges of the array read and write: one group of a layer as the product of an input matrix of M output
 * positions × K window positions and a weight matrix of K × N filters. An edge fold reaches beyond the matrices:
 * there is nothing to read there (undefined), nothing is written, and nothing is counted.
 */
export interface GroupPorts {
  readInput(m: number, k: number): number | undefined;
  /** A word as the weight memory holds it. */
  readWeight(k: number, n: number): number | undefined;
  /** The operand that such a word of filter n stands for. */
  weightOf(word: number | undefined, n: number): number | undefined;
  /** Where the first fold of a window starts from; biases are held elsewhere and not counted. */
  bias(n: number): number | undefined;
  /** The sum that the fold before left, as it is read of where it lies. */
  readPartialSum(m: number, n: number): number | undefined;
  write(m: number, n: number, sum: number): void;
}

/** The SRAMs of inputs, weights and outputs around an array, with their access counts. */
export interface Srams {
  /** M, K and N of each group. */
  readonly positions: number;
  readonly window: number;
  readonly filters: number;
  /** Words of the sums that were written last, as they are read: output positions × output channels. */
  results(): Int32Array;
  group(group: number): GroupPorts;
  counts(): AccessCounts;
}

/** What is read of where the sum of output position m and filter n of a group lies, which holds a word. */
export type ReadPartialSum = (m: number, n: number, word: number) => number;

/** @param weightRead called with the number of each weight within the layer as the array reads it */
export function createSrams(
  layer: StoredLayer,
  readStored: ReadPartialSum,
  weightRead?: (weight: number) => void,
): Srams {
  const { shape, input, inputZeroPoint, weights } = layer;
  const { channels: inputChannels, height, width } = shape.input;
  const channels = shape.output.channels;
  const positions = shape.output.height * shape.output.width;
  const window = windowSize(shape);
  const filters = channels / shape.groups;
  const taps = windowTaps(layer);
  const sums = new Int32Array(positions * channels);
  let [inputReads, weightReads, outputWrites, partialSumReads] = [0, 0, 0, 0];

  function group(group: number): GroupPorts {
    const firstInput = group * (inputChannels / shape.groups);
    const firstOutput = group * filters;
    return {
      readInput(m, k) {
        if (m >= positions || k >= window) return undefined;
        inputReads++;
        const tap = taps[k];
        const outputY = Math.floor(m / shape.output.width);
        const outputX = m % shape.output.width;
        const y = outputY * shape.strides[0] - shape.pads[0] + tap.ky * shape.dilations[0];
        const x = outputX * shape.strides[1] - shape.pads[1] + tap.kx * shape.dilations[1];
        // Padding is read like any other value: it holds the zero point.
        if (y < 0 || y >= height || x < 0 || x >= width) return 0;
        return input[(y * width + x) * inputChannels + firstInput + tap.channel] - inputZeroPoint;
      },
      readWeight(k, n) {
        if (k >= window || n >= filters) return undefined;
        weightReads++;
        const weight = (firstOutput + n) * window + taps[k].number;
        weightRead?.(weight);
        return weights[weight];
      },
      weightOf: (word, n) =>
        word === undefined ? undefined : layer.weightOf(word, firstOutput + n),
      bias: (n) => (n < filters ? layer.bias[firstOutput + n] : undefined),
      readPartialSum(m, n) {
        if (m >= positions || n >= filters) return undefined;
        partialSumReads++;
        return readStored(m, n, sums[m * channels + firstOutput + n]);
      },
      write(m, n, sum) {
        if (m >= positions || n >= filters) return;
        outputWrites++;
        sums[m * channels + firstOutput + n] = sum;
      },
    };
  }

  return {
    positions,
    window,
    filters,
    results: () =>
      sums.map((word, place) => {
        const m = Math.floor(place / channels);
        return readStored(m, (place % channels) % filters, word);
      }),
    group,
    counts: () => ({ inputReads, weightReads, outputWrites, partialSumReads }),
  };
}

interface Tap {
  readonly channel: number;
  readonly ky: number;
  readonly kx: number;
  /** Among the weights of a filter. */
  readonly number: number;
}

function windowTaps({ shape, windowOrder }: StoredLayer): Tap[] {
  const [kernelHeight, kernelWidth] = shape.kernel;
  const kernel = kernelHeight * kernelWidth;
  const channels = shape.input.channels / shape.groups;
  return Array.from({ length: channels * kernel }, (_, k) => {
    const channel = windowOrder === 'channel-first' ? Math.floor(k / kernel) : k % channels;
    const place = windowOrder === 'channel-first' ? k % kernel : Math.floor(k / channels);
    return {
      channel,
      ky: Math.floor(place / kernelWidth),
      kx: place % kernelWidth,
      number: channel * kernel + place,
    };
  });
}
