import type { FeatureShape } from '../../core/index.js';

/** A place in a tensor of several images. */
export interface Place {
  readonly image: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

/**
 * Values around a place: of a feature map the positions around it in its channel, row by row; of a
 * vector the channels around it, in one row.
 */
export interface Neighbourhood {
  readonly along: 'positions' | 'channels';
  /** What the first row and the first column stand for: y and x, or 0 and the channel. */
  readonly first: readonly [row: number, column: number];
  readonly bitcell: readonly (readonly number[])[];
  readonly onnxruntime: readonly (readonly number[])[];
}

/** One value on which Bitcell and onnxruntime differ. */
export interface Mismatch extends Place {
  readonly layer: string;
  readonly bitcell: number;
  readonly onnxruntime: number;
  readonly neighbours: Neighbourhood;
  /** Whether it is a value of a quantised tensor. */
  readonly isInteger: boolean;
}

/** What the comparison of one tensor found. */
interface TensorComparison {
  values: number;
  differences: number;
  /** Sum and largest of the differences' sizes. */
  sum: number;
  largest: number;
  /** onnxruntime's least and greatest value. */
  low: number;
  high: number;
  /** The first difference. */
  first: Mismatch | undefined;
}

/** What a comparison found, by the tensors' places in the network. */
export type Comparison = Map<number, TensorComparison>;

/** What a comparison amounts to. */
export interface Judgement {
  readonly values: number;
  /** Values that must not differ as they do. */
  readonly mismatches: number;
  /** Values that differ by what the step rule allows. */
  readonly steps: number;
  /** The first mismatch, in network order. */
  readonly first: Mismatch | undefined;
}

/** The step rule: the largest difference, and the mean difference, as shares of the range of values. */
const LARGEST_STEP = 0.02;
const MEAN_STEP = 0.005;

/** Sums in float32 of another order differ by at most this share of the largest value, or of 1 where that is less. */
const CLOSE = 1e-4;

/**
 * How a tensor may differ: not at all; where a sum in float32 lies near a tie of a quantisation behind it; or by what the
 * order of sums in float32 makes.
 */
export type Rule = 'exact' | 'step' | 'close';

/**
 * Judge a comparison: of a tensor that must be equal every difference is a mismatch; of one that may differ by steps
 * all are when they go beyond the step rule (a difference of more than 2 % of its range and of one integer, or a mean of
 * more than 0.5 %), and none otherwise; of float32 numbers all are when one is not close, and none otherwise.
 *
 * @param ruleOf the rule of the tensor at a place in the network
 */
export function judge(
  comparison: Comparison,
  ruleOf: (order: number) => Rule = () => 'exact',
): Judgement {
  let [values, mismatches, steps] = [0, 0, 0];
  let first: Mismatch | undefined;
  for (const [order, tensor] of [...comparison].sort(([one], [other]) => one - other)) {
    values += tensor.values;
    const rule = ruleOf(order);
    if (rule === 'step' && isWithinStep(tensor)) {
      steps += tensor.differences;
    } else if (rule !== 'close' || !isClose(tensor)) {
      mismatches += tensor.differences;
      first ??= tensor.first;
    }
  }
  return { values, mismatches, steps, first };
}

function isWithinStep({ values, sum, largest, low, high, first }: TensorComparison): boolean {
  const range = high - low;
  const oneInteger = first?.isInteger ? 1 : 0;
  return largest <= Math.max(oneInteger, LARGEST_STEP * range) && sum / values <= MEAN_STEP * range;
}

function isClose({ largest, low, high }: TensorComparison): boolean {
  return largest <= CLOSE * Math.max(1, Math.abs(low), Math.abs(high));
}

/** One layer's outputs of some images, as both sides computed them. */
export interface LayerOutputs {
  readonly layer: string;
  /** The layer's place in the network: of two differences the earlier one explains the other. */
  readonly order: number;
  readonly shape: FeatureShape;
  readonly firstImage: number;
  readonly images: number;
  /** image × height × width × channel. */
  readonly ours: Uint8Array | Float32Array;
  /** image × channel × height × width. */
  readonly theirs: Uint8Array | Float32Array;
  /** Whether they are values of a quantised tensor; default: unless they are in a Float32Array. */
  readonly isInteger?: boolean;
  /** The least and the greatest value that a tensor can hold; default: those that onnxruntime gives it. */
  readonly range?: readonly [least: number, greatest: number];
}

/** Compare one layer's outputs to the bit and add the result to `comparison`. */
export function compareLayer(comparison: Comparison, outputs: LayerOutputs): void {
  const { shape, images, ours, theirs, order, range } = outputs;
  const { channels, height, width } = shape;
  const positions = height * width;
  const length = channels * positions;
  const tensor = comparison.get(order) ?? {
    ...{ values: 0, differences: 0, sum: 0, largest: 0, first: undefined },
    low: range?.[0] ?? Number.POSITIVE_INFINITY,
    high: range?.[1] ?? Number.NEGATIVE_INFINITY,
  };
  comparison.set(order, tensor);
  tensor.values += images * length;
  for (let image = 0; image < images; image += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      const theirStart = image * length + channel * positions;
      const ourStart = image * length + channel;
      for (let position = 0; position < positions; position += 1) {
        const their = theirs[theirStart + position];
        const our = ours[ourStart + position * channels];
        if (their < tensor.low) tensor.low = their;
        if (their > tensor.high) tensor.high = their;
        if (our === their || (Number.isNaN(our) && Number.isNaN(their))) continue;
        const difference = Math.abs(our - their);
        tensor.differences += 1;
        tensor.sum += difference;
        // NaN, where one side has one, must not be lost.
        if (!(difference <= tensor.largest)) tensor.largest = difference;
        tensor.first ??= mismatchAt(outputs, {
          image,
          channel,
          y: Math.floor(position / width),
          x: position % width,
        });
      }
    }
  }
}

/** Rows and columns shown on each side of a place. */
const REACH = 2;

/** @param place with the image counted from the first of `outputs` */
function mismatchAt(outputs: LayerOutputs, place: Place): Mismatch {
  const { shape, ours, theirs, layer, firstImage } = outputs;
  const { channels, height, width } = shape;
  const { image, channel, y, x } = place;
  const our = (c: number, row: number, column: number) =>
    ours[((image * height + row) * width + column) * channels + c];
  const their = (c: number, row: number, column: number) =>
    theirs[((image * channels + c) * height + row) * width + column];
  const isVector = height * width === 1;
  const rows = isVector ? [0] : around(y, height);
  const columns = isVector ? around(channel, channels) : around(x, width);
  const values = (read: typeof our) =>
    rows.map((row) =>
      columns.map((column) => (isVector ? read(column, 0, 0) : read(channel, row, column))),
    );
  return {
    ...place,
    image: firstImage + image,
    layer,
    isInteger: outputs.isInteger ?? !(theirs instanceof Float32Array),
    bitcell: our(channel, y, x),
    onnxruntime: their(channel, y, x),
    neighbours: {
      along: isVector ? 'channels' : 'positions',
      first: [rows[0], columns[0]],
      bitcell: values(our),
      onnxruntime: values(their),
    },
  };
}

function around(centre: number, size: number): number[] {
  const first = Math.max(0, centre - REACH);
  const last = Math.min(size - 1, centre + REACH);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
