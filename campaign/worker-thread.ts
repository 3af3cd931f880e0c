import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import {
  BitcellError,
  codeOf,
  errorOf,
  isOutOfMemory,
  type PostedError,
  packageRoot,
  postedError,
} from '../core/index.js';

/** A worker thread that does one task after the other. */
export interface TaskThread<Task, Result> {
  /**
   * Do a task; the one before must have ended. When the thread ends meanwhile (killed, out of memory), the task runs
   * once more on a fresh one.
   *
   * @throws the error of the task, with its class; WorkerError when the fresh thread ended, too
   */
  run(task: Task): Promise<Result>;
  close(): Promise<void>;
}

/** Is told how a thread ended whose task a fresh one takes over. */
export type RestartListener = (message: string) => void;

/** A task ended two worker threads one after the other, or no thread could be started for it. */
export class WorkerError extends BitcellError {}

type Reply<Result> = { readonly result: Result } | { readonly error: PostedError };

/** How a thread ended: not an answer to its task. */
class ThreadEnd extends Error {}

/**
 * Start a worker thread.
 *
 * @param file compiled module within `dist` that calls `serveTasks`
 * @param data what the thread gets once; large arrays in shared memory
 */
export function startThread<Task, Result>(
  file: string,
  data: object,
  onRestart: RestartListener | undefined,
): TaskThread<Task, Result> {
  const path = join(packageRoot(), 'dist', file);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\``);
  const start = () => startWorker(path, data);
  let worker = start();
  const attempt = async (task: Task): Promise<Result> => {
    const reply = await (worker.ask(task) as Promise<Reply<Result>>);
    if ('error' in reply) throw errorOf(reply.error);
    return reply.result;
  };
  return {
    async run(task) {
      try {
        return await attempt(task);
      } catch (error) {
        if (!(error instanceof ThreadEnd)) throw error;
        onRestart?.(`A worker thread ${error.message}; a fresh one does its work once more`);
      }
      await worker.close();
      worker = start();
      try {
        return await attempt(task);
      } catch (error) {
        if (!(error instanceof ThreadEnd)) throw error;
        throw new WorkerError(`A worker thread ${error.message}, and so did a fresh one`);
      }
    },
    close: () => worker.close(),
  };
}

interface StartedWorker {
  /** The answer to a task; rejects with a ThreadEnd when the thread has ended or ends before. */
  ask(task: unknown): Promise<unknown>;
  close(): Promise<void>;
}

function startWorker(path: string, data: object): StartedWorker {
  const worker = new Worker(path, { workerData: data });
  let ended: ThreadEnd | undefined;
  let waiting: { resolve(reply: unknown): void; reject(error: Error): void } | undefined;
  const end = (how: string) => {
    ended ??= new ThreadEnd(how);
    waiting?.reject(ended);
  };
  worker.on('message', (reply) => waiting?.resolve(reply));
  worker.on('error', (error) => end(describeEnd(error)));
  worker.on('exit', (code) => end(`ended with exit code ${code}`));
  return {
    ask: (task) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        if (ended) reject(ended);
        else worker.postMessage(task);
      }),
    async close() {
      await worker.terminate();
    },
  };
}

function describeEnd(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isOutOfMemory(error)) return 'ran out of memory';
  return codeOf(error) === 'ERR_WORKER_INIT_FAILED'
    ? `could not be started (${message})`
    : `ended (${message})`;
}

/**
 * Do the tasks that are posted to this worker thread.
 *
 * @param create makes the function for all tasks from what the thread got; called with the first task, so that what
 * it throws is that task's error
 */
export function serveTasks<Data, Task>(create: (data: Data) => (task: Task) => unknown): void {
  let perform: ((task: Task) => unknown) | undefined;
  parentPort?.on('message', (task: Task) => {
    parentPort?.postMessage(replyTo(task));
  });

  function replyTo(task: Task): Reply<unknown> {
    try {
      perform ??= create(workerData as Data);
      return { result: perform(task) };
    } catch (error) {
      return { error: postedError(error) };
    }
  }
}
