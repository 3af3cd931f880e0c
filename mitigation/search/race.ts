/** When a race is decided. */
export interface RaceLimits {
  /** Maps before the first look. */
  readonly leastMaps: number;
  /** A race ends here at the latest. */
  readonly mostMaps: number;
  /** δ: a challenger that is not better than the incumbent by this much of the area is not worth its place. */
  readonly smallestGain: number;
  /** A mean difference is certain where it is more than so many of its standard errors away. */
  readonly standardErrors: number;
}

export interface RaceResult {
  /** Number of the candidate that won. */
  readonly winner: number;
  /** What each candidate scored on maps 0, 1, …; one that dropped out has fewer. */
  readonly scores: readonly (readonly number[])[];
  /** Maps of those that stayed to the end. */
  readonly maps: number;
}

/** Each look comes after so many times the maps of the last one. */
const LOOK_GROWTH = 1.5;

/**
 * A race of candidates against an incumbent (candidate 0) on the same maps and images: all run on a few maps, and only
 * those go on of which it is not certain yet that they are no better. A challenger drops out when its mean difference
 * to the incumbent is certainly below `smallestGain`, or certainly below that of the challenger that leads. It wins
 * only when it is certainly better than the incumbent; when the maps are used up and none is, the incumbent stays.
 * Racing by paired differences: O. Maron and A. W. Moore, "Hoeffding races", NIPS 1993; M. Birattari et al.,
 * "A racing algorithm for configuring metaheuristics", GECCO 2002.
 *
 * @param candidates how many, the incumbent included
 * @param score the scores of these candidates on maps 0 … maps − 1, the higher the better
 */
export async function race(
  candidates: number,
  score: (racing: readonly number[], maps: number) => Promise<readonly (readonly number[])[]>,
  { leastMaps, mostMaps, smallestGain, standardErrors }: RaceLimits,
): Promise<RaceResult> {
  const scores: (readonly number[])[] = [];
  let racing = Array.from({ length: candidates }, (_, candidate) => candidate);
  let maps = Math.min(leastMaps, mostMaps);
  const compare = (one: number, other: number) =>
    boundsOfDifference(scores[one], scores[other], standardErrors);
  for (;;) {
    const found = await score(racing, maps);
    for (const [index, candidate] of racing.entries()) scores[candidate] = found[index];
    const leader = racing.reduce((best, one) => (compare(one, best).mean > 0 ? one : best));
    racing = racing.filter(
      (one) =>
        one === 0 ||
        (compare(one, 0).high >= smallestGain && (one === leader || compare(one, leader).high > 0)),
    );
    const [, ...challengers] = racing;
    const winning = challengers.filter((one) => compare(one, 0).low > 0);
    const decided = challengers.length === 0 || (challengers.length === 1 && winning.length === 1);
    if (decided || maps >= mostMaps) {
      const winner = winning.reduce((best, one) => (compare(one, best).mean > 0 ? one : best), 0);
      return { winner, scores, maps };
    }
    maps = Math.min(mostMaps, Math.ceil(maps * LOOK_GROWTH));
  }
}

/** Mean of the paired differences, and where it lies within some standard errors. */
function boundsOfDifference(
  one: readonly number[],
  other: readonly number[],
  standardErrors: number,
): { readonly mean: number; readonly low: number; readonly high: number } {
  const count = Math.min(one.length, other.length);
  const differences = Array.from({ length: count }, (_, map) => one[map] - other[map]);
  const mean = differences.reduce((sum, value) => sum + value, 0) / count;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const margin =
    count < 2
      ? Number.POSITIVE_INFINITY
      : standardErrors * Math.sqrt(squares / (count - 1) / count);
  return { mean, low: mean - margin, high: mean + margin };
}
