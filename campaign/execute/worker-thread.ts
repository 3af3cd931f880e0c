import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import {
  BitcellError,
  errorOf,
  isOutOfMemory,
  type PostedError,
  packageRoot,
  postedError,
} from '../../core/index.js';

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
 * @param file module of the bundle (`cli/bundle.js`), by its path within `dist`, whose default export is that of
 * `serveTasks`
 * @param data what the thread gets once; large arrays in shared memory
 */
export function startThread<Task, Result>(
  file: string,
  data: object,
  onRestart: RestartListener | undefined,
): TaskThread<Task, Result> {
  const path = join(packageRoot(), 'dist', 'bundle', file);
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
  // A pool of one: a task must run on the thread for which it was chosen.
  const pool = new Piscina<unknown, unknown>({
    filename: path,
    workerData: data,
    minThreads: 1,
    maxThreads: 1,
  });
  let ended: ThreadEnd | undefined;
  let reject: ((error: Error) => void) | undefined;
  const end = (error: unknown) => {
    ended ??= new ThreadEnd(describeEnd(error));
    reject?.(ended);
  };
  pool.on('error', end);
  // A task that its thread had not taken yet would wait for ever; of one that it had, the pool says more at once.
  pool.on('workerDestroy', () => setImmediate(end, new Error('without a word')));
  return {
    ask: (task) =>
      new Promise((resolve, rejectTask) => {
        reject = rejectTask;
        if (ended) rejectTask(ended);
        else pool.run(task).then(resolve, end);
      }),
    close: () => pool.destroy(),
  };
}

function describeEnd(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isOutOfMemory(error)) return 'ran out of memory';
  const [, code] = /^worker exited with code: (\d+)$/.exec(message) ?? [];
  return code === undefined ? `ended (${message})` : `ended with exit code ${code}`;
}

/**
 * The function of a worker module that does its tasks: its default export.
 *
 * @param create makes the function for all tasks from what the thread got; called with the first task, so that what
 * it throws is that task's error
 */
export function serveTasks<Data, Task>(
  create: (data: Data) => (task: Task) => unknown,
): (task: Task) => Reply<unknown> {
  let perform: ((task: Task) => unknown) | undefined;
  return (task) => {
    try {
      perform ??= create(Piscina.workerData as Data);
      return { result: perform(task) };
    } catch (error) {
      return { error: postedError(error) };
    }
  };
}
