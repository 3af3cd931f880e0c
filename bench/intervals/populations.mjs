/** Populations of fault maps whose mean accuracy is known, and draws from them. */
import { createRandomStream } from 'bitcell/core';

const CLEAN = 0.9;
export const COLLAPSED = 0.1;

/**
 * A population of fault maps: the accuracy of a map from a uniform number, and its mean.
 * @typedef {{ name: string, accuracy: (u: number) => number, mean: number }} Population
 */

/**
 * Maps of which one in `every` collapses to chance.
 * @param {string} name
 * @param {number} every
 * @returns {Population}
 */
function collapses(name, every) {
  return {
    name,
    accuracy: (u) => (u * every < 1 ? COLLAPSED : CLEAN),
    mean: CLEAN - (CLEAN - COLLAPSED) / every,
  };
}

/** @type {Population[]} */
export const populations = [
  { name: 'smooth, 0.7 to 0.9', accuracy: (u) => 0.7 + 0.01 * Math.floor(21 * u), mean: 0.8 },
  collapses('50/50 collapse', 2),
  collapses('1-in-12 collapse', 12),
  collapses('1-in-50 collapse', 50),
  collapses('1-in-200 collapse', 200),
];

/** A stream of uniform numbers, one after the other. */
export class Draws {
  /**
   * @param {number} seed
   * @param {number} repetition
   */
  constructor(seed, repetition) {
    this.stream = createRandomStream(seed, repetition, 0);
    this.index = 0;
  }

  uniform() {
    return this.stream.uniform(this.index++);
  }

  /**
   * Right images of one map of the population.
   * @param {Population} population
   * @param {number} images
   */
  correct(population, images) {
    const cumulative = binomialDistribution(images, population.accuracy(this.uniform()));
    const u = this.uniform();
    let low = 0;
    let high = images;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (u < cumulative[middle]) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** @type {Map<string, Float64Array>} */
const distributions = new Map();

/**
 * Distribution function of the binomial distribution at 0 … trials.
 * @param {number} trials
 * @param {number} probability
 */
function binomialDistribution(trials, probability) {
  const key = `${trials} ${probability}`;
  let cumulative = distributions.get(key);
  if (!cumulative) {
    cumulative = new Float64Array(trials + 1);
    let term = (1 - probability) ** trials;
    let sum = 0;
    for (let k = 0; k <= trials; k++) {
      sum += term;
      cumulative[k] = sum;
      term *= ((trials - k) / (k + 1)) * (probability / (1 - probability));
    }
    distributions.set(key, cumulative);
  }
  return cumulative;
}
