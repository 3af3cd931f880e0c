import { type ConvolutionShape, windowSize } from '../../../core/index.js';
import { weightBits } from '../../../models/index.js';
import { after, inverting, type WordFunction } from './word-functions.js';

/** What an array reads of the weight memory for a layer, before any register of its own. */
export type ArrayWeights = Int8ArrayWeights | Float32ArrayWeights;

export interface Int8ArrayWeights {
  readonly shape: ConvolutionShape;
  /** Network order: output channel, input channel of the group, ky, kx. */
  readonly weights: Int8Array;
  /** One per output channel. */
  readonly weightZeroPoints: Int32Array;
  /** What exclusive or makes of a byte of `weights` the stored one (`wordMask` of models); 0 by default. */
  readonly wordMask?: number;
}

export interface Float32ArrayWeights {
  readonly shape: ConvolutionShape;
  /** Network order: output channel, input channel of the group, ky, kx. */
  readonly weights: Float32Array;
}

export function isInt8(layer: ArrayWeights): layer is Int8ArrayWeights {
  return layer.weights instanceof Int8Array;
}

/** Bits of a stored weight. */
export function weightWordBits(layer: ArrayWeights): 8 | 32 {
  return isInt8(layer) ? 8 : 32;
}

/**
 * Which weight of a filter, in network order, window position k is: the same for int8 words (input channel, ky, kx), for
 * float32 in the order that defines a sum (ky, kx, input channel).
 */
export function windowOrder(layer: ArrayWeights): Uint32Array {
  const window = windowSize(layer.shape);
  const kernel = layer.shape.kernel[0] * layer.shape.kernel[1];
  const channels = window / kernel;
  return Uint32Array.from({ length: window }, (_, k) =>
    isInt8(layer) ? k : (k % channels) * kernel + Math.floor(k / channels),
  );
}

/** Filters as they take part in products. */
export interface FilterWeights {
  /** Of the layer, ascending. */
  readonly channels: Uint32Array;
  /** Channels × window positions; for int8 with zero points subtracted. */
  readonly weights: Int16Array | Float32Array;
}

/**
 * Filters of a layer as they come through registers, in window order.
 *
 * @param functions of stored words: weights of window position k pass number k mod their count
 * @param changedAlone leaves out the filters of which no weight is changed
 */
export type ReadFilters = (
  channels: Uint32Array,
  functions: readonly WordFunction[],
  changedAlone: boolean,
) => FilterWeights;

export function filterReader(layer: ArrayWeights): ReadFilters {
  return isInt8(layer)
    ? readFilters(layer, int8Filters(layer))
    : readFilters(layer, float32Filters(layer));
}

/** How filters of a format are read. */
interface Filters<Weights extends Int16Array | Float32Array> {
  create(length: number): Weights;
  /** Reads one filter to a place of the target. @returns whether a weight of it is changed */
  read(channel: number, masks: Masks, target: Weights, place: number): boolean;
}

function readFilters<Weights extends Int16Array | Float32Array>(
  layer: ArrayWeights,
  { create, read }: Filters<Weights>,
): ReadFilters {
  const window = windowSize(layer.shape);
  return (channels, functions, changedAlone) => {
    const masks = masksOf(functions, layer);
    const weights = create(channels.length * window);
    const kept = new Uint32Array(channels.length);
    let count = 0;
    for (const channel of channels) {
      kept[count] = channel;
      const isChanged = read(channel, masks, weights, count * window);
      if (isChanged || !changedAlone) count++;
    }
    return count === channels.length
      ? { channels, weights }
      : { channels: kept.slice(0, count), weights: weights.slice(0, count * window) as Weights };
  };
}

/** Functions of weights as the network has them, one entry for each. */
export interface Masks {
  readonly and: Int32Array;
  readonly or: Int32Array;
  readonly xor: Int32Array;
}

/** @param functions of stored words, which differ from weights by the layer's `wordMask` */
export function masksOf(functions: readonly WordFunction[], layer: ArrayWeights): Masks {
  const stored = inverting(isInt8(layer) ? (layer.wordMask ?? 0) : 0);
  const ofWeights = functions.map((ofWords) => after(stored, after(ofWords, stored)));
  return {
    and: Int32Array.from(ofWeights, ({ and }) => and),
    or: Int32Array.from(ofWeights, ({ or }) => or),
    xor: Int32Array.from(ofWeights, ({ xor }) => xor),
  };
}

function int8Filters({ shape, weights, weightZeroPoints }: Int8ArrayWeights): Filters<Int16Array> {
  const window = windowSize(shape);
  return {
    create: (length) => new Int16Array(length),
    read(channel, { and, or, xor }, target, place) {
      const zeroPoint = weightZeroPoints[channel];
      const first = channel * window;
      let changes = 0;
      for (let k = 0, register = 0; k < window; k++) {
        const weight = weights[first + k];
        const read = ((weight & and[register]) | or[register]) ^ xor[register];
        changes |= read ^ weight;
        target[place + k] = ((read << 24) >> 24) - zeroPoint;
        if (++register === and.length) register = 0;
      }
      return changes !== 0;
    },
  };
}

function float32Filters(layer: Float32ArrayWeights): Filters<Float32Array> {
  const order = windowOrder(layer);
  const words = weightBits(layer.weights);
  return {
    create: (length) => new Float32Array(length),
    read(channel, { and, or, xor }, target, place) {
      // As bits, because a number need not keep the payload of a NaN.
      const bits = new Int32Array(target.buffer, place * 4, order.length);
      const first = channel * order.length;
      let changes = 0;
      for (let k = 0, register = 0; k < order.length; k++) {
        const word = words[first + order[k]] | 0;
        const read = ((word & and[register]) | or[register]) ^ xor[register];
        changes |= read ^ word;
        bits[k] = read;
        if (++register === and.length) register = 0;
      }
      return changes !== 0;
    },
  };
}
