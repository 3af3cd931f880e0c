import type { BackgroundShares } from './fault-model.js';

/**
 * Rate of the background faults of weak lines: what a point states at its rate, linear between two points. Below the
 * first and above the last one the share is theirs. Neither this rate nor what is left of the whole falls as the whole
 * rate rises, so that maps are nested.
 *
 * @param shares points of rising rates
 * @param rate of all faults
 */
export function backgroundRate(shares: BackgroundShares, rate: number): number {
  const above = shares.findIndex((point) => point.rate >= rate);
  if (above === 0) return rate * shares[0].share;
  if (above < 0) return rate * shares[shares.length - 1].share;
  const [low, high] = [shares[above - 1], shares[above]];
  const position = (rate - low.rate) / (high.rate - low.rate);
  const [start, end] = [low.rate * low.share, high.rate * high.share];
  // Rounding must not take it out of the interval.
  return Math.min(end, start + position * (end - start));
}
