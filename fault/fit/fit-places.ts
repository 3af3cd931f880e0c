import type { FaultMap } from '../fault-map.js';
import type { CellGeometry } from '../geometry.js';
import { pairShares } from '../inspect/pair-share.js';
import { bitLinesOf } from '../model/bit-lines.js';
import type { FaultPlaces } from '../model/fault-model.js';
import { compassSearch } from './compass-search.js';
import { type CountGroup, type LineDensities, logLikelihood } from './count-likelihood.js';
import { type LineDivision, lineDivisions } from './line-divisions.js';

/** Faults come in pairs where so many have their partner, and chance gives fewer than PAIRED_BY_CHANCE one. */
const PAIRED = 0.9;
const PAIRED_BY_CHANCE = 0.5;

/** Clustering parameters that are told apart from none (larger) and from a single line (smaller). */
const LARGEST_CLUSTERING = 1e4;
const SMALLEST_CLUSTERING = 1e-5;

/** Two densities are tried up to so many faults of a line: their likelihood takes the square of it. */
const MOST_FOR_BACKGROUND = 1000;

/** Voltages with fewer faulty places have the share of background faults of their neighbour. */
const FEWEST_FOR_SHARE = 30;

/** Where the faults of measured maps lie. */
export interface FittedPlaces {
  readonly places: FaultPlaces;
  /**
   * Share of the background faults in maps of fewer faults, by the likelihood of their lines; undefined where they are
   * too few, or the places have no background.
   */
  readonly backgroundShareIn: (maps: readonly FaultMap[]) => number | undefined;
}

interface Candidate {
  readonly division: LineDivision;
  readonly densities: LineDensities;
  /** Logarithm of the likelihood less half the logarithm of the lines for each parameter (Bayesian information). */
  readonly score: number;
}

/**
 * The places that make maps of one state most likely: uniform ones, or lines of one of `lineDivisions` whose faults have
 * negative-binomial counts, weak bit lines with a background among them. Each parameter must be worth half the logarithm
 * of the number of lines (Schwarz's criterion), so that uniform faults are called uniform.
 *
 * @param maps of data cells alone, with faults
 */
export function fitPlaces(maps: readonly FaultMap[]): FittedPlaces {
  const [{ geometry }] = maps;
  const pairDistance = pairDistanceOf(maps, geometry);
  const candidates = lineDivisions(geometry, pairDistance).flatMap((division) =>
    candidatesOf(division, division.countsIn(maps)),
  );
  const best = candidates.reduce((one, other) => (other.score > one.score ? other : one));
  const { division, densities } = best;
  const isUniform = densities.clustering === Infinity && pairDistance === undefined;
  const places: FaultPlaces = isUniform
    ? { model: 'uniform' }
    : division.modelOf({
        ...densities,
        clustering: Math.min(densities.clustering, LARGEST_CLUSTERING),
      });
  return { places, backgroundShareIn: (others) => backgroundShare(best, others) };
}

/** The distance of the pairs in which faults come, if they do. */
function pairDistanceOf(maps: readonly FaultMap[], geometry: CellGeometry): number | undefined {
  const likely = pairShares(maps[0]).filter(({ byChance }) => byChance < PAIRED_BY_CHANCE);
  return likely
    .map(({ distance }) => ({ distance, share: pairedShare(maps, geometry, distance) }))
    .filter(({ share }) => share >= PAIRED)
    .sort((a, b) => b.share - a.share)[0]?.distance;
}

/** Of the faults whose cell has a partner in lines of paired columns, those with a faulty partner. */
export function pairedShare(
  maps: readonly FaultMap[],
  geometry: CellGeometry,
  pairDistance: number,
): number {
  const lines = bitLinesOf({ rowStride: 1, pairDistance }, geometry);
  let [paired, all] = [0, 0];
  for (const { cells } of maps) {
    const faulty = new Set(cells);
    for (const cell of cells) {
      const { line, position } = lines.placeOf(cell);
      const pair = lines.cellsAt(line, position);
      if (pair.length < 2) continue;
      all += 1;
      if (pair.every((partner) => faulty.has(partner))) paired += 1;
    }
  }
  return all === 0 ? 0 : paired / all;
}

function candidatesOf(division: LineDivision, groups: readonly CountGroup[]): Candidate[] {
  const rate = rateOf(groups);
  const price = Math.log(linesOf(groups)) / 2;
  const poisson: LineDensities = { clustering: Infinity };
  const single = compassSearch(
    ([logClustering]) => logLikelihood(groups, rate, { clustering: clusteringOf(logClustering) }),
    [0],
    1,
  );
  const clustering = clusteringOf(single.point[0]);
  const candidates = [
    { division, densities: poisson, score: logLikelihood(groups, rate, poisson) },
    { division, densities: { clustering }, score: single.value - price },
  ];
  if (!division.takesBackground || mostFaults(groups) > MOST_FOR_BACKGROUND) return candidates;
  const [logClustering] = single.point;
  const both = [
    [logClustering - 1, logClustering + 3, -2],
    [logClustering - 0.5, logClustering + 2, 0],
  ].map((start) =>
    compassSearch((point) => logLikelihood(groups, rate, densitiesAt(point)), start, 0.5),
  );
  const better = both.reduce((one, other) => (other.value > one.value ? other : one));
  const densities = densitiesAt(better.point);
  return [...candidates, { division, densities, score: better.value - 3 * price }];
}

/** To four digits: no chip has enough faults for more. */
function clusteringOf(logarithm: number): number {
  const within = Math.min(LARGEST_CLUSTERING, Math.max(SMALLEST_CLUSTERING, Math.exp(logarithm)));
  return Number(within.toPrecision(4));
}

/** Two densities by the logarithms of their parameters and the log-odds of the share; the smaller α stands first. */
function densitiesAt([first, second, odds]: readonly number[]): LineDensities {
  const share = logistic(odds);
  const [one, other] = [clusteringOf(first), clusteringOf(second)];
  return one <= other
    ? { clustering: one, background: { clustering: other, share } }
    : { clustering: other, background: { clustering: one, share: 1 - share } };
}

function logistic(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}

function backgroundShare(
  { division, densities }: Candidate,
  maps: readonly FaultMap[],
): number | undefined {
  const { clustering, background } = densities;
  if (background === undefined) return undefined;
  const groups = division.countsIn(maps);
  if (faultsOf(groups) < FEWEST_FOR_SHARE) return undefined;
  const rate = rateOf(groups);
  const likelihoodAt = (share: number) =>
    logLikelihood(groups, rate, { clustering, background: { ...background, share } });
  const found = compassSearch(([odds]) => likelihoodAt(logistic(odds)), [-2], 1);
  const share = logistic(found.point[0]);
  return likelihoodAt(0) >= found.value - 0.5 ? 0 : share;
}

function sumOf(groups: readonly CountGroup[], value: (length: number, faults: number) => number) {
  return groups.reduce(
    (sum, { length, lines }) =>
      Array.from(lines).reduce(
        (all, [faults, number]) => all + number * value(length, faults),
        sum,
      ),
    0,
  );
}

const linesOf = (groups: readonly CountGroup[]) => sumOf(groups, () => 1);
const faultsOf = (groups: readonly CountGroup[]) => sumOf(groups, (_, faults) => faults);
const rateOf = (groups: readonly CountGroup[]) =>
  faultsOf(groups) / sumOf(groups, (length) => length);
const mostFaults = (groups: readonly CountGroup[]) =>
  Math.max(...groups.flatMap(({ lines }) => [...lines.keys()]));
