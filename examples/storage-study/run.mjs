/**
 * Weights against activations, accumulators, weight registers and multipliers, at equal rates per bit (rules.md). From
 * the root of a checkout (after `npm run build`) or of the installed package:
 *
 *   node examples/storage-study/run.mjs [--out results/storage-study] [--only NAME,…] [--threads N] [--print]
 *
 * Ctrl-C stops it; the same command continues. OUT/NAME is what a study saved. `--print` runs nothing and prints the
 * points that the studies have so far as one JSON object, by the names of the studies:
 *
 *   node examples/storage-study/run.mjs --print > examples/storage-study/points.json
 *   node examples/storage-study/report.mjs
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InputError } from 'bitcell/core';
import { bitcell } from '../ft-clipact/bitcell.mjs';

/** The studies, by the names of their files. */
export const STUDIES = ['alexnet', 'vgg16'].flatMap((model) =>
  ['int8', 'float32'].flatMap((format) =>
    ['array', 'activations', 'weights'].map((part) => `${model}-${format}-${part}`),
  ),
);

const studyFile = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`${name}.yaml`, import.meta.url));

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'results/storage-study' },
      only: { type: 'string' },
      threads: { type: 'string' },
      print: { type: 'boolean', default: false },
    },
  });
  const out = resolve(values.out);
  const names = values.only?.split(',') ?? STUDIES;
  const unknown = names.find((name) => !STUDIES.includes(name));
  if (unknown) throw new InputError(`--only ${unknown}: the studies are ${STUDIES.join(', ')}`);
  if (values.print) {
    stdout.write(`${JSON.stringify(await pointsOf(out, names), undefined, 1)}\n`);
    return 0;
  }
  for (const name of names) {
    const threads = values.threads === undefined ? [] : ['--threads', values.threads];
    const { status } = await bitcell([
      ...['run', studyFile(name), '--out', join(out, name), '--resume', '--json'],
      ...threads,
    ]);
    if (status !== 0) return status;
  }
  return 0;
}

/**
 * @param {string} out
 * @param {readonly string[]} names
 */
async function pointsOf(out, names) {
  /** @type {Record<string, unknown>} */
  const found = {};
  for (const name of names.filter((one) => existsSync(join(out, one)))) {
    const { stdout: text } = await bitcell(['results', join(out, name), '--json']);
    found[name] = JSON.parse(text).points.map(shownFields);
  }
  return found;
}

/** What the report shows of a point. @param {Record<string, unknown>} point */
function shownFields({
  model,
  format,
  storage,
  mitigation,
  rate,
  maps,
  accuracy,
  difference,
  faults,
}) {
  return { model, format, storage, mitigation, rate, maps, accuracy, difference, faults };
}

if (argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
