import {
  accuracyByRate,
  accuracyByScope,
  accuracyOverMaps,
  activationDistributions,
  areaByThreshold,
} from 'bitcell/report';
import { modelTitle } from './markdown.mjs';

/** @import { Chart } from 'bitcell/report' */
/** @import { WordFormat } from 'bitcell/models' */
/** @import { Point, Tables } from './read-tables.mjs' */

/** @typedef {{ section: string, name: string, title: string, chart: Chart }} Plot */

/** @type {readonly WordFormat[]} */
const FORMATS = ['float32', 'int8'];

/**
 * Charts of a kind of step over the points of both word formats.
 *
 * @type {Readonly<Record<string, readonly [(rows: readonly Point[], title: string) => Chart, string]>>}
 */
const POINT_CHARTS = {
  resilience: [accuracyByRate, 'accuracy under faults in the whole network'],
  mitigations: [accuracyByRate, 'accuracy with each mitigation'],
  spread: [accuracyOverMaps, 'accuracies of the fault maps: quartiles, worst and best'],
  layers: [accuracyByScope, 'accuracy, %, under faults in one layer'],
};

/**
 * All charts that the tables allow: the section they belong to, their file name and their specification.
 *
 * @param {Tables} tables
 * @returns {Plot[]}
 */
export function planPlots(tables) {
  return ['alexnet', 'vgg16'].flatMap((model) => [
    ...Object.keys(POINT_CHARTS).flatMap((kind) => pointChart(tables, kind, model)),
    ...FORMATS.flatMap((format) => [
      ...bitChart(tables, model, format),
      ...distributionChart(tables, model, format),
      ...sweepChart(tables, model, format),
    ]),
  ]);
}

/**
 * @template T
 * @param {string} section
 * @param {string} name
 * @param {string} title
 * @param {(rows: T, title: string) => Chart} draw
 * @param {T} rows
 * @returns {Plot[]}
 */
function plot(section, name, title, draw, rows) {
  return [{ section, name, title, chart: draw(rows, title) }];
}

/** @param {Tables} tables @param {string} kind @param {string} model */
function pointChart(tables, kind, model) {
  const rows = FORMATS.flatMap((format) => tables.points(`${kind}-${model}-${format}`) ?? []);
  const [draw, what] = POINT_CHARTS[kind];
  if (rows.length === 0) return [];
  return plot(kind, `${kind}-${model}`, `${modelTitle(model)}: ${what}`, draw, rows);
}

/** @param {Tables} tables @param {string} model @param {WordFormat} format */
function bitChart(tables, model, format) {
  const name = `bits-${model}-${format}`;
  const rows = tables.points(name);
  const title = `${modelTitle(model)}, ${format} words: accuracy, %, under faults in one bit of all words`;
  return rows ? plot('bits', name, title, accuracyByScope, rows) : [];
}

/** @param {Tables} tables @param {string} model @param {WordFormat} format */
function distributionChart(tables, model, format) {
  const rows = tables.distributions(`distributions-${model}`);
  const unit = format === 'int8' ? 'accumulators' : 'activations';
  const title = `${modelTitle(model)}, ${format} words: positive ${unit}, fault-free and under faults`;
  if (!rows) return [];
  const own = rows.filter((row) => row.format === format);
  const name = `distributions-${model}-${format}`;
  return plot('distributions', name, title, activationDistributions, own);
}

/** @param {Tables} tables @param {string} model @param {WordFormat} format */
function sweepChart(tables, model, format) {
  const name = `sweep-${model}-${format}`;
  const rows = tables.sweep(name);
  const title = `${modelTitle(model)}, ${format} words: area under accuracy against fault rate by clip threshold`;
  return rows ? plot('sweep', name, title, areaByThreshold, rows) : [];
}
