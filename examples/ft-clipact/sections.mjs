import { rateText } from 'bitcell/core';
import { compareFormats, halvingRate, placeOf, verdict, worstScopes } from './findings.mjs';
import {
  distinct,
  estimateText,
  gainText,
  modelTitle,
  NOT_RUN,
  percent,
  table,
  timeText,
} from './markdown.mjs';
import { mitigationTitle } from './read-tables.mjs';

/** @import { WordFormat } from 'bitcell/models' */
/** @import { Distribution, Pair, Point, Tables } from './read-tables.mjs' */
/** @import { Place, Step } from './steps.mjs' */

/** Average improvement of VGG-16's accuracy at a fault rate of 1e-5 that the paper's abstract states, in points. */
const PAPER = { model: 'vgg16', rate: 1e-5, gain: 0.6892 };
/** @type {readonly WordFormat[]} */
const FORMATS = ['float32', 'int8'];
const PLACES = ['alexnet', 'vgg16'].flatMap((model) =>
  FORMATS.map((format) => ({ model, format, key: `${model}-${format}` })),
);
const AGAINST = [
  ['clip', 'none'],
  ['clip-tuned', 'none'],
  ['clip-tuned', 'clip'],
  ['clamp', 'none'],
];

const placeTitle = (/** @type {Place} */ { model, format }) =>
  `${modelTitle(model)}, ${format} words`;
const shortTitle = (/** @type {string} */ mitigation) =>
  mitigation === 'none' ? 'no protection' : mitigation;

/** The comparison with the one figure of the paper. @param {Tables} tables */
export function headline(tables) {
  const found = comparison(tables, 'vgg16-float32');
  if (!found) return NOT_RUN;
  const { points, pairs, areas } = found;
  const at = points.filter(({ rate }) => rate === PAPER.rate);
  const gains = pairs.filter(({ rate, reference }) => rate === PAPER.rate && reference === 'none');
  const rows = at.map(({ mitigation, accuracy, maps, images }) => {
    const gain = gains.find((pair) => pair.mitigation === mitigation)?.difference;
    const paper = mitigation === 'clip-tuned' ? `+${percent(PAPER.gain, 2)}` : '';
    return [
      ...[mitigationTitle(mitigation), estimateText(accuracy, 2)],
      ...[gain ? gainText(gain, 2) : '', paper, `${maps} × ${images}`],
    ];
  });
  const [{ clean }] = areas;
  const unprotected = accuracyWithout(at).mean;
  const sentences = gains
    .filter(({ mitigation }) => mitigation.startsWith('clip'))
    .map(
      ({ mitigation, difference }) =>
        `The ${mitigationTitle(mitigation)} gains ${gainText(difference, 2)} points; the paper's ${percent(PAPER.gain, 2)} lie ${placeOf(PAPER.gain, difference)} this interval.`,
    );
  const most = `No mitigation could gain more than about ${percent(clean - unprotected, 2)} points here, from the unprotected ${percent(unprotected, 2)} % to the fault-free ${percent(clean, 2)} %.`;
  const titles = ['mitigation', 'accuracy, % [95 %]', 'gain, points [95 %]', 'FT-ClipAct'];
  return [table([...titles, 'maps × images'], rows), '', [...sentences, most].join(' ')].join('\n');
}

/** Accuracy of the unprotected network. @param {readonly Point[]} points at one rate */
function accuracyWithout(points) {
  const none = points.find(({ mitigation }) => mitigation === 'none');
  if (none === undefined) throw new Error('a table has no unprotected network');
  return none.accuracy;
}

/**
 * The points of all mitigations at all rates, the differences and the areas, if the step has run.
 *
 * @param {Tables} tables
 * @param {string} key of the place
 */
function comparison(tables, key) {
  const name = `mitigations-${key}`;
  const [points, pairs, areas] = [tables.points(name), tables.pairs(name), tables.areas(name)];
  return points && pairs && areas ? { points, pairs, areas } : undefined;
}

const rangeText = (/** @type {readonly number[]} */ rates) =>
  `${rateText(rates[0])} … ${rateText(rates[rates.length - 1])} (${rates.length})`;

/** Areas under accuracy against fault rate of both networks and formats. @param {Tables} tables */
export function areas(tables) {
  const rows = PLACES.flatMap(({ model, format, key }) =>
    (comparison(tables, key)?.areas ?? []).map((row) => [
      ...[modelTitle(model), format, mitigationTitle(row.mitigation), estimateText(row.area)],
      ...[row.gain ? gainText(row.gain) : '', rangeText(row.rates)],
      ...[percent(row.clean), String(row.maps)],
    ]),
  );
  if (rows.length === 0) return NOT_RUN;
  const titles = ['network', 'words', 'mitigation', 'area, % [95 %]', 'gain, points [95 %]'];
  return table([...titles, 'rates', 'fault-free accuracy, %', 'maps'], rows);
}

/** What int8 words change, and whether clipping helps them. @param {Tables} tables */
export function int8Words(tables) {
  const formats = ['alexnet', 'vgg16'].flatMap((model) => {
    const [float32, int8] = FORMATS.map((format) => halving(tables, `${model}-${format}`));
    return float32 && int8 ? [compareFormats(model, float32.rate, int8.rate)] : [];
  });
  const verdicts = PLACES.flatMap((place) => {
    const found = comparison(tables, place.key);
    return found ? [`- ${placeTitle(place)}:`, ...verdictsOf(found.pairs)] : [];
  });
  if (verdicts.length === 0) return NOT_RUN;
  return [...(formats.length > 0 ? [formats.join(' '), ''] : []), ...verdicts].join('\n');
}

/** @param {Tables} tables @param {string} key */
function halving(tables, key) {
  const found = comparison(tables, key);
  return found && { rate: halvingRate(found.points, found.areas[0].clean) };
}

/** @param {readonly Pair[]} pairs */
function verdictsOf(pairs) {
  return AGAINST.flatMap(([mitigation, reference]) => {
    const found = pairs.filter(
      (pair) => pair.mitigation === mitigation && pair.reference === reference,
    );
    if (found.length === 0) return [];
    return [`  - ${verdict(found, mitigation, shortTitle(reference))}`];
  });
}

/**
 * Accuracy of the whole network by rate: a row a rate, a column a combination of fault kind and mitigation.
 *
 * @param {Tables} tables
 */
export function resilience(tables) {
  return perPlace('resilience', tables.points, (points) => {
    const columns = distinct(points.map(columnOf));
    return accuracyTable(points, columns, columnOf);
  });
}

const columnOf = (/** @type {Point} */ { faultModel, mitigation }) =>
  `${faultModel}, ${mitigation}`;

/** Accuracies of all mitigations by rate. @param {Tables} tables */
export function mitigations(tables) {
  return perPlace('mitigations', tables.points, (points) => {
    const columns = distinct(points.map(({ mitigation }) => mitigationTitle(mitigation)));
    const known = accuracyTable(points, columns, ({ mitigation }) => mitigationTitle(mitigation));
    return `${known}\n\n${precisionText(points)}`;
  });
}

/** How wide the intervals are. @param {readonly Point[]} points */
function precisionText(points) {
  const halfWidths = points.map(({ accuracy: { low, high } }) => (high - low) / 2);
  const range = (/** @type {readonly number[]} */ values) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least === most ? String(most) : `${least} to ${most}`;
  };
  const [maps, images] = /** @type {const} */ (['maps', 'images']).map((name) =>
    range(points.map((point) => point[name])),
  );
  return `The widest of these intervals is ±${percent(Math.max(...halfWidths), 2)} points; ${maps} maps of ${images} images a point.`;
}

/**
 * @param {readonly Point[]} points
 * @param {readonly string[]} columns
 * @param {(point: Point) => string} columnOfPoint
 */
function accuracyTable(points, columns, columnOfPoint) {
  const rates = distinct(points.map(({ rate }) => rate));
  const rows = rates.map((rate) => [
    rateText(rate),
    ...columns.map((column) => {
      const point = points.find((found) => found.rate === rate && columnOfPoint(found) === column);
      return point ? estimateText(point.accuracy) : '';
    }),
  ]);
  return table(['fault rate', ...columns], rows);
}

/** Where faults hurt most, by layer or by bit. @param {Tables} tables @param {'layers' | 'bits'} kind */
export function scopes(tables, kind) {
  return perPlace(kind, tables.points, (points) => {
    const rows = worstScopes(points).map(({ mitigation, rate, best, lowest, halved }) => [
      ...[rate, mitigationTitle(mitigation), lowest, halved, best],
    ]);
    const what = kind === 'bits' ? 'bit' : 'layer';
    return table(
      [
        ...['fault rate', 'mitigation', `worst ${what}: accuracy, % [95 %]`],
        ...[`${what}s below half the highest accuracy`, 'highest accuracy, %'],
      ],
      rows,
    );
  });
}

/** Largest activation of each layer, clean and under faults. @param {Tables} tables */
export function distributions(tables) {
  const parts = ['alexnet', 'vgg16'].flatMap((model) => {
    const found = tables.distributions(`distributions-${model}`);
    if (!found) return [];
    return FORMATS.map((format) => {
      const rows = found.filter((row) => row.format === format);
      return `${placeTitle({ model, format })}:\n\n${largestTable(rows)}`;
    });
  });
  return parts.length === 0 ? NOT_RUN : parts.join('\n\n');
}

/** @param {readonly Distribution[]} rows */
function largestTable(rows) {
  const rates = distinct(rows.map(({ rate }) => rate));
  const text = (/** @type {Distribution | undefined} */ row) =>
    row === undefined ? '' : largestText(row);
  const largestText = (/** @type {Distribution} */ { largest, nonFinite }) =>
    `${largest?.toPrecision(3) ?? 'none finite'}${nonFinite > 0 ? ` (${nonFinite})` : ''}`;
  return table(
    ['layer', ...rates.map((rate) => (rate === 0 ? 'fault-free' : rateText(rate)))],
    distinct(rows.map(({ layer }) => layer)).map((layer) => [
      layer,
      ...rates.map((rate) => text(rows.find((row) => row.layer === layer && row.rate === rate))),
    ]),
  );
}

/** The best threshold of each layer's sweep. @param {Tables} tables */
export function sweep(tables) {
  return perPlace('sweep', tables.sweep, (layers) => {
    const rows = layers.map(({ layer, actMax, points }) => {
      const best = points.reduce((most, point) => (point.area > most.area ? point : most));
      const atMost = points.reduce((most, point) =>
        point.threshold > most.threshold ? point : most,
      );
      return [
        ...[layer, actMax.toPrecision(4), (best.threshold / actMax).toFixed(2)],
        ...[percent(best.area, 2), percent(atMost.area, 2)],
      ];
    });
    const titles = ['layer', 'ACT_max', 'best threshold / ACT_max', 'its area, %'];
    return table([...titles, 'area at the largest threshold, %'], rows);
  });
}

/** How the maps of a point spread. @param {Tables} tables */
export function spread(tables) {
  return perPlace('spread', tables.points, (points) => {
    const rows = points.map(({ rate, mitigation, images, accuracy, perMap, yield: good }) => [
      ...[rateText(rate), mitigationTitle(mitigation), estimateText(accuracy)],
      ...[perMap.worst, perMap.lowerQuartile, perMap.median].map((share) => percent(share)),
      ...[perMap.upperQuartile, perMap.best].map((share) => percent(share)),
      `${percent(good.share, 0)} [${percent(good.low, 0)}, ${percent(good.high, 0)}]${good.imagesNeeded > images ? '*' : ''}`,
    ]);
    const within = percent(points[0].yield.within, 0);
    return table(
      [
        ...['fault rate', 'mitigation', 'mean, % [95 %]', 'worst map', 'lower quartile', 'median'],
        ...['upper quartile', 'best map', `yield within ${within} points, % [95 %]`],
      ],
      rows,
    );
  });
}

/** Accuracy of the clip's variants. @param {Tables} tables @param {readonly Step[]} steps those of the study */
export function variants(tables, steps) {
  const rows = steps
    .filter(({ kind }) => kind === 'variants')
    .flatMap(({ name, model, format, granularity, clipPosition }) => {
      const points = tables.points(name) ?? [];
      return points
        .filter(({ mitigation }) => mitigation === 'clip')
        .map(({ rate, accuracy, difference }) => {
          const none = accuracyWithout(points.filter((point) => point.rate === rate));
          return [
            ...[modelTitle(model), format, rateText(rate), granularity, clipPosition],
            ...[estimateText(none), estimateText(accuracy), difference ? gainText(difference) : ''],
          ].map((cell) => cell ?? '');
        });
    });
  if (rows.length === 0) return NOT_RUN;
  return table(
    [
      ...['network', 'words', 'fault rate', 'a threshold each', 'clip at'],
      ...['unprotected, % [95 %]', 'clip, % [95 %]', 'gain, points [95 %]'],
    ],
    rows,
  );
}

/** Commands and times. @param {Tables} tables */
export function commands(tables) {
  const steps = tables.steps();
  if (steps.length === 0) return NOT_RUN;
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = steps.map(({ command, threads, seconds }) => [
    ...[`\`${command}\``, threads, timeText(seconds)],
  ]);
  return `${table(['command', 'threads', 'time'], rows)}\n\nIn all ${timeText(total)}.`;
}

/** Maps and images, where they are the same for all points. @param {readonly object[]} rows */
function sampleText(rows) {
  const samples = distinct(
    rows.map((row) =>
      'maps' in row && 'images' in row ? `, ${row.maps} maps × ${row.images} test images` : '',
    ),
  );
  return samples.length === 1 ? samples[0] : '';
}

/**
 * A table for each network and format that was run.
 *
 * @template {readonly object[]} T
 * @param {string} kind
 * @param {(name: string) => T | undefined} read
 * @param {(found: T) => string} text
 */
function perPlace(kind, read, text) {
  const parts = PLACES.flatMap((place) => {
    const found = read(`${kind}-${place.key}`);
    return found ? [`${placeTitle(place)}${sampleText(found)}:\n\n${text(found)}`] : [];
  });
  return parts.length === 0 ? NOT_RUN : parts.join('\n\n');
}
