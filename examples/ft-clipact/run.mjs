/**
 * FT-ClipAct's experiments, one after the other. From the root of a checkout (after `npm run build`) or of the
 * installed package:
 *
 *   node examples/ft-clipact/run.mjs [--quick] [--out results/ft-clipact] [--only NAME,…] [--threads N] [--dry-run]
 *
 * Ctrl-C stops it; the same command continues. `--only` takes names of steps or their beginnings (`spread-vgg16`).
 * `--quick` is a try of a few minutes, whose numbers mean nothing. `--dry-run` says how long the studies take.
 *
 * OUT/tables gets a table (CSV, JSON) for each step, OUT/report the page with its plots. To renew the page in docs/:
 *
 *   mkdir -p examples/ft-clipact/tables && cp results/ft-clipact/tables/*.csv examples/ft-clipact/tables/
 *   node examples/ft-clipact/report.mjs
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bitcell, bitcellOutput, INTERRUPTED } from './bitcell.mjs';
import { describe, locate, readRecord, showCommand, writeRecord } from './records.mjs';
import { writeReport } from './report.mjs';
import { chooseSteps, planSteps } from './steps.mjs';
import { writeTables } from './tables.mjs';

/** @import { Step } from './steps.mjs' */

const say = (/** @type {string} */ text) => process.stderr.write(`${text}\n`);

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      only: { type: 'string' },
      threads: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const out = resolve(values.out ?? `results/ft-clipact${values.quick ? '-quick' : ''}`);
  const plan = planSteps(values.quick);
  const steps = chooseSteps(plan, values.only?.split(','));
  if (values['dry-run']) return estimate(steps, values.threads);

  for (const folder of ['stores', 'profiles']) mkdirSync(join(out, folder), { recursive: true });
  /** @type {string[]} */
  const failed = [];
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.on('SIGINT', interrupt);
  for (const [index, step] of steps.entries()) {
    const place = `[${index + 1}/${steps.length}] ${step.name}`;
    const status = await runStep(step, out, values.threads, place);
    if (status === INTERRUPTED || interrupted) {
      say('interrupted: the same command continues');
      return INTERRUPTED;
    }
    if (status !== 0) failed.push(step.name);
  }
  process.off('SIGINT', interrupt);
  await writeTables(plan, out);
  await writeReport(join(out, 'tables'), join(out, 'report'));
  say(`tables: ${join(out, 'tables')}; page and plots: ${join(out, 'report')}`);
  if (values.quick) say('--quick: far too few maps and images for any conclusion');
  if (failed.length > 0) say(`failed: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

/**
 * @param {Step} step
 * @param {string} out
 * @param {string | undefined} threads
 * @param {string} place how messages name it
 * @returns {Promise<number>} the exit status of the command; 0 also when the step was complete before
 */
async function runStep(step, out, threads, place) {
  const before = readRecord(out, step);
  if (before?.result) {
    say(`${place}: complete, ${Math.round(before.seconds)} s`);
    return 0;
  }
  say(`${place}: ${showCommand(step.command)}`);
  const parallel = step.threads && threads !== undefined ? ['--threads', threads] : [];
  const started = performance.now();
  const { status, stdout } = await bitcell([...locate(step.command, out), ...parallel]);
  const seconds = (before?.seconds ?? 0) + (performance.now() - started) / 1000;
  writeRecord(out, {
    ...describe(step),
    threads: threads === undefined ? null : Number(threads),
    seconds,
    ...(status === 0 && { result: JSON.parse(stdout) }),
  });
  if (status !== 0 && status !== INTERRUPTED) say(`${place}: ended with status ${status}`);
  return status;
}

/**
 * Print what `bitcell run --dry-run` says of each study.
 *
 * @param {readonly Step[]} steps
 * @param {string | undefined} threads
 */
async function estimate(steps, threads) {
  let total = 0;
  for (const { name, kind, command } of steps) {
    if (command[0] !== 'run') {
      console.log(`${name}: ${kind} has no estimate`);
      continue;
    }
    const parallel = threads === undefined ? [] : ['--threads', threads];
    const output = await bitcellOutput([...locate(command, 'OUT'), ...parallel, '--dry-run']);
    const { points, trials, imageRuns, seconds } = JSON.parse(output);
    total += seconds;
    console.log(
      `${name}: ${points} points, ${trials} trials, ${imageRuns} image runs, ${Math.ceil(seconds)} s`,
    );
  }
  console.log(`in all at most about ${(total / 3600).toFixed(1)} h`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
