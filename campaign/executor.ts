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
  readonly signal: AbortSignal;
  /** The next trial to run; undefined when there is none. */
  readonly next: () => Trial | undefined;
  /** Called after each trial, in the order in which they finish. */
  readonly onResult: (result: TrialResult) => void;
}

/** Run trials on worker threads; resolves when all (or, after an abort, the started ones) are done. */
export async function executeTrials(
  data: StudyData,
  { threads, signal, next, onResult }: ExecutionOptions,
): Promise<void> {
  const workerData: WorkerData = { data, kernels: compileKernels() };
  const pool = new Piscina<Trial, TrialResult>({
    filename: workerFile(),
    workerData,
    minThreads: threads,
    maxThreads: threads,
  });
  const drain = async () => {
    while (!signal.aborted) {
      const trial = next();
      if (!trial) return;
      onResult(await pool.run(trial));
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, drain));
  } finally {
    await pool.destroy();
  }
}

/** Threads run compiled code, also when this module itself is run from source. */
function workerFile(): string {
  const beside = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'campaign', 'worker.js');
}
