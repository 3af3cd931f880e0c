import { appendFileSync, existsSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, parseJson, readFileChecked, writeFileAtomic } from '../core/index.js';
import { trialKey } from './plan.js';
import type { TrialResult } from './trial.js';

/**
 * The folder of one study: `study.json` (everything its result depends on), `trials.jsonl` (one
 * line a finished trial, in the order in which they finished) and at the end `results.json`.
 */
export interface StudyStore {
  /** Trials that an earlier run of the same study finished. */
  readonly finished: readonly TrialResult[];
  append(result: TrialResult): void;
  writeResults(results: unknown): void;
}

/**
 * Open the folder of a study.
 *
 * @param configuration compared, as JSON, with the one stored in the folder
 * @param resume continue what the folder holds; otherwise it must not hold results
 * @throws InputError when the folder holds results and `resume` is false, or those of another study
 */
export function openStore(
  folder: string,
  configuration: Readonly<Record<string, unknown>>,
  resume: boolean,
): StudyStore {
  const studyFile = join(folder, 'study.json');
  const trialsFile = join(folder, 'trials.jsonl');
  const resuming = existsSync(studyFile);
  if (resuming && !resume) {
    throw new InputError(`${folder} already holds results: choose another folder or add --resume`);
  }
  if (resuming) {
    requireSameStudy(studyFile, configuration);
  } else {
    requireUnused(folder);
    writeFileAtomic(studyFile, `${JSON.stringify(configuration, null, 2)}\n`);
  }
  return {
    finished: resuming ? readTrials(trialsFile) : [],
    append: (result) => appendFileSync(trialsFile, `${JSON.stringify(result)}\n`),
    writeResults: (results) =>
      writeFileAtomic(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`),
  };
}

function requireUnused(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new InputError(`${folder} is a file: choose a folder for the results`);
  }
  if (readdirSync(folder).length > 0) {
    throw new InputError(`${folder} is not empty and holds no study: choose another folder`);
  }
}

function requireSameStudy(
  studyFile: string,
  configuration: Readonly<Record<string, unknown>>,
): void {
  const text = new TextDecoder().decode(readFileChecked(studyFile));
  const stored = { ...(parseJson(text, studyFile) as Record<string, unknown>) };
  const wanted = JSON.parse(JSON.stringify(configuration));
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(wanted)])];
  const differences = keys
    .filter((key) => JSON.stringify(stored[key]) !== JSON.stringify(wanted[key]))
    .map((key) => `${key} ${JSON.stringify(stored[key])} is now ${JSON.stringify(wanted[key])}`);
  if (differences.length > 0) {
    throw new InputError(`${studyFile} is of another study: ${differences.join('; ')}`);
  }
}

/** Read the finished trials; a last line that a killed run left half-written is cut off. */
function readTrials(file: string): TrialResult[] {
  if (!existsSync(file)) return [];
  const text = new TextDecoder().decode(readFileChecked(file));
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  if (complete.length < text.length) truncateSync(file, Buffer.byteLength(complete));
  const results = complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrialResult);
  return [...new Map(results.map((result) => [trialKey(result.trial), result])).values()];
}
