import { BitcellError, InputError, memoryForSpeed } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import type { Engine } from '../trial/engines.js';
import type { StudyData } from '../trial/study-data.js';
import type { Trial, TrialResult } from '../trial/trial.js';
import { replayCommand } from './command-line.js';
import type { WorkerData } from './worker.js';
import {
  type RestartListener,
  startThread,
  type TaskThread,
  WorkerError,
} from './worker-thread.js';

export interface ExecutionOptions {
  readonly threads: number;
  readonly engine: Engine;
  /** Asked before each trial; once it is true, running trials finish and no new one starts. */
  readonly stopped: () => boolean;
  /** The next trial for a thread, by its number; undefined when there is none before a running one has ended. */
  readonly next: (thread: number) => Trial | undefined;
  readonly onRestart: RestartListener | undefined;
  /** Called after each trial, in the order in which they finish. */
  readonly onResult: (result: TrialResult) => void;
}

/**
 * Run trials on worker threads; resolves when all (or, once stopped, the started ones) are done. After an error no
 * new trial starts, and the running ones finish.
 *
 * @throws the first error of a trial; WorkerError when it ended two threads
 */
export async function executeTrials(
  data: StudyData,
  { threads, engine, stopped, next, onRestart, onResult }: ExecutionOptions,
): Promise<void> {
  const options = { engine, deltaBytes: memoryForSpeed() / threads };
  const workerData: WorkerData = { data, kernels: loadKernels(), options };
  const workers = Array.from({ length: threads }, () =>
    startThread<Trial, TrialResult>('campaign/execute/worker.js', workerData, onRestart),
  );
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const runOn = async (worker: TaskThread<Trial, TrialResult>, trial: Trial) => {
    try {
      onResult(await worker.run(trial));
    } catch (error) {
      failure ??= { error: describeFailure(error, data, trial) };
    }
  };
  const drain = async (worker: TaskThread<Trial, TrialResult>, thread: number) => {
    while (!failure && !stopped()) {
      const trial = next(thread);
      if (trial) {
        const ended = runOn(worker, trial).finally(() => running.delete(ended));
        running.add(ended);
        await ended;
      } else if (running.size > 0) {
        await Promise.race(running);
      } else {
        return;
      }
    }
  };
  try {
    await Promise.all(workers.map(drain));
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
  if (failure) throw failure.error;
}

/** An error with the trial that it came from, which a thread does not know by name. */
function describeFailure(
  error: unknown,
  { study, conditions, workload }: StudyData,
  trial: Trial,
): unknown {
  const { model, format } = conditions[trial.condition];
  const network = `${model} with ${format} words`;
  if (error instanceof InputError) {
    return new InputError(`${network}: ${error.message}`, { cause: error });
  }
  if (!(error instanceof Error)) return error;
  const where = `condition ${trial.condition}, map ${trial.map}, of ${network}`;
  const message = `${error.message}, at ${where}; "${replayCommand(study, trial, workload.files)}" runs that trial alone`;
  if (error instanceof WorkerError) return new WorkerError(message, undefined, { cause: error });
  if (error instanceof BitcellError) return error;
  const described = new Error(message, { cause: error });
  // That of the thread, where it happened.
  if (error.stack !== undefined) described.stack = error.stack;
  return described;
}
