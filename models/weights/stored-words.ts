import type { Int8WeightedLayer, WeightedLayer } from '../network.js';

/**
 * What exclusive or makes of a byte of `weights` the word in ONNX files and in the weight memory, and back: uint8
 * weights are computed with as int8, 128 less, which inverts the highest bit.
 */
export function wordMask(layer: WeightedLayer): 0 | 0x80 {
  return 'unsignedWeights' in layer && layer.unsignedWeights ? 0x80 : 0;
}

/** The words of a layer's weights in network order: bytes, or IEEE 754 bits. In the same memory, unless uint8. */
export function layerWords(layer: WeightedLayer): Uint8Array | Uint32Array {
  const words = weightBits(layer.weights);
  const mask = wordMask(layer);
  return mask === 0 ? words : words.map((word) => word ^ mask);
}

/** The bits of weights as a kernel takes them, in the same memory. */
export function weightBits(weights: WeightedLayer['weights']): Uint8Array | Uint32Array {
  const { buffer, byteOffset, length } = weights;
  return weights instanceof Int8Array
    ? new Uint8Array(buffer, byteOffset, length)
    : new Uint32Array(buffer, byteOffset, length);
}

/** The number that a word stands for as ONNX files have it: −128…127, 0…255 or a real number. */
export function wordReader(layer: WeightedLayer): (word: number) => number {
  if (isInt8(layer)) return layer.unsignedWeights ? (word) => word : (word) => (word << 24) >> 24;
  const bits = new Uint32Array(1);
  const value = new Float32Array(bits.buffer);
  return (word) => {
    bits[0] = word;
    return value[0];
  };
}

function isInt8(layer: WeightedLayer): layer is Int8WeightedLayer {
  return layer.weights instanceof Int8Array;
}
