import { InputError } from '../../core/index.js';
import { replayCommand } from '../execute/command-line.js';
import { executeTrials } from '../execute/threads.js';
import type { RestartListener } from '../execute/worker-thread.js';
import type { OtherSaver } from '../store/index.js';
import type { Condition } from '../study/conditions.js';
import type { Engine } from '../trial/engines.js';
import type { StudyData } from '../trial/study-data.js';
import type { Outcome, Trial, TrialResult } from '../trial/trial.js';

export interface RepeatOptions {
  readonly threads: number;
  readonly engine: Engine;
  readonly onRestart: RestartListener | undefined;
  /** Called before trials are run again. */
  readonly onRepeat: ((trials: readonly Trial[], by: OtherSaver['kind']) => void) | undefined;
}

/** The folder of a study, and what saved its trials. */
export interface SavedBy {
  readonly folder: string;
  readonly by: OtherSaver;
}

/**
 * Run one saved trial of each network and word format again, and compare all that is a result: the first one in which
 * faults had an effect, for without one it says nothing of most code; else the first.
 *
 * @param saved in the order of conditions and maps
 * @throws InputError naming the first trial that comes out differently, and in what
 */
export async function requireRepeated(
  data: StudyData,
  saved: readonly TrialResult[],
  { folder, by }: SavedBy,
  { threads, engine, onRestart, onRepeat }: RepeatOptions,
): Promise<void> {
  const chosen = chooseTrials(data.conditions, saved);
  if (chosen.length === 0) return;
  onRepeat?.(
    chosen.map(({ trial }) => trial),
    by.kind,
  );
  // A die that ended before all of its images has to end there again.
  const waiting = chosen.map(({ trial }) => ({ ...trial, images: mostImages(data, trial) }));
  const found: TrialResult[] = [];
  await executeTrials(data, {
    threads: Math.min(threads, waiting.length),
    engine,
    stopped: () => false,
    next: () => waiting.shift(),
    onRestart,
    onResult: (result) => found.push(result),
  });
  for (const before of chosen) {
    const { condition, map } = before.trial;
    const now = found.find(({ trial }) => trial.condition === condition && trial.map === map);
    if (!now) throw new Error(`no result of condition ${condition}, map ${map}`);
    const difference = firstDifference(before, now);
    if (difference === undefined) continue;
    throw new InputError(
      `${folder} ${notRepeated(by)}: condition ${condition}, map ${map}, ${difference}; ${remedy(by)}, or choose another folder; "${replayCommand(data.study, before.trial, data.workload.files)}" shows what is made of that trial now`,
    );
  }
}

function notRepeated(by: OtherSaver): string {
  return by.kind === 'code'
    ? 'was saved by other code, and this code does not repeat it'
    : `was saved where networks' islands were computed by ${by.before.join(' and by ')}, and ${by.now} does not repeat it`;
}

function remedy(by: OtherSaver): string {
  return by.kind === 'code'
    ? 'continue with the Bitcell that saved it'
    : 'continue with such an onnxruntime and processor';
}

/** The images that a trial may have at most. */
function mostImages({ study, conditions }: StudyData, { condition, images }: Trial): number {
  const isDie = conditions[condition].source.kind === 'dies';
  return isDie && study.images !== 'pilot' ? study.images : images;
}

function chooseTrials(
  conditions: readonly Condition[],
  saved: readonly TrialResult[],
): readonly TrialResult[] {
  const groups = new Map<string, TrialResult[]>();
  for (const result of saved) {
    const { model, format } = conditions[result.trial.condition];
    const key = JSON.stringify([model, format]);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].map(
    (results) =>
      results.find(({ outcomes }) => outcomes.some(({ firstLayer }) => firstLayer !== null)) ??
      results[0],
  );
}

/** The first mitigation under which two results of a trial differ, and all in which they do. */
function firstDifference(before: TrialResult, now: TrialResult): string | undefined {
  for (const outcome of before.outcomes) {
    const { mitigation } = outcome;
    const [was, is] = [
      fieldsOf(before, outcome),
      fieldsOf(
        now,
        now.outcomes.find((other) => other.mitigation === mitigation),
      ),
    ];
    // Older stores do not tell of repairs.
    if (!outcome.repairs) is.delete('repairs');
    const differences = [...new Set([...was.keys(), ...is.keys()])].filter(
      (name) => !Object.is(was.get(name), is.get(name)),
    );
    if (differences.length === 0) continue;
    const texts = differences.map((name) => `${name}: saved ${was.get(name)}, now ${is.get(name)}`);
    return `mitigation ${mitigation}: ${texts.join('; ')}`;
  }
  return undefined;
}

/** All that is a result of a trial under one mitigation, by name. */
function fieldsOf(result: TrialResult, outcome: Outcome | undefined): Map<string, unknown> {
  const { trial, outcomes: _others, ...shared } = result;
  const { mitigation: _name, seconds: _time, fixed, repairs, paired, ...counts } = outcome ?? {};
  return new Map(
    Object.entries({
      images: trial.images,
      ...shared,
      ...counts,
      ...(repairs && { repairs: JSON.stringify(repairs) }),
      ...paired,
      ...(fixed && { correctImages: fixed.correct, sdcImages: fixed.sdc }),
    }),
  );
}
