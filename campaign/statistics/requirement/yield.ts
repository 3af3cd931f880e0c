import { checkImages, checkMapCounts, type ImagesOfMaps, imagesOfMap, mean } from '../accuracy.js';
import { checkPositive, checkSameMaps, checkWithin, finiteResult } from '../arguments.js';
import type { Interval } from '../interval.js';
import { clopperPearson } from '../proportion.js';

/** The maps of one point, compared with the fault-free, unprotected network; one entry a map. */
export interface PairedCounts {
  readonly images: ImagesOfMaps;
  /** Right images. */
  readonly correct: readonly number[];
  /** Right images without faults, of the same images. */
  readonly cleanCorrect: readonly number[];
}

/** Share of maps (chips) whose accuracy is at most `within` below the clean one. */
export interface YieldEstimate extends Interval {
  readonly within: number;
  readonly share: number;
}

/**
 * The share of maps that stay within `within` (a fraction) of clean, with Clopper and Pearson's interval.
 *
 * @param counts of at least one map
 * @throws RangeError for counts that are not of the same maps and images, and for fractions that are none
 */
export function yieldEstimate(
  { images, correct, cleanCorrect }: PairedCounts,
  within: number,
  confidence = 0.95,
): YieldEstimate {
  checkPaired({ images, correct, cleanCorrect }, 1);
  checkWithin('within', within, 0, 1);
  // A hundredth of an image against rounding of within · images.
  const allowed = (map: number) => within * imagesOfMap(images, map) + 0.01;
  const maps = correct.length;
  const good = correct.filter((count, map) => cleanCorrect[map] - count <= allowed(map)).length;
  return { within, share: good / maps, ...clopperPearson(good, maps, confidence) };
}

function checkPaired({ images, correct, cleanCorrect }: PairedCounts, fewestImages: number): void {
  checkSameMaps('a yield', correct, cleanCorrect);
  checkImages(images, correct.length, fewestImages);
  checkMapCounts('correct', correct, images);
  checkMapCounts('cleanCorrect', cleanCorrect, images);
}

/** Whether the images of a map can tell a loss of `within`. */
export interface YieldResolution {
  /** Standard error of a map's difference to clean from its choice of images: root mean square over maps. */
  readonly standardError: number;
  /** Images a map that would suffice. */
  readonly imagesNeeded: number;
  readonly enoughImages: boolean;
}

/**
 * Check that a yield within `within` means something. A map's loss is measured on a sample of images;
 * where its standard error is not small against `within`, good maps fail and bad ones pass by chance.
 * The rule: twice the standard error, and the weight of one image, must not exceed `within`.
 *
 * An image adds −1, 0 or 1 to a paired difference D of counts, and not 0 only if its class changed, so
 * with c changed images of m the variance of D/m is at most (c − D²/m) / (m(m − 1)).
 *
 * @param counts of at least 2 images a map; `sdc`: images whose top-1 class is not the fault-free one
 * @param within a fraction above 0
 * @throws RangeError for others
 */
export function yieldResolution(
  { images, correct, cleanCorrect, sdc }: PairedCounts & { readonly sdc: readonly number[] },
  within: number,
): YieldResolution {
  checkPaired({ images, correct, cleanCorrect }, 2);
  checkSameMaps('a yield', correct, sdc);
  checkMapCounts('sdc', sdc, images);
  checkPositive('within', within, 1);
  // Of one image of each map.
  const variances = sdc.map((changed, map) => {
    const count = imagesOfMap(images, map);
    return Math.max(0, changed - (cleanCorrect[map] - correct[map]) ** 2 / count) / (count - 1);
  });
  // Rounding must not ask for one image more.
  const imagesNeeded = Math.ceil(Math.max(1 / within, mean(variances) * (2 / within) ** 2) - 1e-9);
  const ofMaps = variances.map((variance, map) => variance / imagesOfMap(images, map));
  return {
    standardError: Math.sqrt(mean(ofMaps)),
    imagesNeeded: finiteResult('imagesNeeded', imagesNeeded),
    enoughImages: variances.every((_, map) => imagesOfMap(images, map) >= imagesNeeded),
  };
}

/** The harshest condition that meets a wanted yield; undefined where not even the mildest one does. */
export interface YieldLimit {
  /** By the estimated share. */
  readonly estimated: number | undefined;
  /** By the lower end of its interval: what the data assure. */
  readonly assured: number | undefined;
}

/**
 * The highest fault rate of one mitigation up to which the yield is at least `wanted`: the last
 * rate, in rising order, before the first that fails.
 */
export function highestRateWithYield(
  points: readonly {
    readonly rate: number;
    readonly yield: Pick<YieldEstimate, 'share' | 'low'>;
  }[],
  wanted: number,
): YieldLimit {
  const rising = points.toSorted((left, right) => left.rate - right.rate);
  const conditions = rising.map((point) => ({ ...point.yield, level: point.rate }));
  return yieldLimit(conditions, wanted);
}

/** The lowest supply voltage of one mitigation down to which the yield is at least `wanted`. */
export function lowestVoltageWithYield(
  points: readonly {
    readonly voltage: number;
    readonly yield: Pick<YieldEstimate, 'share' | 'low'>;
  }[],
  wanted: number,
): YieldLimit {
  const falling = points.toSorted((left, right) => right.voltage - left.voltage);
  const conditions = falling.map((point) => ({ ...point.yield, level: point.voltage }));
  return yieldLimit(conditions, wanted);
}

interface Condition {
  readonly level: number;
  readonly share: number;
  readonly low: number;
}

/** @param conditions from mild to harsh */
function yieldLimit(conditions: readonly Condition[], wanted: number): YieldLimit {
  checkWithin('wanted', wanted, 0, 1);
  for (const { level, share, low } of conditions) {
    checkWithin('rate or voltage', level, 0, Number.MAX_VALUE);
    checkWithin('share', share, 0, 1);
    checkWithin('low', low, 0, 1);
  }
  const lastMeeting = (value: (condition: Condition) => number) => {
    const failing = conditions.findIndex((condition) => value(condition) < wanted);
    const meeting = failing === -1 ? conditions : conditions.slice(0, failing);
    return meeting.at(-1)?.level;
  };
  return {
    estimated: lastMeeting(({ share }) => share),
    assured: lastMeeting(({ low }) => low),
  };
}
