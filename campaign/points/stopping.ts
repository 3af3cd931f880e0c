import type { Interval } from '../statistics/index.js';

/** The images of a map, the first ones of an order that all maps share. */
export interface MapImages {
  readonly images: number;
  /** Which of them came out right, and changed their class (see `encodeImageSet`). */
  readonly correct: string;
  readonly sdc: string;
}

/** What is known of one point: one entry a fault map, maps 0, 1, … in this order and without gaps. */
export interface PointResults {
  /** Images put through the network for each map; the most, where dies end when they are settled. */
  readonly images: number;
  /** Images whose top-1 class is the label, for each map. */
  readonly correct: readonly number[];
  /** The same of the fault-free, unprotected network on the same images. */
  readonly cleanCorrect: readonly number[];
  /** Where all maps have the same images: the maps that got each image right. */
  readonly correctPerImage?: readonly number[] | undefined;
  /** Of dies, which have the same images, but may end after some of them. */
  readonly ofMaps?: readonly MapImages[] | undefined;
}

/**
 * Decides how many fault maps a point gets. A rule is asked after every map, about completed prefixes of the
 * maps only, and answers from its argument alone: so a point has the same maps for any number of threads,
 * and after an interruption. Once it said `stop` it is not asked again about that point.
 */
export interface StoppingRule {
  /** No point gets more maps than this, whatever `decide` says: a whole number from 1. */
  readonly maxMaps: number;
  decide(results: PointResults): 'continue' | 'stop';
  /** About how many maps a point that has not stopped will get; default: `maxMaps`. */
  expectedMaps?(results: PointResults): number;
  /** 95 % interval of the accuracy, to report if nothing more is run: it covers at whatever moment that is. */
  interval(results: PointResults): Interval;
}

/**
 * The rule that gives every point the same number of maps.
 *
 * @param interval the interval of the accuracy of any number of maps
 */
export function fixedSize(maps: number, interval: StoppingRule['interval']): StoppingRule {
  return {
    maxMaps: maps,
    decide: ({ correct }) => (correct.length < maps ? 'continue' : 'stop'),
    interval,
  };
}
