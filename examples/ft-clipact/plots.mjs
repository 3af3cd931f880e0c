import {
  accuracyByRate,
  accuracyByScope,
  accuracyOverMaps,
  activationDistributions,
  areaByThreshold,
} from 'bitcell/report';
import { modelTitle } from './markdown.mjs';

const FORMATS = ['float32', 'int8'];

/** Charts of a kind of step over the points of both word formats. */
const POINT_CHARTS = {
  resilience: [accuracyByRate, 'accuracy under faults in the whole network'],
  mitigations: [accuracyByRate, 'accuracy with each mitigation'],
  spread: [accuracyOverMaps, 'accuracies of the fault maps: quartiles, worst and best'],
  layers: [accuracyByScope, 'accuracy, %, under faults in one layer'],
};

/**
 * All charts that the tables allow: the section they belong to, their file name and their specification.
 *
 * @param tables of `openTables`
 * @returns {{ section: string, name: string, title: string, chart: object }[]}
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

function plot(section, name, title, draw, rows) {
  return [{ section, name, title, chart: draw(rows, title) }];
}

function pointChart(tables, kind, model) {
  const rows = FORMATS.flatMap((format) => tables.points(`${kind}-${model}-${format}`) ?? []);
  const [draw, what] = POINT_CHARTS[kind];
  if (rows.length === 0) return [];
  return plot(kind, `${kind}-${model}`, `${modelTitle(model)}: ${what}`, draw, rows);
}

function bitChart(tables, model, format) {
  const name = `bits-${model}-${format}`;
  const rows = tables.points(name);
  const title = `${modelTitle(model)}, ${format} words: accuracy, %, under faults in one bit of all words`;
  return rows ? plot('bits', name, title, accuracyByScope, rows) : [];
}

function distributionChart(tables, model, format) {
  const rows = tables.distributions(`distributions-${model}`);
  const unit = format === 'int8' ? 'accumulators' : 'activations';
  const title = `${modelTitle(model)}, ${format} words: positive ${unit}, fault-free and under faults`;
  if (!rows) return [];
  const own = rows.filter((row) => row.format === format);
  const name = `distributions-${model}-${format}`;
  return plot('distributions', name, title, activationDistributions, own);
}

function sweepChart(tables, model, format) {
  const name = `sweep-${model}-${format}`;
  const rows = tables.sweep(name);
  const title = `${modelTitle(model)}, ${format} words: area under accuracy against fault rate by clip threshold`;
  return rows ? plot('sweep', name, title, areaByThreshold, rows) : [];
}
