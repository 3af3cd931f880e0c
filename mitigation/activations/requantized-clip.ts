import { type Int8ConvolutionSpecification, requantize } from '../../kernels/index.js';
import { arrayLayerNamed, type Int8Network } from '../../models/index.js';
import { int8Specification } from '../../sim/index.js';

const INT32 = { least: -(2 ** 31), largest: 2 ** 31 - 1 } as const;

/**
 * Accumulator thresholds as stored outputs, requantised as the datapath requantises accumulators.
 *
 * @param thresholds one per output channel, or one per neuron in channel, row, column order
 */
export function storedThresholds(
  network: Int8Network,
  layer: string,
  thresholds: readonly number[],
): Uint8Array {
  const specification = int8Specification(network, arrayLayerNamed(network, layer));
  const perChannel = thresholds.length / specification.shape.output.channels;
  return Uint8Array.from(thresholds, (threshold, index) =>
    stored(specification, Math.floor(index / perChannel), threshold),
  );
}

/**
 * The accumulator thresholds whose clip gives what the clip of stored outputs y gives, to the bit. Requantisation
 * never falls as the accumulator grows, so that y > t where the accumulator is above the largest one whose stored
 * output is at most t; and it makes 0 the zero point.
 *
 * @param thresholds stored outputs, as of `storedThresholds`
 */
export function kernelThresholds(
  network: Int8Network,
  layer: string,
  thresholds: Uint8Array,
): Int32Array {
  const specification = int8Specification(network, arrayLayerNamed(network, layer));
  const perChannel = thresholds.length / specification.shape.output.channels;
  const known = new Map<number, number>();
  return Int32Array.from(thresholds, (threshold, index) => {
    const channel = Math.floor(index / perChannel);
    const key = channel * 256 + threshold;
    const found = known.get(key) ?? largestAccumulator(specification, channel, threshold);
    known.set(key, found);
    return found;
  });
}

/** The largest accumulator whose stored output is at most `threshold`; the least one if there is none. */
function largestAccumulator(
  specification: Int8ConvolutionSpecification,
  channel: number,
  threshold: number,
): number {
  let [low, high]: [number, number] = [INT32.least, INT32.largest];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (stored(specification, channel, middle) <= threshold) low = middle;
    else high = middle - 1;
  }
  return low;
}

function stored(
  { multipliers, outputZeroPoint, low, high }: Int8ConvolutionSpecification,
  channel: number,
  accumulator: number,
): number {
  return requantize(accumulator, multipliers[channel], outputZeroPoint, low, high);
}
