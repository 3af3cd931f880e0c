import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { packageRoot } from '../core/index.js';
import { compileKernels } from '../kernels/index.js';
import type { StudyData } from './context.js';
import type { Engine } from './predict.js';
import type { Trial, TrialResult } from './trial.js';
import type { WorkerData } from './worker.js';

export interface ExecutionOptions {
  readonly threads: number;
  readonly engine: Engine;
  /** Asked before each trial; once it is true, running trials finish and no new one starts. */
  readonly stopped: () => boolean;
  /** The next trial for a thread, by its number; undefined when there is none before a running one has ended. */
  readonly next: (thread: number) => Trial | undefined;
  /** Called after each trial, in the order in which they finish. */
  readonly onResult: (result: TrialResult) => void;
}

/** Bytes that all threads may take together for following changes through fixed images. */
const DELTA_BYTES = 320 * 2 ** 20;

/** Run trials on worker threads; resolves when all (or, once stopped, the started ones) are done. */
export async function executeTrials(
  data: StudyData,
  { threads, engine, stopped, next, onResult }: ExecutionOptions,
): Promise<void> {
  const options = { engine, deltaBytes: DELTA_BYTES / threads };
  const workerData: WorkerData = { data, kernels: compileKernels(), options };
  // A pool of one for each thread: a trial must run on the thread for which it was chosen.
  const pools = Array.from(
    { length: threads },
    () =>
      new Piscina<Trial, TrialResult>({
        filename: workerFile(),
        workerData,
        minThreads: 1,
        maxThreads: 1,
      }),
  );
  const running = new Set<Promise<void>>();
  const drain = async (pool: Piscina<Trial, TrialResult>, thread: number) => {
    while (!stopped()) {
      const trial = next(thread);
      if (trial) {
        const result = pool.run(trial).then(onResult);
        const ended = result.finally(() => running.delete(ended));
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
    await Promise.all(pools.map(drain));
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

/** Threads run compiled code, also when this module itself is run from source. */
function workerFile(): string {
  const beside = fileURLToPath(new URL('./worker.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'campaign', 'worker.js');
}
