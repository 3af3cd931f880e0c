import { boundedMeanInterval } from 'bitcell/campaign';
import { areaUnderCurve } from 'bitcell/mitigation';
import { distinct } from './markdown.mjs';

/** @import { Row } from './csv.mjs' */

/**
 * Columns of the tables that come from single trials: differences of two mitigations at one rate, and areas under
 * accuracy against fault rate, with `gain` over the unprotected network. All intervals are of 95 %.
 */
export const PAIR_COLUMNS = ['rate', 'mitigation', 'reference', 'maps', 'mean', 'low', 'high'];
export const AREA_COLUMNS = [
  ...['mitigation', 'rates', 'maps', 'clean', 'mean', 'low', 'high'],
  ...['gain_mean', 'gain_low', 'gain_high'],
];

/**
 * Difference of every two mitigations at every rate, paired by map.
 *
 * @param {readonly Row[]} trials rows of `bitcell results --table trial --csv`
 */
export function comparePairs(trials) {
  const { rates, mitigations, shares } = sharesOf(counted(trials));
  return rates.flatMap((rate) =>
    mitigations.flatMap((reference, at) =>
      mitigations.slice(at + 1).map((mitigation) => {
        const [first, second] = common([shares(rate, mitigation), shares(rate, reference)]);
        const differences = first.map((share, map) => share - second[map]);
        return { rate, mitigation, reference, maps: first.length, ...differenceOf(differences) };
      }),
    ),
  );
}

/**
 * Area under accuracy against fault rate (`areaUnderCurve`: rate 0 excluded) of each mitigation. Maps of one seed are
 * nested in the rate, so a map has one accuracy at each rate and with them an area; the areas of the maps are
 * independent values between 0 and 1. Only maps that all rates and mitigations have count.
 *
 * @param {readonly Row[]} trials
 */
export function compareAreas(trials) {
  const { rates, mitigations, shares } = sharesOf(counted(trials));
  const faulty = rates.filter((rate) => rate > 0);
  const curves = common(
    mitigations.flatMap((mitigation) => faulty.map((rate) => shares(rate, mitigation))),
  );
  const areas = mitigations.map((_, at) => {
    const own = curves.slice(at * faulty.length, (at + 1) * faulty.length);
    return own[0].map((_, map) => areaUnderCurve(own.map((accuracies) => accuracies[map])));
  });
  return mitigations.map((mitigation, at) => {
    const gain = differenceOf(areas[at].map((area, map) => area - areas[0][map]));
    return {
      mitigation,
      rates: faulty.map((rate) => rate.toExponential()).join(' '),
      maps: areas[at].length,
      clean: cleanAccuracy(counted(trials)),
      mean: mean(areas[at]),
      ...boundedMeanInterval(areas[at]),
      ...(at > 0 && { gain_mean: gain.mean, gain_low: gain.low, gain_high: gain.high }),
    };
  });
}

/** Trials of a pilot say how many images a map gets, and nothing of the network. @param {readonly Row[]} trials */
function counted(trials) {
  return trials.filter(({ pilot }) => pilot !== 'true');
}

/** Accuracy of the fault-free, unprotected network on the images of the trials. @param {readonly Row[]} trials */
function cleanAccuracy(trials) {
  const sum = (/** @type {string} */ column) =>
    trials.reduce((total, trial) => total + Number(trial[column]), 0);
  return sum('clean_correct') / sum('images');
}

/** Accuracies of the maps, in their order, by rate and mitigation. @param {readonly Row[]} trials */
function sharesOf(trials) {
  return {
    rates: distinct(trials.map(({ rate }) => Number(rate))).sort((a, b) => a - b),
    mitigations: distinct(trials.map(({ mitigation }) => mitigation)),
    shares(/** @type {number} */ rate, /** @type {string | undefined} */ mitigation) {
      const own = trials.filter(
        (trial) => Number(trial.rate) === rate && trial.mitigation === mitigation,
      );
      if (own.length === 0) throw new Error(`no trial of ${mitigation} at rate ${rate}`);
      return own
        .toSorted((first, second) => Number(first.map) - Number(second.map))
        .map(({ correct, images }) => Number(correct) / Number(images));
    },
  };
}

/** A stopping rule may end one list earlier than another. @param {readonly (readonly number[])[]} lists */
function common(lists) {
  const length = Math.min(...lists.map((list) => list.length));
  return lists.map((list) => list.slice(0, length));
}

/** @param {readonly number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean of independent values between −1 and 1 with its interval. @param {readonly number[]} differences */
function differenceOf(differences) {
  const { low, high } = boundedMeanInterval(differences.map((value) => (value + 1) / 2));
  return { mean: mean(differences), low: 2 * low - 1, high: 2 * high - 1 };
}
