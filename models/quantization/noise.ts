import type { Float32WeightedLayer, Int8WeightedLayer, Quantization } from '../network.js';

/** Energies of a signal and of its quantisation noise. */
export interface SignalAndNoise {
  /** Σ x² */
  readonly signal: number;
  /** Σ (x − x̂)² */
  readonly noise: number;
}

/** Adds up energies over any number of calls; sums are float64. */
export interface NoiseMeter {
  add(real: Float32Array, quantized: Uint8Array, quantization: Quantization): void;
  /** The same of a tensor that holds float32 numbers in both networks. */
  addReal(real: Float32Array, found: Float32Array): void;
  total(): SignalAndNoise;
}

export function createNoiseMeter(): NoiseMeter {
  let signal = 0;
  let noise = 0;
  return {
    add(real, quantized, { scale, zeroPoint }) {
      for (const [index, value] of real.entries()) {
        signal += value * value;
        noise += (value - scale * (quantized[index] - zeroPoint)) ** 2;
      }
    },
    addReal(real, found) {
      for (const [index, value] of real.entries()) {
        signal += value * value;
        noise += (value - found[index]) ** 2;
      }
    },
    total: () => ({ signal, noise }),
  };
}

/** Energies of a layer's weights and of their quantisation noise. */
export function weightNoise(
  { weights: real }: Float32WeightedLayer,
  { weights, scales, zeroPoints }: Int8WeightedLayer,
): SignalAndNoise {
  const window = real.length / scales.length;
  let signal = 0;
  let noise = 0;
  for (const [channel, scale] of scales.entries()) {
    for (let index = channel * window; index < (channel + 1) * window; index += 1) {
      signal += real[index] * real[index];
      noise += (real[index] - scale * (weights[index] - zeroPoints[channel])) ** 2;
    }
  }
  return { signal, noise };
}

/** Signal-to-quantisation-noise ratio in dB, 10·log10(signal / noise); infinite without noise. */
export function signalToNoise({ signal, noise }: SignalAndNoise): number {
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}
