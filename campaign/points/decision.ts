import {
  type Comparison,
  type Estimate,
  judgeShares,
  type RequirementVerdict,
  tellApart,
} from '../statistics/index.js';
import type { Requirement } from '../study/study.js';
import { type PointYield, pointYield, type YieldCounts } from './point.js';

/** What goes wrong with all that is said of the candidates of a decision together, at most. */
export const DOUBT = 0.05;

/** What a mitigation takes, in the unit that was asked for. */
export interface CandidatePrice {
  /** Null: not given. */
  readonly price: number | null;
  /** Why a price is not given. */
  readonly notGiven: readonly string[];
}

/** A mitigation to choose from, with what the maps of a condition counted under it. */
export interface CandidateCounts extends YieldCounts, CandidatePrice {
  readonly mitigation: string;
  /** Of each map. */
  readonly images: number;
}

/** A mitigation, judged beside the others. */
export interface Candidate extends CandidatePrice {
  readonly mitigation: string;
  readonly verdict: RequirementVerdict;
  readonly maps: number;
  /** Images of each map. */
  readonly images: number;
  /** Share of the maps that lose at most `within`, with bounds that hold for all candidates together. */
  readonly yield: PointYield;
  /** Mean loss of accuracy on the same images, with an interval that holds for all candidates together. */
  readonly drop: Estimate;
  /** About how many more maps would decide; null: decided, or no number would. */
  readonly moreMaps: number | null;
  /** Its accuracy less that of the mitigation that is named, on the same maps and images; missing for that one. */
  readonly comparison?: Omit<Comparison, 'moreMaps'> & { readonly moreMaps: number | null };
}

/** The least price that meets a requirement in one condition. */
export interface Decision {
  /** Loss of a good map, a fraction. */
  readonly within: number;
  /** Share of the maps that have to be good. */
  readonly yield: number;
  /**
   * `met`: no given price below the one that is named can meet it; `none`: no candidate meets it; `undecided`: one with
   * a lower price might, or all that might have no price.
   */
  readonly verdict: 'met' | 'none' | 'undecided';
  /** The mitigation with the least price of those that meet the requirement; of several the one that loses least. */
  readonly mitigation: string | null;
  readonly price: number | null;
  /** In the order of their prices, those without one last. */
  readonly candidates: readonly Candidate[];
}

/**
 * Name the mitigation with the least price that meets a requirement.
 *
 * @param candidates of one condition, at least one, each with at least one map; all have maps 0, 1, … of the same images
 */
export function decideCheapest(
  candidates: readonly CandidateCounts[],
  requirement: Requirement,
): Decision {
  const ordered = candidates.toSorted(
    // Two without a price stay in their order: NaN of Infinity − Infinity counts as 0.
    (one, other) => (one.price ?? Infinity) - (other.price ?? Infinity) || 0,
  );
  const judged = judgeCandidates(ordered, requirement);
  const priced = judged.flatMap(({ price, ...rest }) =>
    price === null ? [] : [{ price, ...rest }],
  );
  const meeting = priced.filter(({ verdict }) => verdict === 'met');
  const least = Math.min(...meeting.map(({ price }) => price));
  const [named] = meeting
    .filter(({ price }) => price === least)
    .toSorted((one, other) => one.drop.mean - other.drop.mean);
  const mayBeCheaper = priced.some(
    ({ price, verdict }) => verdict === 'undecided' && price < least,
  );
  const mayMeet = judged.some(({ verdict }) => verdict !== 'failed');
  return {
    within: requirement.within / 100,
    yield: requirement.yield,
    verdict: named && !mayBeCheaper ? 'met' : mayMeet ? 'undecided' : 'none',
    mitigation: named?.mitigation ?? null,
    price: named?.price ?? null,
    candidates: named ? compared(judged, ordered, named.mitigation) : judged,
  };
}

function judgeCandidates(
  candidates: readonly CandidateCounts[],
  requirement: Requirement,
): Candidate[] {
  const within = requirement.within / 100;
  const yields = candidates.map((counts) => pointYield(counts, within));
  const shares = candidates.map(({ correct }, at) => ({
    successes: Math.round(yields[at].share * correct.length),
    trials: correct.length,
  }));
  const judged = judgeShares(shares, requirement.yield, 1 - DOUBT);
  return candidates.map(({ mitigation, price, notGiven, images, correct, cleanCorrect }, at) => {
    const { low, high, verdict, moreTrials } = judged[at];
    const confidence = 1 - DOUBT / candidates.length;
    const drop = tellApart(cleanCorrect, correct, images, confidence);
    return {
      ...{ mitigation, price, notGiven, verdict, maps: correct.length, images },
      yield: { ...yields[at], low, high },
      drop: { mean: drop.mean, low: drop.low, high: drop.high },
      moreMaps: moreTrials ?? null,
    };
  });
}

/** Which one is named depends on the maps, so the differences of all pairs hold together. */
function compared(
  judged: readonly Candidate[],
  counts: readonly CandidateCounts[],
  named: string,
): Candidate[] {
  const pairs = (counts.length * (counts.length - 1)) / 2;
  const reference = counts[counts.findIndex(({ mitigation }) => mitigation === named)];
  return judged.map((candidate, at) => {
    if (candidate.mitigation === named) return candidate;
    const [correct, ofReference] = commonMaps(counts[at], reference);
    const { moreMaps, ...difference } = tellApart(
      correct,
      ofReference,
      reference.images,
      1 - DOUBT / pairs,
    );
    return { ...candidate, comparison: { ...difference, moreMaps: moreMaps ?? null } };
  });
}

/** Right images of two mitigations on the maps that both have: a stopping rule may end one of them earlier. */
export function commonMaps(
  one: CandidateCounts,
  other: CandidateCounts,
): [readonly number[], readonly number[]] {
  const maps = Math.min(one.correct.length, other.correct.length);
  return [one.correct.slice(0, maps), other.correct.slice(0, maps)];
}
