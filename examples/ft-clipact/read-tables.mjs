import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from './csv.mjs';
import { distinct } from './markdown.mjs';

/** @import { StudyPoint } from 'bitcell/campaign' */
/** @import { WordFormat } from 'bitcell/models' */
/** @import { ActivationRow, ThresholdRow } from 'bitcell/report' */
/** @import { Row } from './csv.mjs' */

/** @typedef {{ readonly mean: number, readonly low: number, readonly high: number }} Estimate with its 95 % interval */

/**
 * @typedef {Pick<StudyPoint, 'model' | 'format' | 'faultModel' | 'scope' | 'mitigation' | 'rate' | 'maps' | 'images' |
 *   'accuracy' | 'perMap'> & {
 *   readonly difference: Estimate | undefined,
 *   readonly yield: { within: number, share: number, low: number, high: number, imagesNeeded: number },
 * }} Point
 */

/** @typedef {{ rate: number, mitigation: string, reference: string, maps: number, difference: Estimate }} Pair */

/**
 * @typedef {{ mitigation: string, rates: number[], maps: number, clean: number, area: Estimate,
 *   gain: Estimate | undefined }} Area
 */

/** @typedef {ActivationRow & { format: string, largest: number | undefined }} Distribution */

/** @typedef {ReturnType<typeof openTables>} Tables */

/** The order of mitigations in every table. @param {string} name */
export function mitigationTitle(name) {
  /** @type {Readonly<Record<string, string>>} */
  const titles = {
    none: 'unprotected',
    clip: 'clip at ACT_max',
    'clip-tuned': 'clip, tuned',
    clamp: 'clamp (Ranger)',
  };
  return titles[name] ?? name;
}

/**
 * A cell that every row has.
 *
 * @param {Row} row
 * @param {string} column
 */
function text(row, column) {
  const cell = row[column];
  if (cell === undefined) throw new Error(`a row of a table has no ${column}`);
  return cell;
}

/**
 * Numbers of some columns that begin with a prefix, as `mean`, `low`, `high`.
 *
 * @param {Row} row
 * @param {string} prefix
 */
function estimate(row, prefix) {
  const [mean, low, high] = ['mean', 'low', 'high'].map((name) => Number(text(row, prefix + name)));
  return { mean, low, high };
}

/** @param {Row} row @param {string} prefix */
function optionalEstimate(row, prefix) {
  return row[`${prefix}mean`] === undefined ? undefined : estimate(row, prefix);
}

/**
 * Tables of a folder by name; a table that is not there is undefined.
 *
 * @param {string} folder
 */
export function openTables(folder) {
  const rows = (/** @type {string} */ name) => {
    const file = join(folder, `${name}.csv`);
    return existsSync(file) ? readCsv(file) : undefined;
  };
  return {
    steps: () =>
      rows('steps')?.map((row) => ({
        ...{ step: text(row, 'step'), command: text(row, 'command') },
        ...{ threads: text(row, 'threads'), seconds: Number(row.seconds) },
      })) ?? [],
    points: (/** @type {string} */ name) => rows(name)?.map(pointOf),
    pairs: (/** @type {string} */ name) => rows(`${name}-pairs`)?.map(pairOf),
    areas: (/** @type {string} */ name) => rows(`${name}-areas`)?.map(areaOf),
    distributions: (/** @type {string} */ name) => rows(name)?.map(distributionOf),
    sweep: (/** @type {string} */ name) => {
      const found = rows(name);
      return found && sweepOf(found);
    },
  };
}

/** @param {Row} row @returns {Pair} */
function pairOf(row) {
  return {
    ...{ rate: Number(row.rate), maps: Number(row.maps), difference: estimate(row, '') },
    ...{ mitigation: text(row, 'mitigation'), reference: text(row, 'reference') },
  };
}

/** @param {Row} row @returns {Area} */
function areaOf(row) {
  return {
    ...{ mitigation: text(row, 'mitigation'), rates: text(row, 'rates').split(' ').map(Number) },
    ...{ maps: Number(row.maps), clean: Number(row.clean) },
    ...{ area: estimate(row, ''), gain: optionalEstimate(row, 'gain_') },
  };
}

/** @param {Row} row @returns {Point} */
function pointOf(row) {
  return {
    ...{ model: text(row, 'model'), format: /** @type {WordFormat} */ (text(row, 'format')) },
    ...{ faultModel: text(row, 'fault_model'), scope: text(row, 'scope') },
    mitigation: /** @type {Point['mitigation']} */ (text(row, 'mitigation')),
    ...{ rate: Number(row.rate), maps: Number(row.maps), images: Number(row.images) },
    accuracy: estimate(row, 'accuracy_'),
    difference: optionalEstimate(row, 'difference_'),
    yield: {
      within: Number(row.yield_within),
      share: Number(row.yield_share),
      low: Number(row.yield_low),
      high: Number(row.yield_high),
      imagesNeeded: Number(row.yield_images_needed),
    },
    perMap: {
      worst: Number(row.map_worst),
      lowerQuartile: Number(row.map_lower_quartile),
      median: Number(row.map_median),
      upperQuartile: Number(row.map_upper_quartile),
      best: Number(row.map_best),
    },
  };
}

/** @param {Row} row @returns {Distribution} */
function distributionOf(row) {
  const octaves = (row.octaves?.split(' ') ?? []).map((octave) => {
    const [exponent, count] = octave.split(':').map(Number);
    return { exponent, count };
  });
  return {
    ...{ format: text(row, 'format'), rate: Number(row.rate), layer: text(row, 'layer'), octaves },
    ...{ values: Number(row.values), nonFinite: Number(row.non_finite) },
    largest: row.largest === undefined ? undefined : Number(row.largest),
  };
}

/** @param {readonly Row[]} rows @returns {ThresholdRow[]} */
function sweepOf(rows) {
  return distinct(rows.map((row) => text(row, 'layer'))).map((layer) => {
    const own = rows.filter((row) => row.layer === layer);
    return {
      layer,
      actMax: Number(own[0].act_max),
      points: own.map(({ threshold, area }) => ({
        threshold: Number(threshold),
        area: Number(area),
      })),
    };
  });
}
