import { chiSquareTail } from './chi-square.js';

/** Whether faults lie on banks, rows or columns as evenly as chance would put them. */
export interface Dispersion {
  /** Number of lines, those without faults included. */
  readonly lines: number;
  /** Mean number of faults of a line. */
  readonly mean: number;
  /**
   * Variance of the counts over the variance of uniform faults: 1 is chance, more is clustered. For low
   * rates it is the variance-to-mean ratio.
   */
  readonly index: number;
  /** index · degreesOfFreedom; for uniform faults about chi-square distributed. */
  readonly chiSquare: number;
  readonly degreesOfFreedom: number;
  /** Probability that uniform faults give this chi-square or more. */
  readonly pValue: number;
}

/**
 * Fisher's index of dispersion test, T = (n − 1) · variance / mean against chi-square, of the
 * faults of lines with equally many cells. With N faults among T cells on n lines the counts x of uniform
 * maps (drawn without replacement) have the variance N/n · (1 − 1/n) · (T − N)/(T − 1), so
 * Σ(x − N/n)² / (N/n · (T − N)/(T − 1)) has the mean n − 1 exactly. Its distribution is chi-square in the
 * limit of many faults; with fewer than about ten in all the p-value is rough.
 *
 * @param counts Faults of the lines that have any.
 * @returns undefined where nothing can be tested: one line, no fault, or every cell faulty.
 */
export function dispersionOf(
  counts: readonly number[],
  lines: number,
  cells: number,
): Dispersion | undefined {
  const faults = counts.reduce((sum, count) => sum + count, 0);
  if (lines < 2 || faults === 0 || faults === cells) return undefined;
  const mean = faults / lines;
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  const deviation = squares + (lines - counts.length) * mean ** 2;
  const chiSquare = deviation / (mean * ((cells - faults) / (cells - 1)));
  const degreesOfFreedom = lines - 1;
  return {
    lines,
    mean,
    index: chiSquare / degreesOfFreedom,
    chiSquare,
    degreesOfFreedom,
    pValue: chiSquareTail(chiSquare, degreesOfFreedom),
  };
}
