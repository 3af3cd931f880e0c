import type { Network } from '../../models/index.js';
import type { LayerThresholds } from '../activations/clip.js';
import {
  largestActivation,
  type SearchGranularity,
  thresholdsOf,
} from '../thresholds/layer-threshold.js';
import { type RaceLimits, type RaceResult, race } from './race.js';

/** A search over the thresholds of all layers. */
export interface JointSearchLimits extends RaceLimits {
  /** What one factor means in a layer. */
  readonly granularity: SearchGranularity;
  /** Factors, below 1, that all layers get together before any gets one of its own. */
  readonly factors: readonly number[];
  /** Times that the search goes through the layers. */
  readonly sweeps: number;
}

/** Thresholds to be raced: candidate 0 is the incumbent. */
export interface RaceRequest {
  /** The first and the last layer in which the candidates differ. */
  readonly first: string;
  readonly last: string;
  /** Of all layers. */
  readonly candidates: readonly LayerThresholds[];
  /** Maps 0 … maps − 1. */
  readonly maps: number;
}

/** A layer with the factor that was found for it. */
export interface JointLayer {
  readonly name: string;
  readonly actMax: number;
  /** Share of the profile maxima. */
  readonly factor: number;
  /** As the activation unit takes them. */
  readonly thresholds: readonly number[];
  /** Of its last race: areas at ACT_max and at the factor that won, on the same maps, other layers as they were then. */
  readonly auc: { readonly before: number; readonly after: number };
  /** Races that it was in alone. */
  readonly races: number;
}

export interface JointSearchResult {
  readonly layers: readonly JointLayer[];
  /** Areas of factors for all layers together, on the maps that each of them ran. */
  readonly common: readonly {
    readonly factor: number;
    readonly area: number;
    readonly maps: number;
  }[];
}

/** A layer's factor is at first raced against factors this many times smaller and larger. */
const FIRST_STEP = 0.7;

/**
 * Gradient-free search over the thresholds of all layers: first one factor of the profile maxima for all of them, on
 * all maps, then
 * layer after layer, again and again, a factor of its own: pattern search, in which the step of a layer that stays
 * where it is becomes smaller (R. Hooke and T. A. Jeeves, Journal of the ACM 8, 1961). Every choice is a race on the
 * same fault maps and images, so a choice that makes no difference is settled on few of them.
 *
 * @param maxima the profile: the layers to tune, in network order
 * @param score areas under accuracy against fault rate, by candidate and map
 * @param onRace called after each race, with its layer unless all layers were in it
 */
export async function searchJointly(
  network: Network,
  maxima: LayerThresholds,
  score: (request: RaceRequest) => Promise<readonly (readonly number[])[]>,
  limits: JointSearchLimits,
  onRace: (layer: string | undefined) => void = () => {},
): Promise<JointSearchResult> {
  if (maxima.size === 0) return { layers: [], common: [] };
  const all = [...maxima.keys()];
  const [first, last] = [all[0], all[all.length - 1]];
  /** A layer that is never above 0 has nothing to search. */
  const names = all.filter((name) => largestActivation(network, name, valuesOf(maxima, name)) > 0);
  const factors = new Map(all.map((name) => [name, 1]));
  const found = new Map<string, Pick<JointLayer, 'auc' | 'races'>>();
  const thresholdsAt = (changes: ReadonlyMap<string, number>): LayerThresholds =>
    new Map(
      [...maxima].map(([name, values]) => {
        const factor = changes.get(name) ?? factors.get(name) ?? 1;
        return [name, thresholdsOf(limits.granularity, network, name, values, factor)];
      }),
    );
  const raceOf = (
    range: readonly [string, string],
    changes: readonly ReadonlyMap<string, number>[],
    leastMaps = limits.leastMaps,
  ) => {
    const candidates = changes.map(thresholdsAt);
    return race(
      changes.length,
      (racing, maps) =>
        score({
          first: range[0],
          last: range[1],
          candidates: racing.map((candidate) => candidates[candidate]),
          maps,
        }),
      { ...limits, leastMaps },
    );
  };

  const tried = names.length === 0 ? [1] : [1, ...limits.factors];
  // A factor may pay only on the few maps that ruin the network, which a look at fewer can miss.
  const together = await raceOf(
    [first, last],
    tried.map((factor) => new Map(names.map((name) => [name, factor]))),
    limits.mostMaps,
  );
  for (const name of names) factors.set(name, tried[together.winner]);
  onRace(undefined);
  const steps = new Map(names.map((name) => [name, FIRST_STEP]));
  for (let sweep = 0; sweep < limits.sweeps; sweep += 1) {
    for (const name of names) {
      const step = steps.get(name) ?? FIRST_STEP;
      const own = neighboursOf(factors.get(name) ?? 1, step);
      const result = await raceOf(
        [name, name],
        own.map((candidate) => new Map([[name, candidate]])),
      );
      factors.set(name, own[result.winner]);
      if (result.winner === 0) steps.set(name, Math.sqrt(step));
      found.set(name, {
        auc: aucOf(result, own.indexOf(1)),
        races: (found.get(name)?.races ?? 0) + 1,
      });
      onRace(name);
    }
  }
  const whole = aucOf(together, 0);
  return {
    layers: [...thresholdsAt(new Map())].map(([name, thresholds]) => ({
      name,
      actMax: largestActivation(network, name, valuesOf(maxima, name)),
      factor: factors.get(name) ?? 1,
      thresholds,
      ...(found.get(name) ?? { auc: whole, races: 0 }),
    })),
    common: tried.map((factor, candidate) => ({
      factor,
      area: meanOf(together.scores[candidate]),
      maps: together.scores[candidate].length,
    })),
  };
}

/** The factor itself, first, ACT_max, and the factors a step below and above it, none of them twice or above 1. */
function neighboursOf(factor: number, step: number): number[] {
  return [...new Set([factor, 1, Math.min(1, factor / step), factor * step])];
}

function aucOf({ winner, scores }: RaceResult, atActMax: number): JointLayer['auc'] {
  const before = scores[atActMax];
  return { before: meanOf(before), after: meanOf(scores[winner].slice(0, before.length)) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function valuesOf(thresholds: LayerThresholds, name: string): readonly number[] {
  return thresholds.get(name) ?? [];
}
