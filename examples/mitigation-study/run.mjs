/**
 * Rival remedies on the same broken cells. From the root of a checkout (after `npm run build`) or of the installed
 * package:
 *
 *   node examples/mitigation-study/run.mjs [--out results/mitigation-study] [--only NAME,…] [--threads N] [--decide]
 *
 * Ctrl-C stops it; the same command continues. `--decide` runs nothing and decides from what the studies have so far.
 *
 * OUT/NAME is what a study saved, OUT/decisions/NAME.json what was decided. To renew the page in docs/:
 *
 *   cp results/mitigation-study/decisions/*.json examples/mitigation-study/decisions/
 *   node examples/mitigation-study/report.mjs
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InputError, writeFileAtomic } from 'bitcell/core';
import { bitcell } from '../ft-clipact/bitcell.mjs';

/** The studies, by the names of their files. */
export const STUDIES = ['int8', 'float32', 'vgg16-float32', 'vgg16-int8'];

/** Exit statuses of `cheapest` that come with a decision: met, none, undecided. */
const DECIDED = [0, 5, 6];

const studyFile = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`${name}.yaml`, import.meta.url));

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'results/mitigation-study' },
      only: { type: 'string' },
      threads: { type: 'string' },
      decide: { type: 'boolean', default: false },
    },
  });
  const out = resolve(values.out);
  const names = values.only?.split(',') ?? STUDIES;
  const unknown = names.find((name) => !STUDIES.includes(name));
  if (unknown) throw new InputError(`--only ${unknown}: the studies are ${STUDIES.join(', ')}`);
  mkdirSync(join(out, 'decisions'), { recursive: true });
  for (const name of names) {
    const folder = join(out, name);
    if (!values.decide) {
      const threads = values.threads === undefined ? [] : ['--threads', values.threads];
      const { status } = await bitcell([
        ...['run', studyFile(name), '--out', folder, '--resume', '--json'],
        ...threads,
      ]);
      if (status !== 0) return status;
    }
    writeFileAtomic(join(out, 'decisions', `${name}.json`), await decide(folder));
  }
  return 0;
}

/**
 * What `cheapest` says of a saved study, with the data cells that its prices are shares of.
 *
 * @param {string} folder
 * @throws {Error} when a command fails
 */
async function decide(folder) {
  const { decisions, complete } = JSON.parse(await output(['cheapest', folder, '--json'], DECIDED));
  const [{ model, format, accelerator }] = decisions;
  const place = ['--model', model, '--format', format, '--accelerator', accelerator];
  const { dataCells } = JSON.parse(await output(['mitigations', ...place, '--json', 'none'], [0]));
  return `${JSON.stringify({ complete, dataCells, decisions }, null, 1)}\n`;
}

/** @param {readonly string[]} args @param {readonly number[]} expected exit statuses */
async function output(args, expected) {
  const { status, stdout } = await bitcell(args);
  if (!expected.includes(status)) {
    throw new Error(`bitcell ${args.join(' ')} ended with status ${status}`);
  }
  return stdout;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
