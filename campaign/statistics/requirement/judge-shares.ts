import { checkConfidence, checkCount, checkPositive } from '../arguments.js';
import type { Interval } from '../interval.js';
import { clopperPearson } from '../proportion.js';
import { regularizedBeta } from '../special-functions.js';
import { leastTimes } from './least-times.js';

/** Independent trials, such as the maps of a point, and how many of them succeeded. */
export interface ShareCounts {
  readonly successes: number;
  readonly trials: number;
}

/** `met`: the share is at least the wanted one; `failed`: it is below; both against chance. */
export type RequirementVerdict = 'met' | 'failed' | 'undecided';

/** A share, judged among others. */
export interface JudgedShare extends Interval {
  readonly share: number;
  readonly verdict: RequirementVerdict;
  /** About how many more trials would decide, if they come out as these did; undefined: decided, or no number would. */
  readonly moreTrials: number | undefined;
}

/** Beyond these many trials no number is given. */
const MOST_TRIALS = 1e7;

/**
 * Judge for each of some shares whether it is at least `wanted`. What is said of all of them together is right with at
 * least `confidence`, however they depend on one another: no share below `wanted` is called `met`, none of at least
 * `wanted` `failed`, and all lie between their bounds.
 *
 * Each direction has half of what may go wrong. In it the exact binomial tests are taken through Holm's step-down
 * procedure. A bound that goes with it is Clopper and Pearson's at the level of the step at which the procedure ended;
 * a share beyond `wanted` is bounded by `wanted` itself, as long as there is one that is not (docs/statistics.md).
 *
 * @param shares of at least one trial each
 * @param wanted above 0, at most 1
 * @throws RangeError for others
 */
export function judgeShares(
  shares: readonly ShareCounts[],
  wanted: number,
  confidence = 0.95,
): JudgedShare[] {
  checkPositive('wanted', wanted, 1);
  checkConfidence(confidence);
  for (const { successes, trials } of shares) {
    checkCount('trials', trials, 1);
    checkCount('successes', successes, 0, trials);
  }
  const tail = (1 - confidence) / 2;
  const above = stepDown(shares, wanted, tail);
  const below = stepDown(shares.map(failuresOf), 1 - wanted, tail);
  return shares.map((counts, at) => {
    const share = counts.successes / counts.trials;
    const verdict = above.isBeyond[at] ? 'met' : below.isBeyond[at] ? 'failed' : 'undecided';
    const more =
      share > wanted
        ? moreTrials(counts, wanted, above.level)
        : moreTrials(failuresOf(counts), 1 - wanted, below.level);
    return {
      share,
      low: above.bounds[at],
      high: 1 - below.bounds[at],
      verdict,
      moreTrials: verdict === 'undecided' ? more : undefined,
    };
  });
}

function failuresOf({ successes, trials }: ShareCounts): ShareCounts {
  return { successes: trials - successes, trials };
}

/** Shares that are beyond a limit, and lower bounds that go with that. */
interface StepDown {
  readonly isBeyond: readonly boolean[];
  readonly bounds: readonly number[];
  /** What a further share would be tested at. */
  readonly level: number;
}

/** Holm's procedure on the hypotheses that shares are at most `limit`, with Clopper and Pearson's bounds. */
function stepDown(shares: readonly ShareCounts[], limit: number, tail: number): StepDown {
  const tests = shares
    .map((counts, at) => ({ at, chance: atLeast(counts, limit) }))
    .sort((one, other) => one.chance - other.chance);
  const end = tests.findIndex(({ chance }, step) => chance > tail / (tests.length - step));
  const rejected = end === -1 ? tests : tests.slice(0, end);
  const beyond = new Set(rejected.map(({ at }) => at));
  const left = tests.length - rejected.length;
  const level = tail / (left === 0 ? tests.length : left);
  const bounds = shares.map(({ successes, trials }, at) => {
    const { low } = clopperPearson(successes, trials, 1 - 2 * level);
    if (!beyond.has(at)) return Math.min(low, limit);
    return left === 0 ? Math.max(low, limit) : limit;
  });
  return { isBeyond: shares.map((_, at) => beyond.has(at)), bounds, level };
}

/** The chance of so many successes or more of a share; numbers that are not whole are taken as they are. */
function atLeast({ successes, trials }: ShareCounts, share: number): number {
  return successes === 0 ? 1 : regularizedBeta(share, successes, trials - successes + 1);
}

function moreTrials(counts: ShareCounts, limit: number, level: number): number | undefined {
  const { successes, trials } = counts;
  if (successes <= limit * trials) return undefined;
  const isEnough = (times: number) =>
    atLeast({ successes: times * successes, trials: times * trials }, limit) <= level;
  const times = leastTimes(isEnough, MOST_TRIALS / trials);
  return times === undefined ? undefined : Math.max(1, Math.ceil((times - 1) * trials));
}
