/** When the interval search of one layer stops. */
export interface IntervalSearchLimits {
  /** δ: a round that moves the best score by less than this is the last … */
  readonly smallestGain: number;
  /** M: … but not before this round, counted from 1. */
  readonly leastRounds: number;
  /** N: no search has more rounds. */
  readonly mostRounds: number;
}

/** A threshold and what it was worth. */
export interface ScoredThreshold {
  readonly threshold: number;
  readonly score: number;
}

export interface IntervalSearchResult {
  readonly best: ScoredThreshold;
  /** The largest activation, where the search began, and its score. */
  readonly largest: ScoredThreshold;
  /** The intervals searched, one a round. */
  readonly intervals: readonly (readonly [low: number, high: number])[];
  /** All that were scored, in the order of asking. */
  readonly scored: readonly ScoredThreshold[];
}

/**
 * FT-ClipAct's search for the clip threshold of one layer (Hoang, Hanif and Shafique, DATE 2020; details from two
 * public re-implementations): the interval S, at first [0, largest activation], is cut in thirds T1 … T4; the one
 * with the best score narrows S to its neighbours ([T1, T2], [T1, T3], [T2, T4] or [T3, T4]); of equal scores the
 * larger threshold wins. The result is the best of all rounds, and so never worse than the largest activation.
 *
 * @param largest the largest activation seen, above 0
 * @param score the scores of thresholds (ascending), the higher the better; never asked twice about one
 */
export async function searchInterval(
  largest: number,
  score: (thresholds: readonly number[]) => Promise<readonly number[]>,
  { smallestGain, leastRounds, mostRounds }: IntervalSearchLimits,
): Promise<IntervalSearchResult> {
  const known = new Map<number, number>();
  const intervals: [number, number][] = [];
  let [low, high] = [0, largest];
  let best: ScoredThreshold | undefined;
  for (let round = 1; round <= mostRounds; round += 1) {
    const thresholds = thirds(low, high);
    intervals.push([low, high]);
    const unknown = [...new Set(thresholds)].filter((threshold) => !known.has(threshold));
    const scores = unknown.length > 0 ? await score(unknown) : [];
    for (const [index, threshold] of unknown.entries()) known.set(threshold, scores[index]);
    const found = bestOf(thresholds, known);
    const gain = best === undefined ? Number.POSITIVE_INFINITY : Math.abs(found.score - best.score);
    best = best === undefined ? found : better(best, found);
    if (round >= leastRounds && gain < smallestGain) break;
    const place = thresholds.indexOf(found.threshold);
    low = thresholds[Math.max(0, place - 1)];
    high = thresholds[Math.min(thresholds.length - 1, place + 1)];
  }
  if (best === undefined) throw new RangeError('a search needs at least one round');
  const scored = [...known].map(([threshold, value]) => ({ threshold, score: value }));
  return {
    best,
    largest: { threshold: largest, score: scoreOf(known, largest) },
    intervals,
    scored,
  };
}

/** Four equally spaced thresholds; the last is `high` itself. */
function thirds(low: number, high: number): number[] {
  const width = high - low;
  return [low, low + width / 3, low + (2 * width) / 3, high];
}

function bestOf(
  thresholds: readonly number[],
  scores: ReadonlyMap<number, number>,
): ScoredThreshold {
  return thresholds
    .map((threshold) => ({ threshold, score: scoreOf(scores, threshold) }))
    .reduce(better);
}

/** The one with the higher score; of equal scores the larger threshold. */
function better(one: ScoredThreshold, other: ScoredThreshold): ScoredThreshold {
  if (one.score !== other.score) return one.score > other.score ? one : other;
  return one.threshold > other.threshold ? one : other;
}

function scoreOf(scores: ReadonlyMap<number, number>, threshold: number): number {
  const score = scores.get(threshold);
  if (score === undefined || Number.isNaN(score)) {
    throw new RangeError(`the threshold ${threshold} has no score`);
  }
  return score;
}
