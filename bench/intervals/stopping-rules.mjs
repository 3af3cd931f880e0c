/** Intervals and stopping rules that Bitcell's own are compared with. */
import { clopperPearson, studentQuantile } from 'bitcell/campaign';

/** @import { Interval } from 'bitcell/campaign' */

/**
 * Student's t interval of the maps' shares.
 * @param {readonly number[]} correct
 * @param {number} images
 * @returns {Interval}
 */
function studentInterval(correct, images) {
  const count = correct.length;
  let total = 0;
  let squares = 0;
  for (const value of correct) {
    total += value;
    squares += value * value;
  }
  const variance = Math.max(0, squares - (total * total) / count) / (count - 1);
  const centre = total / (count * images);
  const halfWidth = (studentPoint(count - 1) * Math.sqrt(variance / count)) / images;
  return { low: centre - halfWidth, high: centre + halfWidth };
}

/** @type {Map<number, number>} */
const studentPoints = new Map();

/** @param {number} degreesOfFreedom */
function studentPoint(degreesOfFreedom) {
  let point = studentPoints.get(degreesOfFreedom);
  if (point === undefined) {
    point = studentQuantile(0.975, degreesOfFreedom);
    studentPoints.set(degreesOfFreedom, point);
  }
  return point;
}

/**
 * Student's t, never narrower than Clopper and Pearson's interval of all images: knows no collapses.
 * @param {readonly number[]} correct
 * @param {number} images
 * @returns {Interval}
 */
export function widenedStudentInterval(correct, images) {
  const student = studentInterval(correct, images);
  const total = correct.reduce((sum, count) => sum + count, 0);
  const pooled = clopperPearson(total, correct.length * images);
  return { low: Math.min(student.low, pooled.low), high: Math.max(student.high, pooled.high) };
}

/**
 * Stop as soon as Student's t interval is narrow enough, after every map.
 * @param {number} precision
 * @param {number} minimum least number of maps
 */
export function studentRule(precision, minimum) {
  /** @param {{ correct: readonly number[], images: number }} results */
  const interval = ({ correct, images }) => studentInterval(correct, images);
  return {
    interval,
    /** @param {{ correct: readonly number[], images: number }} results */
    decide(results) {
      if (results.correct.length < minimum) return 'continue';
      const { low, high } = interval(results);
      return high - low <= 2 * precision ? 'stop' : 'continue';
    },
  };
}

/**
 * A hedged betting confidence sequence (I. Waudby-Smith and A. Ramdas, arXiv:2010.09686), which covers at all times at once, with the bet that is best near the
 * stopping time of this precision: precision/variance so far, at most 0.9 of the largest allowed.
 * @param {number} precision
 */
export function bettingRule(precision) {
  const first = Math.ceil(1.8 / precision);
  /** @param {{ correct: readonly number[], images: number }} results */
  const interval = ({ correct, images }) => {
    const shares = correct.map((count) => count / images);
    const mirrored = shares.map((share) => 1 - share);
    return { low: bettingBound(shares, precision), high: 1 - bettingBound(mirrored, precision) };
  };
  return {
    interval,
    /** @param {{ correct: readonly number[], images: number }} results */
    decide(results) {
      let look = first;
      while (look < results.correct.length) look = Math.ceil(look * 1.1);
      if (look !== results.correct.length) return 'continue';
      // For many maps it is √(2 ln 40)/1.96 = 1.39 times as wide as Student's: a cheap first check.
      const student = studentInterval(results.correct, results.images);
      if (1.2 * (student.high - student.low) > 2 * precision) return 'continue';
      const { low, high } = interval(results);
      return high - low <= 2 * precision ? 'stop' : 'continue';
    },
  };
}

/**
 * The largest mean at which the bettor's wealth was once more than 2/0.05.
 * @param {readonly number[]} shares
 * @param {number} precision
 */
function bettingBound(shares, precision) {
  let sum = 0.5;
  let squares = 0.25;
  const bets = shares.map((share, index) => {
    const bet = (precision * (index + 1)) / squares;
    sum += share;
    squares += (share - sum / (index + 2)) ** 2;
    return bet;
  });
  let low = 1e-9;
  let high = 1;
  while (high - low > 1e-5) {
    const candidate = (low + high) / 2;
    let wealth = 0;
    let most = 0;
    for (let map = 0; map < shares.length; map++) {
      wealth += Math.log1p(Math.min(bets[map], 0.9 / candidate) * (shares[map] - candidate));
      if (wealth > most) most = wealth;
    }
    if (most > Math.log(40)) low = candidate;
    else high = candidate;
  }
  return low;
}
