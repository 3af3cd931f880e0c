/** A two-sided confidence interval around an estimate. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** An estimate with its interval. */
export interface Estimate extends Interval {
  readonly mean: number;
}
