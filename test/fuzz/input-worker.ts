import { parentPort, workerData } from 'node:worker_threads';
import { inputReaders } from './input-readers.js';
import { type Finding, tryInput } from './try-input.js';

/** What a worker is given: every `step`-th input from `first` on. */
export interface InputWorkerData {
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly step: number;
  /** The number of the input that is tried, for the watchdog. */
  readonly current: Int32Array;
}

/** What a worker posts: a finding, or how many inputs it has read and refused since the last time. */
export type InputWorkerMessage =
  | { readonly finding: Finding }
  | { readonly read: number; readonly refused: number };

const REPORT_EVERY = 500;

const { seed, first, end, step, current } = workerData as InputWorkerData;
const readers = inputReaders();
const counts = { read: 0, refused: 0 };
const post = (message: InputWorkerMessage) => parentPort?.postMessage(message);

for (let index = first; index < end; index += step) {
  Atomics.store(current, 0, index);
  const verdict = tryInput(readers, seed, index);
  if (typeof verdict === 'string') counts[verdict] += 1;
  else post({ finding: verdict });
  if (counts.read + counts.refused < REPORT_EVERY) continue;
  post(counts);
  counts.read = 0;
  counts.refused = 0;
}
post(counts);
