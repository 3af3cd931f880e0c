import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from './csv.mjs';

/** The order of mitigations in every table. @param {string} name */
export function mitigationTitle(name) {
  const titles = {
    none: 'unprotected',
    clip: 'clip at ACT_max',
    'clip-tuned': 'clip, tuned',
    clamp: 'clamp (Ranger)',
  };
  return titles[name] ?? name;
}

/** Numbers of some columns that begin with a prefix, as `mean`, `low`, `high`. */
function estimate(row, prefix) {
  if (row[`${prefix}mean`] === undefined) return undefined;
  const [mean, low, high] = ['mean', 'low', 'high'].map((name) => Number(row[prefix + name]));
  return { mean, low, high };
}

/**
 * Tables of a folder by name; a table that is not there is undefined.
 *
 * @param {string} folder
 */
export function openTables(folder) {
  const rows = (name) => {
    const file = join(folder, `${name}.csv`);
    return existsSync(file) ? readCsv(file) : undefined;
  };
  return {
    steps: () => rows('steps')?.map((row) => ({ ...row, seconds: Number(row.seconds) })) ?? [],
    points: (name) => rows(name)?.map(pointOf),
    pairs: (name) =>
      rows(`${name}-pairs`)?.map((row) => ({
        ...{ rate: Number(row.rate), mitigation: row.mitigation, reference: row.reference },
        ...{ maps: Number(row.maps), difference: estimate(row, '') },
      })),
    areas: (name) =>
      rows(`${name}-areas`)?.map((row) => ({
        ...{ mitigation: row.mitigation, rates: row.rates.split(' ').map(Number) },
        ...{ maps: Number(row.maps), clean: Number(row.clean) },
        ...{ area: estimate(row, ''), gain: estimate(row, 'gain_') },
      })),
    distributions: (name) => rows(name)?.map(distributionOf),
    sweep: (name) => {
      const found = rows(name);
      return found && sweepOf(found);
    },
  };
}

function pointOf(row) {
  return {
    ...{ model: row.model, format: row.format, faultModel: row.fault_model, scope: row.scope },
    ...{ mitigation: row.mitigation, rate: Number(row.rate) },
    ...{ maps: Number(row.maps), images: Number(row.images) },
    accuracy: estimate(row, 'accuracy_'),
    difference: estimate(row, 'difference_'),
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

function distributionOf(row) {
  const octaves = (row.octaves?.split(' ') ?? []).map((octave) => {
    const [exponent, count] = octave.split(':').map(Number);
    return { exponent, count };
  });
  return {
    ...{ format: row.format, rate: Number(row.rate), layer: row.layer, octaves },
    ...{ values: Number(row.values), nonFinite: Number(row.non_finite) },
    largest: row.largest === undefined ? undefined : Number(row.largest),
  };
}

function sweepOf(rows) {
  const layers = new Map();
  for (const { layer, act_max: actMax, threshold, area } of rows) {
    if (!layers.has(layer)) layers.set(layer, { layer, actMax: Number(actMax), points: [] });
    layers.get(layer).points.push({ threshold: Number(threshold), area: Number(area) });
  }
  return [...layers.values()];
}
