import { logGamma } from '../inspect/chi-square.js';

/** Lines with the same number of places of faults, by how many faults they have. */
export interface CountGroup {
  /** Places of faults in a line. */
  readonly length: number;
  /** Lines for each number of faults, those without faults included. */
  readonly lines: ReadonlyMap<number, number>;
}

/** How the faults of lines are distributed: by one gamma density a line, or by two (see `weak-lines`). */
export interface LineDensities {
  /** Stapper's α; infinite: Poisson counts. */
  readonly clustering: number;
  readonly background?: { readonly clustering: number; readonly share: number } | undefined;
}

/**
 * Logarithm of the probability of the cells that failed: of the number of faults in each line, and of their places,
 * which are equally likely in a line. The latter makes divisions of one memory into lines of different kinds comparable.
 *
 * @param rate probability that a place fails, in the mean of all lines
 */
export function logLikelihood(
  groups: readonly CountGroup[],
  rate: number,
  densities: LineDensities,
): number {
  let sum = 0;
  for (const { length, lines } of groups) {
    const most = Math.max(...lines.keys());
    const logProbability = logProbabilities(rate * length, densities, most);
    for (const [faults, number] of lines) {
      sum += number * (logProbability(faults) - logChoose(length, faults));
    }
  }
  return sum;
}

function logChoose(n: number, k: number): number {
  return k === 0 ? 0 : logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** Logarithm of the probability of a number of faults up to `most`, where `mean` are expected. */
function logProbabilities(
  mean: number,
  { clustering, background }: LineDensities,
  most: number,
): (faults: number) => number {
  if (background === undefined) return (faults) => logNegativeBinomial(faults, mean, clustering);
  const table = (part: number, alpha: number) =>
    Float64Array.from({ length: most + 1 }, (_, k) => logNegativeBinomial(k, part, alpha));
  const first = table(mean * (1 - background.share), clustering);
  const second = table(mean * background.share, background.clustering);
  return (faults) => {
    let largest = -Infinity;
    for (let k = 0; k <= faults; k += 1) largest = Math.max(largest, first[k] + second[faults - k]);
    if (largest === -Infinity) return largest;
    let sum = 0;
    for (let k = 0; k <= faults; k += 1) sum += Math.exp(first[k] + second[faults - k] - largest);
    return largest + Math.log(sum);
  };
}

function logNegativeBinomial(count: number, mean: number, alpha: number): number {
  if (mean === 0) return count === 0 ? 0 : -Infinity;
  if (alpha === Infinity) return count * Math.log(mean) - mean - logGamma(count + 1);
  return (
    logGamma(count + alpha) -
    logGamma(alpha) -
    logGamma(count + 1) -
    alpha * Math.log1p(mean / alpha) -
    count * Math.log1p(alpha / mean)
  );
}
