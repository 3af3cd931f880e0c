import { type FeatureShape, featureCount } from '../../core/index.js';
import { elementArray, type IslandLayer, type Quantization } from '../../models/index.js';
import type { BoundTensor } from './binding.js';
import { writeElements } from './elements.js';

/** A tensor of a network that an island takes. */
export interface FeedSource {
  /** Images one behind the other; of constants the values alone. */
  readonly values: Uint8Array | Float32Array;
  readonly shape: FeatureShape;
  /** Of a tensor of uint8 words. */
  readonly quantization?: Quantization | undefined;
  /** Whether all images have the same values, which stand there once. */
  readonly constant: boolean;
}

/** What an island takes from a tensor, as onnxruntime takes it. */
export interface BoundFeed {
  readonly tensor: BoundTensor;
  /** Put the values of an image into the tensor. */
  load(image: number): void;
}

/** A feed in memory that onnxruntime reads: it takes neither that of WebAssembly nor memory that threads share. */
export function bindFeed(feed: IslandLayer['feeds'][number], source: FeedSource): BoundFeed {
  const { elementType, dims, layout } = feed;
  const { values, shape, constant } = source;
  const length = featureCount(shape);
  const data = elementArray(elementType, length);
  // float32 is what most feeds are, and needs no second array.
  const numbers = data instanceof Float32Array ? data : new Float32Array(length);
  // By the value's own dimensions: its tensor may have been made for others of as many elements.
  const positions =
    layout === 'channels-last' ? dims.slice(2).reduce((product, size) => product * size, 1) : 1;
  const read =
    values instanceof Uint8Array
      ? readByTable(wordNumbers(source, elementType), values)
      : readFloat32(values);
  return {
    tensor: { type: elementType, dims, data, location: 'cpu' },
    load(image) {
      read(constant ? 0 : image * length, positions, length / positions, numbers);
      if (data !== numbers) writeElements(numbers, elementType, data);
    },
  };
}

/** Reads positions × channels values from a place on into channels × positions numbers. */
type Read = (start: number, positions: number, channels: number, to: Float32Array) => void;

function readFloat32(values: Float32Array): Read {
  return (start, positions, channels, to) => {
    if (positions === 1 || channels === 1) {
      to.set(values.subarray(start, start + positions * channels));
      return;
    }
    for (let channel = 0; channel < channels; channel += 1) {
      const first = channel * positions;
      let from = start + channel;
      for (let position = 0; position < positions; position += 1) {
        to[first + position] = values[from];
        from += channels;
      }
    }
  };
}

function readByTable(table: Float32Array, words: Uint8Array): Read {
  return (start, positions, channels, to) => {
    for (let channel = 0; channel < channels; channel += 1) {
      const first = channel * positions;
      let from = start + channel;
      for (let position = 0; position < positions; position += 1) {
        to[first + position] = table[words[from]];
        from += channels;
      }
    }
  };
}

/** What each of the 256 words of a quantised tensor is to onnxruntime: its integer as files have it, or its number. */
function wordNumbers({ quantization }: FeedSource, elementType: string): Float32Array {
  const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 };
  const isWord = elementType === 'uint8' || elementType === 'int8';
  const offset = elementType === 'int8' ? 128 : 0;
  return Float32Array.from({ length: 256 }, (_, word) =>
    isWord ? word - offset : scale * (word - zeroPoint),
  );
}
