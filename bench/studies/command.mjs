import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openResults } from 'bitcell/campaign';

const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/**
 * A row of the table `trial`.
 * @typedef {{ pilot: boolean, map: number, images: number, correct: number, effective: number, rate: number, mitigation: string }} TrialRow
 */

/**
 * Run a study as a user does, in a process of its own with a store.
 * @param {readonly string[]} options of `bitcell run`
 * @returns {Promise<{ seconds: number, points: import('bitcell/campaign').StudyPoint[], trials: TrialRow[] }>}
 *   `seconds` are those of the whole process
 */
export async function runCommand(options) {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-bench-'));
  try {
    const out = join(folder, 'study');
    const started = performance.now();
    const args = [COMMAND, 'run', ...options, '--out', out, '--json', '--quiet'];
    const text = execFileSync(process.execPath, args, { maxBuffer: 2 ** 28 });
    const seconds = (performance.now() - started) / 1000;
    const { points } = JSON.parse(text.toString());
    return { seconds, points, trials: await readTrials(out) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder */
async function readTrials(folder) {
  const stored = await openResults(folder);
  try {
    const { columns, rows } = await stored.rows('trial', {});
    return rows.map((row) => {
      const cells = Object.fromEntries(row.map((cell, at) => [columns[at], cell]));
      return /** @type {TrialRow} */ ({ ...cells, effective: Number(cells.effective) });
    });
  } finally {
    stored.close();
  }
}

/**
 * Images that went through a network with faults in its weights.
 * @param {readonly TrialRow[]} trials
 */
export function faultyImageRuns(trials) {
  return trials
    .filter(({ effective }) => effective > 0)
    .reduce((sum, { images }) => sum + images, 0);
}
