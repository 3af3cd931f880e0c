import { type Estimate, type Interval, pairedDifference } from '../statistics/index.js';
import { type Candidate, type CandidateCounts, commonMaps, DOUBT } from './decision.js';

/** A mitigation between what it takes and what it loses, beside the others of its condition. */
export interface FrontMember {
  readonly mitigation: string;
  /** Null: not given. */
  readonly price: number | null;
  /** Mean loss of accuracy on the same images, with an interval that holds for all candidates together. */
  readonly drop: Estimate;
  /** Share of good maps, with bounds that hold for all candidates together. */
  readonly yield: Interval & { readonly share: number };
  /** Whether no other one beats it: by one of price and mean loss, and not beaten in the other. Null without a price. */
  readonly isOnFront: boolean | null;
  /**
   * Whether that is told from chance: of one on the front, that each other one for at most its price loses more; else,
   * that one of them loses less. Null without a price.
   */
  readonly toldApart: boolean | null;
}

/**
 * The Pareto front of price and mean loss of accuracy. Of several with one price and one loss none beats another.
 *
 * @param candidates of a decision
 * @param counts of the same mitigations
 */
export function paretoFront(
  candidates: readonly Candidate[],
  counts: readonly CandidateCounts[],
): FrontMember[] {
  const countsOf = new Map(counts.map((one) => [one.mitigation, one]));
  return candidates.map((candidate) => {
    const { mitigation, price, drop } = candidate;
    const { share, low, high } = candidate.yield;
    const own = { mitigation, price, drop, yield: { share, low, high } };
    if (price === null) return { ...own, isOnFront: null, toldApart: null };
    const others = candidates.filter(
      (other) => other !== candidate && other.price !== null && other.price <= price,
    );
    const isOnFront = !others.some((other) => beats(other, candidate));
    const lead = (other: Candidate) =>
      leadOf(countsOf.get(mitigation), countsOf.get(other.mitigation), candidates.length);
    return {
      ...own,
      isOnFront,
      toldApart: isOnFront
        ? others.every((other) => lead(other).low > 0)
        : others.some((other) => lead(other).high < 0),
    };
  });
}

/** @param other for at most the price of `one` */
function beats(other: Candidate, one: Candidate): boolean {
  return (
    other.drop.mean < one.drop.mean ||
    (other.drop.mean === one.drop.mean && other.price !== one.price)
  );
}

/** How much more accurate one is than another; the intervals of all pairs hold together. */
function leadOf(
  one: CandidateCounts | undefined,
  other: CandidateCounts | undefined,
  candidates: number,
): Interval {
  if (!one || !other) throw new Error('no counts of a candidate');
  const pairs = (candidates * (candidates - 1)) / 2;
  const [first, second] = commonMaps(one, other);
  return pairedDifference(first, second, one.images, 1 - DOUBT / pairs);
}
