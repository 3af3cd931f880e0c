import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { packageRoot } from '../core/index.js';
import { compileKernels } from '../kernels/index.js';
import type { StudyData } from './context.js';
import type { Trial, TrialResult } from './trial.js';
import type { WorkerData } from './worker.js';

export interface ExecutionOptions {
  readonly threads: number;
  /** When it aborts, running trials finish and no new one starts. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each trial, in the order in which they finish. */
  readonly onResult: (result: TrialResult) => void;
}

/** Run trials on worker threads; resolves when all (or, after an abort, the started ones) are done. */
export async function executeTrials(
  data: StudyData,
  trials: readonly Trial[],
  { threads, signal, onResult }: ExecutionOptions,
): Promise<void> {
  if (trials.length === 0) return;
  const size = Math.min(threads, trials.length);
  const workerData: WorkerData = { data, kernels: compileKernels() };
  const pool = new Piscina<Trial, TrialResult>({
    filename: workerFile(),
    workerData,
    minThreads: size,
    maxThreads: size,
  });
  let next = 0;
  const drain = async () => {
    while (next < trials.length && !signal?.aborted) {
      const trial = trials[next];
      next += 1;
      onResult(await pool.run(trial));
    }
  };
  try {
    await Promise.all(Array.from({ length: size }, drain));
  } finally {
    await pool.destroy();
  }
}

/** Threads run compiled code, also when this module itself is run from source. */
function workerFile(): string {
  const beside = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'campaign', 'worker.js');
}
