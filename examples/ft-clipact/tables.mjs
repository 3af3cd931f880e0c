import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from 'bitcell/core';
import { bitcellOutput } from './bitcell.mjs';
import { AREA_COLUMNS, compareAreas, comparePairs, PAIR_COLUMNS } from './comparisons.mjs';
import { formatCsv, parseCsv } from './csv.mjs';
import { readRecord, showCommand } from './records.mjs';

/** @import { WordFormat } from 'bitcell/models' */
/** @import { Step } from './steps.mjs' */

/**
 * Activations as `bitcell profile --distributions` writes them: of each format the fault-free ones, then by rate.
 * @typedef {{ readonly name: string, readonly values: number, readonly nonFinite: number, readonly largest: number | null,
 *   readonly histogram: readonly { readonly from: number, readonly count: number }[] }} LayerActivations
 * @typedef {Readonly<Record<WordFormat, readonly { readonly rate: number, readonly layers: readonly LayerActivations[] }[]>>} Distributions
 */

/**
 * What `bitcell sweep --json` prints.
 * @typedef {{ readonly rates: readonly number[], readonly layers: readonly { readonly name: string, readonly actMax: number,
 *   readonly points: readonly { readonly threshold: number, readonly area: number }[] }[] }} Sweep
 */

const DISTRIBUTION_COLUMNS = [
  ...['format', 'rate', 'layer', 'values', 'non_finite', 'largest', 'octaves'],
];
const SWEEP_COLUMNS = ['layer', 'act_max', 'threshold', 'area', 'rates'];
const STEP_COLUMNS = ['step', 'command', 'threads', 'seconds'];

/**
 * Write the tables of the complete steps of an output folder, and one of the steps themselves, to OUT/tables.
 *
 * @param {import('./steps.mjs').Step[]} steps
 * @param {string} out
 */
export async function writeTables(steps, out) {
  mkdirSync(join(out, 'tables'), { recursive: true });
  const rows = [];
  for (const step of steps) {
    const record = readRecord(out, step);
    if (!record?.result) continue;
    const { threads, seconds } = record;
    const shown = {
      threads: step.threads ? (threads ?? 'all') : 1,
      seconds: seconds.toFixed(1),
    };
    rows.push({ step: step.name, command: showCommand(step.command), ...shown });
    if (isOlder(tableFile(out, step.name), join(out, 'steps', `${step.name}.json`))) {
      await writeTable(step, record.result, out);
    }
  }
  writeCsv(out, 'steps', STEP_COLUMNS, rows);
}

/** @param {string} file @param {string} other */
function isOlder(file, other) {
  return !existsSync(file) || statSync(file).mtimeMs < statSync(other).mtimeMs;
}

/** @param {string} out @param {string} name */
function tableFile(out, name, extension = 'csv') {
  return join(out, 'tables', `${name}.${extension}`);
}

/**
 * @param {string} out
 * @param {string} name
 * @param {readonly string[]} columns
 * @param {readonly Readonly<Record<string, unknown>>[]} rows
 */
function writeCsv(out, name, columns, rows) {
  writeFileAtomic(tableFile(out, name), formatCsv(columns, rows));
}

/** @param {Step} step @param {unknown} result what its command printed @param {string} out */
async function writeTable({ name, kind, model }, result, out) {
  if (kind === 'distributions') {
    const file = join(out, 'profiles', `${model}.distributions.json`);
    const rows = distributionRows(JSON.parse(readFileSync(file, 'utf8')));
    writeFileAtomic(tableFile(out, name, 'json'), `${JSON.stringify(rows)}\n`);
    writeCsv(out, name, DISTRIBUTION_COLUMNS, rows);
  } else if (kind === 'sweep') {
    writeFileAtomic(tableFile(out, name, 'json'), `${JSON.stringify(result)}\n`);
    writeCsv(out, name, SWEEP_COLUMNS, sweepRows(/** @type {Sweep} */ (result)));
  } else {
    await writeStudy(name, kind, out);
  }
}

/** @param {string} name @param {Step['kind']} kind @param {string} out */
async function writeStudy(name, kind, out) {
  const store = join(out, 'stores', name);
  if (kind === 'mitigations') {
    const trials = parseCsv(await bitcellOutput(['results', store, '--table', 'trial', '--csv']));
    writeCsv(out, `${name}-pairs`, PAIR_COLUMNS, comparePairs(trials));
    writeCsv(out, `${name}-areas`, AREA_COLUMNS, compareAreas(trials));
  }
  writeFileAtomic(tableFile(out, name, 'json'), await bitcellOutput(['results', store, '--json']));
  writeFileAtomic(tableFile(out, name), await bitcellOutput(['results', store, '--csv']));
}

/**
 * Of each word format the fault-free distributions and those at the lowest, middle and highest rate: a row a layer.
 * `octaves` holds `exponent:count` of the positive values from 2^exponent up to twice that.
 *
 * @param {Distributions} distributions
 */
function distributionRows(distributions) {
  return /** @type {const} */ (['float32', 'int8']).flatMap((format) => {
    const [clean, ...faulty] = distributions[format];
    const chosen = new Set([
      ...[faulty[0], faulty[Math.floor(faulty.length / 2)], faulty[faulty.length - 1]],
    ]);
    return [clean, ...chosen].flatMap(({ rate, layers }) =>
      layers.map((layer) => ({
        ...{ format, rate, layer: layer.name },
        values: layer.values + layer.nonFinite,
        non_finite: layer.nonFinite,
        largest: layer.largest,
        octaves: layer.histogram
          .filter(({ from }) => from > 0)
          .map(({ from, count }) => `${Math.log2(from)}:${count}`)
          .join(' '),
      })),
    );
  });
}

/** @param {Sweep} sweep */
function sweepRows({ layers, rates }) {
  return layers.flatMap(({ name, actMax, points }) =>
    points.map(({ threshold, area }) => ({
      ...{ layer: name, act_max: actMax, threshold, area },
      rates: rates.map((rate) => rate.toExponential()).join(' '),
    })),
  );
}
