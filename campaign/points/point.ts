import type { Repairs } from '../../mitigation/index.js';
import {
  type Estimate,
  type ImagesOfMaps,
  type Interval,
  type MapSpread,
  mapSpread,
  mean,
  type PairedCounts,
  pairedDifference,
  type YieldEstimate,
  yieldEstimate,
  yieldResolution,
} from '../statistics/index.js';
import type { PointKey } from '../study/columns.js';
import { type FaultSource, isSample } from '../study/fault-source.js';
import type { Study } from '../study/study.js';
import { decodeImageSet } from '../trial/sample-set.js';
import type { Outcome, TrialResult } from '../trial/trial.js';
import { addRepairs, NO_REPAIRS } from './repairs.js';
import { meanShare, type SharedImages, shareInterval } from './share-interval.js';
import type { MapImages, PointResults, StoppingRule } from './stopping.js';

/** A share with its 95 % interval. */
export interface Share extends Interval {
  readonly share: number;
}

/** A yield, and the images a map that it takes to tell such a loss from chance. */
export interface PointYield extends YieldEstimate {
  readonly imagesNeeded: number;
}

/** One row of a study: one condition with one mitigation, over its fault maps. */
export interface StudyPoint extends PointKey {
  readonly maps: number;
  /** Images per map; the most of one, where dies end when they are settled. */
  readonly images: number;
  /** Of the maps, each of which counts once. */
  readonly accuracy: Estimate;
  /** Accuracies of single maps: what the worst and the best chip have. */
  readonly perMap: MapSpread;
  /** Accuracy minus that of the study's first mitigation on the same maps and images; missing for that one. */
  readonly difference?: Estimate | undefined;
  /** Share of maps whose accuracy is at most `within` below the clean, unprotected one on the same images. */
  readonly yield: PointYield;
  /** Silent data corruption: share of images whose top-1 class is not that of the fault-free run. */
  readonly sdc: Share;
  /** Images with a NaN or infinite output, mean per map. */
  readonly nonFinite: number;
  /** Means per map. */
  readonly faults: {
    readonly requested: number;
    readonly injected: number;
    /** Null: others than weights are struck, which depends on the image. */
    readonly effective: number | null;
  };
  /** What spare lines made of the banks with faulty cells, over all maps; missing where a map does not tell. */
  readonly repairs?: Readonly<Repairs> | undefined;
  /** What its numbers take for granted; missing where there is nothing. */
  readonly remarks?: readonly string[] | undefined;
}

/** The trials of one point so far, a growing list for each quantity, in the order of the maps. */
export interface PointTally extends PointResults {
  readonly key: PointKey;
  /** Whether the study's maps are drawn; a given map is not, only its images are. */
  readonly drawn: boolean;
  readonly correct: number[];
  readonly cleanCorrect: number[];
  readonly sdc: number[];
  readonly nonFinite: number[];
  readonly requested: number[];
  readonly injected: number[];
  readonly effective: (number | null)[];
  readonly repairs: (Readonly<Repairs> | undefined)[];
  /** Where all maps have the same images: the maps that got each image right, or changed its class. */
  readonly correctPerImage: number[] | undefined;
  readonly sdcPerImage: number[] | undefined;
  readonly ofMaps: MapImages[] | undefined;
}

export function createTally(
  key: PointKey,
  images: number,
  imageChoice: Study['imageChoice'],
  source: FaultSource,
): PointTally {
  const zeros = () => (imageChoice === 'fixed' ? new Array<number>(images).fill(0) : undefined);
  return {
    key,
    images,
    drawn: isSample(source),
    correctPerImage: zeros(),
    sdcPerImage: zeros(),
    ofMaps: source.kind === 'dies' ? [] : undefined,
    correct: [],
    cleanCorrect: [],
    sdc: [],
    nonFinite: [],
    requested: [],
    injected: [],
    effective: [],
    repairs: [],
  };
}

/** Add the next map. */
export function addToTally(
  tally: PointTally,
  result: Omit<TrialResult, 'outcomes'>,
  outcome: Pick<Outcome, 'correct' | 'sdc' | 'nonFinite' | 'effective' | 'fixed' | 'repairs'>,
): void {
  tally.correct.push(outcome.correct);
  tally.cleanCorrect.push(result.cleanCorrect);
  tally.sdc.push(outcome.sdc);
  tally.nonFinite.push(outcome.nonFinite);
  tally.requested.push(result.requested);
  tally.injected.push(result.injected);
  tally.effective.push(outcome.effective);
  tally.repairs.push(outcome.repairs);
  countPlaces(tally.correctPerImage, outcome.fixed?.correct);
  countPlaces(tally.sdcPerImage, outcome.fixed?.sdc);
  if (outcome.fixed) tally.ofMaps?.push({ images: result.trial.images, ...outcome.fixed });
}

function countPlaces(counts: number[] | undefined, places: string | undefined): void {
  if (!counts || places === undefined) return;
  for (const place of decodeImageSet(places)) counts[place] += 1;
}

/**
 * Summarise a point of at least one map.
 *
 * @param within what a good map may lose, a fraction
 * @param reference the study's first mitigation on the same maps and images
 */
export function summarizePoint(
  tally: PointTally,
  {
    rule,
    within,
    reference,
    remarks = [],
  }: {
    readonly rule: StoppingRule;
    readonly within: number;
    readonly reference?: PointTally | undefined;
    readonly remarks?: readonly string[] | undefined;
  },
): StudyPoint {
  const { key, correct, sdc, drawn } = tally;
  const images = imagesOfMaps(tally);
  const shared = sharedImages('sdc', tally.sdcPerImage, tally.ofMaps);
  return {
    ...key,
    maps: correct.length,
    images: typeof images === 'number' ? images : most(images),
    accuracy: { mean: meanShare({ counts: correct, images }), ...rule.interval(tally) },
    perMap: mapSpread(correct, images),
    ...(reference && { difference: differenceOf(tally, reference) }),
    yield: pointYield({ ...tally, images }, within),
    sdc: {
      share: meanShare({ counts: sdc, images }),
      ...shareInterval({ counts: sdc, images, drawn, shared }),
    },
    nonFinite: mean(tally.nonFinite),
    faults: {
      requested: mean(tally.requested),
      injected: mean(tally.injected),
      effective: meanOrNull(tally.effective),
    },
    ...repairsOf(tally),
    ...(remarks.length > 0 && { remarks }),
  };
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : mean(known);
}

function repairsOf({ repairs }: PointTally): Pick<StudyPoint, 'repairs'> {
  let sum: Readonly<Repairs> = NO_REPAIRS;
  for (const one of repairs) {
    if (!one) return {};
    sum = addRepairs(sum, one);
  }
  return { repairs: sum };
}

/** The images of the maps: a number where all have as many. */
export function imagesOfMaps({
  images,
  ofMaps,
}: Pick<PointResults, 'images' | 'ofMaps'>): ImagesOfMaps {
  if (!ofMaps || ofMaps.length === 0) return images;
  const [first] = ofMaps;
  return ofMaps.every((map) => map.images === first.images)
    ? first.images
    : ofMaps.map((map) => map.images);
}

/**
 * Images that count, where maps share them.
 *
 * @param perImage the maps for which each image counts; undefined: they share none
 */
export function sharedImages(
  which: 'correct' | 'sdc',
  perImage: readonly number[] | undefined,
  ofMaps: readonly MapImages[] = [],
): SharedImages | undefined {
  return perImage && { perImage, places: ofMaps.map((map) => map[which]) };
}

function most(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, value));
}

/** On the maps that both have: a stopping rule may end one of them earlier. */
function differenceOf(tally: PointTally, reference: PointTally): Estimate {
  const { correct } = tally;
  const maps = Math.min(correct.length, reference.correct.length);
  const images = imagesOfMaps({ images: tally.images, ofMaps: tally.ofMaps?.slice(0, maps) });
  return pairedDifference(correct.slice(0, maps), reference.correct.slice(0, maps), images);
}

/** What the yield of a point is made of: its images a map, and right and changed ones of each map. */
export interface YieldCounts extends PairedCounts {
  /** Images whose top-1 class is not that of the fault-free run. */
  readonly sdc: readonly number[];
}

/**
 * The yield of a point of at least one map.
 *
 * @param within what a good map may lose, a fraction above 0
 */
export function pointYield(counts: YieldCounts, within: number): PointYield {
  const { images } = counts;
  const isResolved = typeof images === 'number' ? images > 1 : images.every((count) => count > 1);
  const { imagesNeeded } = isResolved
    ? yieldResolution(counts, within)
    : { imagesNeeded: Math.ceil(1 / within - 1e-9) };
  return { ...yieldEstimate(counts, within), imagesNeeded };
}
