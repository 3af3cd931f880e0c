/** Sentences that follow from the numbers of the tables. */
import { rateText } from 'bitcell/core';
import { distinct, estimateText, gainText, listed, modelTitle, percent } from './markdown.mjs';

/** @import { Estimate, Point } from './read-tables.mjs' */

/** @typedef {{ readonly rate: number, readonly difference: Estimate }} Difference of two mitigations at a rate */

/**
 * Whether one mitigation is better than another, rate by rate, from the intervals of their paired differences.
 *
 * @param {readonly Difference[]} pairs
 * @param {string} first the mitigation
 * @param {string} second what it is compared with
 */
export function verdict(pairs, first, second) {
  const better = pairs.filter(({ difference }) => difference.low > 0);
  const worse = pairs.filter(({ difference }) => difference.high < 0);
  if (better.length + worse.length === 0) {
    const { rate, difference } = largest(pairs);
    return `at no rate of the study can ${first} be told from ${second}: every interval of the difference holds 0; the largest is ${gainText(difference)} points at ${rateText(rate)}.`;
  }
  const parts = [];
  if (better.length > 0) {
    const { rate, difference } = largest(better);
    parts.push(
      `${first} is better than ${second} at ${rates(better)}, most at ${rateText(rate)}: ${gainText(difference)} points`,
    );
  }
  if (worse.length > 0) {
    const { rate, difference } = largest(worse);
    parts.push(
      `${first} is worse than ${second} at ${rates(worse)}, most at ${rateText(rate)}: ${gainText(difference)} points`,
    );
  }
  const rest = pairs.length - better.length - worse.length;
  const others = rest === 0 ? '' : '; at the other rates the interval holds 0';
  return `${parts.join('; ')}${others}.`;
}

/** @param {readonly Difference[]} pairs */
function rates(pairs) {
  return listed(pairs.map(({ rate }) => rateText(rate)));
}

/** @param {readonly Difference[]} pairs */
function largest(pairs) {
  return pairs.reduce((most, pair) =>
    Math.abs(pair.difference.mean) > Math.abs(most.difference.mean) ? pair : most,
  );
}

/**
 * Whether a figure lies inside, above or below an interval.
 *
 * @param {number} figure
 * @param {{ readonly low: number, readonly high: number }} interval
 */
export function placeOf(figure, { low, high }) {
  if (figure > high) return 'above';
  return figure < low ? 'below' : 'inside';
}

/**
 * The lowest rate at which the unprotected network has lost half its fault-free accuracy; undefined: at none.
 *
 * @param {readonly Point[]} points
 * @param {number} clean
 */
export function halvingRate(points, clean) {
  const lost = points
    .filter(({ mitigation, accuracy }) => mitigation === 'none' && accuracy.mean < clean / 2)
    .map(({ rate }) => rate);
  return lost.length === 0 ? undefined : Math.min(...lost);
}

/**
 * How the rates at which both word formats lose half their accuracy compare.
 *
 * @param {string} model
 * @param {number | undefined} float32
 * @param {number | undefined} int8
 */
export function compareFormats(model, float32, int8) {
  const text = (/** @type {number | undefined} */ rate) =>
    rate === undefined ? 'at no rate of the study' : `at ${rateText(rate)}`;
  const ratio =
    float32 === undefined || int8 === undefined
      ? ''
      : `, ${Number((int8 / float32).toPrecision(2)).toLocaleString('en')} times that rate`;
  return `${modelTitle(model)}, unprotected, first has less than half its fault-free accuracy ${text(float32)} with float32 words and ${text(int8)} with int8 words${ratio} (of the rates of the study).`;
}

/**
 * Where faults hurt most at the highest rate: for each mitigation the scope of the lowest accuracy, and all scopes with
 * less than half of the highest one.
 *
 * @param {readonly Point[]} points
 */
export function worstScopes(points) {
  const rate = Math.max(...points.map((point) => point.rate));
  const at = points.filter((point) => point.rate === rate);
  const name = (/** @type {Point} */ { scope }) => scope.replace(/^\w+:/, '');
  const best = Math.max(...at.map(({ accuracy }) => accuracy.mean));
  return distinct(at.map(({ mitigation }) => mitigation)).map((mitigation) => {
    const found = at.filter((point) => point.mitigation === mitigation);
    const lowest = found.reduce((least, point) =>
      point.accuracy.mean < least.accuracy.mean ? point : least,
    );
    const halved = found.filter(({ accuracy }) => accuracy.mean < best / 2).map(name);
    return {
      ...{ mitigation, rate: rateText(rate), best: percent(best) },
      lowest: `${name(lowest)}: ${estimateText(lowest.accuracy)}`,
      halved: halved.length === 0 ? 'none' : listed(halved),
    };
  });
}
