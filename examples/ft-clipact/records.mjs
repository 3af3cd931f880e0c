import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from 'bitcell/core';

const STUDIES = fileURLToPath(new URL('studies', import.meta.url));

/**
 * What a step did so far: the command and its study file, the seconds of all its runs, and, when it is complete, what
 * the command printed.
 *
 * @typedef {object} StepRecord
 * @property {string} step
 * @property {readonly string[]} command
 * @property {string} [study] SHA-256 of the study file
 * @property {number | null} threads null: all
 * @property {number} seconds
 * @property {unknown} [result]
 */

/** @param {string} out @param {string} name */
function recordFile(out, name) {
  return join(out, 'steps', `${name}.json`);
}

/**
 * The record of a step in an output folder, if it is one of the same command and study file.
 *
 * @param {string} out
 * @param {import('./steps.mjs').Step} step
 * @returns {StepRecord | undefined}
 * @throws {Error} when the folder holds the step with another size or another study file
 */
export function readRecord(out, step) {
  const file = recordFile(out, step.name);
  if (!existsSync(file)) return undefined;
  const record = JSON.parse(readFileSync(file, 'utf8'));
  const now = describe(step);
  for (const field of /** @type {const} */ (['command', 'study'])) {
    if (JSON.stringify(record[field]) === JSON.stringify(now[field])) continue;
    throw new Error(
      `${file} is of another ${field === 'command' ? 'command' : 'study file'}: choose another --out, or delete this file and ${join(out, 'stores', step.name)}`,
    );
  }
  return record;
}

/** @param {string} out @param {StepRecord} record */
export function writeRecord(out, record) {
  mkdirSync(join(out, 'steps'), { recursive: true });
  writeFileAtomic(recordFile(out, record.step), `${JSON.stringify(record)}\n`);
}

/** @param {import('./steps.mjs').Step} step */
export function describe({ name, command }) {
  const file = command.find((argument) => argument.startsWith('STUDIES/'));
  if (file === undefined) return { step: name, command };
  const content = readFileSync(file.replace('STUDIES', STUDIES));
  return { step: name, command, study: createHash('sha256').update(content).digest('hex') };
}

/**
 * A command with the paths of this computer.
 *
 * @param {readonly string[]} command
 * @param {string} out
 */
export function locate(command, out) {
  return command.map((argument) =>
    argument.replace(/^STUDIES(?=\/)/, () => STUDIES).replace(/^OUT(?=\/)/, () => out),
  );
}

/** A command as a reader types it. @param {readonly string[]} command */
export function showCommand(command) {
  const shown = command.map((argument) =>
    argument.replace(/^STUDIES(?=\/)/, 'examples/ft-clipact/studies'),
  );
  return `bitcell ${shown.join(' ')}`;
}
