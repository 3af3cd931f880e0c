import { InputError, ModelError } from '../../core/index.js';
import type { Float32Network } from '../network.js';
import type { ActivationRange } from './affine.js';
import { createHistogram, type Histogram } from './histogram.js';
import { leastSquaresRange } from './range-search.js';

export const CALIBRATION_METHODS = ['min-max', 'percentile', 'mse'] as const;

export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

export interface CalibrationOptions {
  /**
   * `min-max`: from the smallest to the largest value seen. `percentile`: so that at most
   * (100 − percentile) % of the values seen lie below and as many above. `mse`: so that the squared
   * error of clipping and rounding the values seen is small (`leastSquaresRange`).
   */
  readonly method: CalibrationMethod;
  /** In percent, above 50 and up to 100; only for `percentile`. Default 99.99. */
  readonly percentile?: number | undefined;
}

/** Collects activation values of a float32 network in bounded memory. */
export interface Calibration {
  /** Take in values of a tensor, in any order and any number of calls. */
  observe(tensor: number, values: Float32Array): void;
  /** The range of each tensor of the network, by index; [0, 0] of those that are not observed. */
  ranges(): ActivationRange[];
}

/**
 * Start to collect activation ranges. `percentile` and `mse` count values in a histogram. Ranges of
 * `percentile` end at bin edges (up to 1/4096 of the largest magnitude wider than exact percentiles) but
 * never beyond the values seen.
 *
 * @param wanted indices of the tensors to observe; default: all
 * @throws InputError when the method is unknown or the percentile out of range
 */
export function createCalibration(
  network: Float32Network,
  options: CalibrationOptions,
  wanted?: ReadonlySet<number>,
): Calibration {
  const { method, percentile = 99.99 } = options;
  if (!CALIBRATION_METHODS.includes(method)) {
    throw new InputError(
      `There is no calibration "${method}"; choose ${CALIBRATION_METHODS.join(', ')}`,
    );
  }
  if (!(percentile > 50 && percentile <= 100)) {
    throw new InputError(`The percentile ${percentile} is not above 50 and at most 100`);
  }
  const statistics = network.tensors.map(() => createStatistics(method));

  return {
    observe(tensor, values) {
      if (wanted && !wanted.has(tensor)) return;
      const place = `${network.name}: tensor "${network.tensors[tensor].name}"`;
      const { extremes, histogram } = statistics[tensor];
      for (const value of values) {
        if (!Number.isFinite(value)) {
          throw new ModelError(`${place} takes the value ${value}, which cannot be quantised`);
        }
        if (value < extremes.low) extremes.low = value;
        if (value > extremes.high) extremes.high = value;
        histogram?.add(value);
      }
      extremes.count += values.length;
    },
    ranges() {
      return statistics.map(({ extremes, histogram }, tensor) => {
        if (wanted && !wanted.has(tensor)) return { low: 0, high: 0 };
        const { low, high, count } = extremes;
        if (count === 0) {
          const { name } = network.tensors[tensor];
          throw new InputError(`${network.name}: no values of tensor "${name}" were observed`);
        }
        if (!histogram) return { low, high };
        if (method === 'mse') return leastSquaresRange(histogram.bins(), { low, high });
        // A share of `percentile` must lie on the inner side of each end.
        const inside = Math.ceil((count * percentile) / 100);
        return {
          low: Math.max(low, histogram.edgeWithAbove(inside)),
          high: Math.min(high, histogram.edgeWithBelow(inside)),
        };
      });
    },
  };
}

interface Statistics {
  readonly extremes: { low: number; high: number; count: number };
  readonly histogram: Histogram | undefined;
}

function createStatistics(method: CalibrationMethod): Statistics {
  return {
    extremes: { low: Infinity, high: -Infinity, count: 0 },
    histogram: method === 'min-max' ? undefined : createHistogram(),
  };
}
