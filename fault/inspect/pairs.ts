import { chiSquareTail } from './chi-square.js';
import { pairMoments, type UniformFaults } from './pair-moments.js';

/** Additions that an exact probability may take: about 0.1 s. */
const WORK = 1e8;

/** A bound by an exact probability counts where it is so far out, in standard deviations. */
const FAR = 20;

/** Of less skewness gamma and normal distribution do not differ. */
const LEAST_SKEWNESS = 3e-4;

/** Pairs of faults on one line that `counts` faults of lines make: Σ c(c − 1)/2. */
export function pairsOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + choose2(count), 0);
}

/**
 * Probability that uniform faults make at least `pairs` pairs on one line, Σ c(c − 1)/2 over the counts c of the lines,
 * which are multivariate hypergeometric. It is exact to rounding where that takes at most WORK additions:
 *
 * - two lines: a sum of hypergeometric probabilities;
 * - at most one fault a line on average: `tailOfFewFaults`;
 * - more: `tailOfManyFaults`, line after line.
 *
 * Beyond that, a count that lies FAR above the mean has the exact probability of a smaller one as an upper bound; else
 * (a thousand expected pairs and more, or hundreds of faults a line) the distribution is taken for a gamma distribution
 * of the same mean, variance and third moment (Pearson's type III), which `pairMoments` gives exactly.
 */
export function pairsTail(pairs: number, uniform: UniformFaults): number {
  const { faults, lines } = uniform;
  if (pairs <= fewestPairs(uniform)) return 1;
  if (lines === 2 && faults <= WORK / 100) return tailOfTwoLines(pairs, uniform);
  const exactTail = faults <= lines ? tailOfFewFaults : tailOfManyFaults;
  // A line of c faults makes about c²/2 pairs, so up to √(2·pairs) counts come into question.
  const sums = faults * (faults <= lines ? 1 : lines);
  const affordable = Math.floor((WORK / (sums * Math.SQRT2)) ** (2 / 3));
  if (pairs <= affordable) return exactTail(pairs, uniform);
  const { mean, deviation, skewness } = pairMoments(uniform);
  if (affordable > mean + FAR * deviation) return exactTail(affordable, uniform);
  const freedom = 8 / Math.max(skewness, LEAST_SKEWNESS) ** 2;
  // Half a pair for the step of a whole number.
  const excess = (pairs - 0.5 - mean) / deviation;
  return chiSquareTail(freedom + excess * Math.sqrt(2 * freedom), freedom);
}

function choose2(count: number): number {
  return (count * (count - 1)) / 2;
}

/** Pairs that are made even if the faults are spread evenly. */
function fewestPairs({ faults, lines }: UniformFaults): number {
  const each = Math.floor(faults / lines);
  return lines * choose2(each) + (faults - each * lines) * each;
}

function tailOfTwoLines(pairs: number, { faults, cellsPerLine }: UniformFaults): number {
  const { first, weights } = hypergeometric(faults, cellsPerLine, 2 * cellsPerLine);
  return weights.reduce((sum, probability, index) => {
    const count = first + index;
    return choose2(count) + choose2(faults - count) >= pairs ? sum + probability : sum;
  }, 0);
}

/**
 * At most as many faults as lines. With n lines of k cells, T in all, the maps of j faults and t pairs are counted by
 * the coefficients of (Σ C(k, c) z^c y^(c(c−1)/2))^n. The recurrence for the power of a series (J. C. P. Miller's: from
 * z P′F = n z F′P for P = F^n), divided by C(T, j), is one for the probabilities of j faults:
 *
 * P_j(≥ t) = Σ_c (c(n + 1)/j − 1) · C(k, c) C(T, j − c)/C(T, j) · P_{j−c}(≥ t − c(c − 1)/2), c = 1 … j.
 *
 * For j ≤ n all terms are positive, and the factors sum to 1: nothing cancels, nothing overflows, and small
 * probabilities are as exact as large ones.
 */
function tailOfFewFaults(pairs: number, { faults, lines, cellsPerLine }: UniformFaults): number {
  const cells = lines * cellsPerLine;
  const enough = faultsOfPairs(pairs);
  /** P_j(≥ t) for t = 0 … pairs, of the latest j. */
  const tails = Array.from({ length: enough }, () => new Float64Array(pairs + 1));
  tails[0][0] = 1;
  for (let j = 1; j <= faults; j += 1) {
    const factors: number[] = [];
    let ratio = 1;
    for (let c = 1; c <= Math.min(j, cellsPerLine) && ratio > 0; c += 1) {
      ratio *= ((cellsPerLine - c + 1) / c) * ((j - c + 1) / (cells - j + c));
      factors.push(((c * (lines + 1)) / j - 1) * ratio);
    }
    const tailBefore = (c: number) => tails[(j - c) % enough];
    mixTails(tails[j % enough].fill(0), { first: 1, weights: factors, tailBefore });
  }
  return Math.min(1, tails[faults % enough][pairs]);
}

/** Line after line: P(≥ t | j faults on i lines) from those of i − 1 lines and a hypergeometric number on the last. */
function tailOfManyFaults(pairs: number, { faults, lines, cellsPerLine }: UniformFaults): number {
  const empty = () => Array.from({ length: faults + 1 }, () => new Float64Array(pairs + 1));
  let before = empty();
  let after = empty();
  for (const [j, tail] of before.entries()) tail.fill(1, 0, Math.min(choose2(j), pairs) + 1);
  for (let line = 2; line <= lines; line += 1) {
    const most = Math.min(faults, line * cellsPerLine);
    for (let j = line === lines ? faults : 0; j <= most; j += 1) {
      const tailBefore = (c: number) => before[j - c];
      const last = hypergeometric(j, cellsPerLine, line * cellsPerLine);
      mixTails(after[j].fill(0), { ...last, tailBefore });
    }
    [before, after] = [after, before];
  }
  return Math.min(1, before[faults][pairs]);
}

/** Least faults of a line that make so many pairs. */
function faultsOfPairs(pairs: number): number {
  let faults = 2;
  while (choose2(faults) < pairs) faults += 1;
  return faults;
}

/**
 * Adds to `tail`, P(≥ t) for t = 0 …, the sum of weights[c − first] · P(≥ t − c(c − 1)/2 | c faults on one line), of
 * which `tailBefore` is that of the other lines. Weights rise to one maximum and fall; what no longer counts is left out.
 */
function mixTails(
  tail: Float64Array,
  {
    first,
    weights,
    tailBefore,
  }: {
    readonly first: number;
    readonly weights: ArrayLike<number>;
    readonly tailBefore: (c: number) => Float64Array;
  },
): void {
  const pairs = tail.length - 1;
  let certain = 0;
  for (let at = 0; at < weights.length; at += 1) {
    const weight = weights[at];
    const falls = at > 0 && weight < weights[at - 1];
    if (falls && weight < 1e-18 * (tail[pairs] + certain)) break;
    const shift = choose2(first + at);
    if (shift >= pairs) {
      certain += weight;
      continue;
    }
    const other = tailBefore(first + at);
    for (let t = 0; t < shift; t += 1) tail[t] += weight;
    for (let t = shift; t <= pairs; t += 1) tail[t] += weight * other[t - shift];
  }
  for (let t = 0; t <= pairs; t += 1) tail[t] += certain;
}

/**
 * Probabilities of `first`, `first` + 1, … marked ones among `drawn` of `total`, of which `marked` are: from the mode
 * outwards by their ratios, so that no factorial is needed.
 */
function hypergeometric(drawn: number, marked: number, total: number) {
  const first = Math.max(0, drawn - (total - marked));
  const last = Math.min(drawn, marked);
  const mode = Math.floor(((drawn + 1) * (marked + 1)) / (total + 2)) - first;
  /** P(c) / P(c − 1) */
  const ratio = (c: number) =>
    ((marked - c + 1) / c) * ((drawn - c + 1) / (total - marked - drawn + c));
  const weights = new Float64Array(last - first + 1);
  const start = Math.min(Math.max(mode, 0), last - first);
  weights[start] = 1;
  for (let at = start + 1; at < weights.length; at += 1) {
    weights[at] = weights[at - 1] * ratio(first + at);
  }
  for (let at = start - 1; at >= 0; at -= 1) {
    weights[at] = weights[at + 1] / ratio(first + at + 1);
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { first, weights: weights.map((weight) => weight / sum) };
}
