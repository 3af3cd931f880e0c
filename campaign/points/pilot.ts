import { multiplyAccumulates } from '../../core/index.js';
import { isOnArray, layerIndex, type Network } from '../../models/index.js';
import {
  expectedMaps,
  imagesPerMap,
  LOOK_GROWTH,
  type MapCosts,
  nestedVariances,
} from '../statistics/index.js';
import type { Condition } from '../study/conditions.js';
import { activeProbabilityOf } from '../study/fault-source.js';
import { MOST_MAPS } from '../study/study.js';
import type { Outcome, TrialResult } from '../trial/trial.js';

/**
 * A few maps of a condition, run before its own, from which the images of each of those are chosen. They are drawn
 * like the others but do not count as maps of its points: so the stopping rule sees independent maps of a fixed number
 * of images, and covers as it does without a pilot.
 */
export interface Pilot {
  readonly maps: number;
  /** Images of each of them. */
  readonly images: number;
  /** About the most images of a point's maps together, whatever its choice and the population of maps. */
  readonly mostImages: number;
  /** Images a map that the results of all maps of the pilot, each with all mitigations, speak for. */
  choose(results: readonly PilotResult[]): number;
}

/** What the choice of images uses of a map's results. */
export interface PilotResult extends Pick<TrialResult, 'injected'> {
  readonly outcomes: readonly Pick<Outcome, 'correct' | 'firstLayer'>[];
}

/** Number of the first map of a pilot: no map of a study reaches it, so they are independent. */
const FIRST_PILOT_MAP = MOST_MAPS;

/** Number of a pilot's map, counted from 0, among all maps of a seed. */
export function pilotMap(index: number): number {
  return FIRST_PILOT_MAP + index;
}

export function isPilotMap(map: number): boolean {
  return map >= FIRST_PILOT_MAP;
}

/**
 * Images a map that may be chosen. Of fewer, much of the time starts batches, and the spread of the maps shows nothing;
 * more save hardly a map: with 500 the images add at most 5 maps to the 91 that ±2 points take anyway.
 */
export const IMAGE_RANGE = { least: 5, most: 500 } as const;

/** The most images a map that a pilot chooses. */
export const MOST_PILOT_IMAGES = IMAGE_RANGE.most;

/** 250 images tell where both variances lie: in many maps where a map is cheap, in fewer where it is dear. */
const PILOT_OF_CHEAP_MAPS = { maps: 25, images: 10 } as const;
const PILOT_OF_DEAR_MAPS = { maps: 10, images: 25 } as const;

/**
 * What a fault costs to draw, place, put in and take out, in the multiply-accumulates of the same time. int8: 0.2 µs,
 * between the 0.35 µs where a map has 10⁵ faults and the 0.1 µs where it has millions, when the rates of a map follow
 * one another (docs/performance.md, To ±2 points), at 125 GMAC/s of VGG-16 (Against onnxruntime). Faults of float32
 * words change transformed weights one by one: 1 µs at 55 GMAC/s. The best number of images goes with the square root
 * of a cost: a factor of two hardly matters.
 */
const FAULT_COST = { int8: 25_000, float32: 55_000 } as const;

/** What a batch costs beside its images, in images: from the figures of batches of 1 and 16 there. */
const BATCH_COST = 1.3;

/** What an image costs at least, as a share of a whole run: also where no fault has an effect it costs something. */
const LEAST_SHARE = 0.01;

/** What decides the costs of a condition's maps and images. */
export interface CostFactors {
  readonly network: Pick<Network, 'format'>;
  /** Images that are computed together. */
  readonly batch: number;
  /** Faults of a map. */
  readonly faults: number;
  /** Multiply-accumulates of an image, as far as they are done again. */
  readonly perImage: number;
  /** Share of the faults that is put in and taken out anew for each image. */
  readonly renewed: number;
  /** Multiply-accumulates of a fault-free run of an image, as far as they are to this condition's account. */
  readonly faultFree: number;
}

/** In multiply-accumulates. */
export function costsOf(factors: CostFactors): MapCosts {
  const { network, batch, faults, perImage, renewed, faultFree } = factors;
  const perFault = FAULT_COST[network.format];
  const image = perImage + faultFree + renewed * faults * perFault;
  return {
    map: faults * perFault,
    images: (count) => (count + BATCH_COST * Math.ceil(count / batch)) * image,
  };
}

/**
 * The pilot of a condition.
 *
 * @param precision half-width that is wanted, a fraction
 * @param requested faults asked for in a map
 * @param batch images that the network computes together
 * @param sharedBy conditions of the network: their maps have the same images, whose fault-free runs they share
 */
export function createPilot(
  { source }: Pick<Condition, 'source'>,
  {
    network,
    precision,
    requested,
    batch,
    sharedBy,
  }: {
    readonly network: Network;
    readonly precision: number;
    readonly requested: number;
    readonly batch: number;
    readonly sharedBy: number;
  },
): Pilot {
  const whole = multiplyAccumulatesFrom(network, 0);
  const renewed = activeProbabilityOf(source) ?? 0;
  const common = { network, batch, renewed, faultFree: whole / sharedBy };
  const expected = costsOf({ ...common, faults: requested, perImage: whole });
  const size =
    expected.map > expected.images(PILOT_OF_DEAR_MAPS.images)
      ? PILOT_OF_DEAR_MAPS
      : PILOT_OF_CHEAP_MAPS;
  return {
    ...size,
    mostImages: mostImagesOf(expected, precision),
    choose(results) {
      const meanOf = (value: (result: PilotResult) => number) =>
        results.reduce((sum, result) => sum + value(result), 0) / results.length;
      const rerun = meanOf(
        ({ outcomes }) =>
          outcomes.reduce((sum, { firstLayer }) => sum + rerunFrom(network, firstLayer), 0) /
          outcomes.length,
      );
      const costs = costsOf({
        ...common,
        faults: meanOf(({ injected }) => injected),
        perImage: Math.max(rerun, LEAST_SHARE * whole),
      });
      const variances = results[0].outcomes.map((_, at) =>
        nestedVariances({
          images: size.images,
          correct: results.map(({ outcomes }) => outcomes[at].correct),
        }),
      );
      return imagesPerMap(variances, costs, precision, IMAGE_RANGE);
    },
  };
}

/** The variance of images is 1/4 at most, of which each share may lie between maps. */
function mostImagesOf(costs: MapCosts, precision: number): number {
  const products = Array.from({ length: 17 }, (_, step) => {
    const betweenMaps = step / 64;
    const withinMap = 1 / 4 - betweenMaps;
    const images = imagesPerMap([{ betweenMaps, withinMap }], costs, precision, IMAGE_RANGE);
    return images * LOOK_GROWTH * expectedMaps(betweenMaps + withinMap / images, precision);
  });
  return Math.ceil(Math.max(...products));
}

/** Multiply-accumulates of an image that a trial does again; without a changed layer none. */
function rerunFrom(network: Network, firstLayer: string | null): number {
  if (firstLayer === null) return 0;
  return multiplyAccumulatesFrom(network, layerIndex(network, firstLayer));
}

function multiplyAccumulatesFrom({ layers }: Network, first: number): number {
  return layers
    .slice(first)
    .reduce((sum, layer) => sum + (isOnArray(layer) ? multiplyAccumulates(layer.shape) : 0), 0);
}
