import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { showProgress } from '../../cli/print/progress.js';
import { EXIT, writeFileAtomic } from '../../core/index.js';
import { inputReaders } from './input-readers.js';
import type { InputWorkerData, InputWorkerMessage } from './input-worker.js';
import { fuzzStores } from './stores.js';
import { type Finding, inputAt } from './try-input.js';

const USAGE = `usage: npm run fuzz -- [--inputs N] [--stores N] [--seed S] [--threads N] [--from N] [--out FOLDER]
Gives changed files to every reader of text and of ONNX: each must be read, or refused with one sentence, within
20 seconds and 1 GB. Then damages stores of studies, with the same demand. --from begins with a later input; --out is
where inputs are saved that were not.
`;

/** The longest that an input may take; most take less than a millisecond. */
const MOST_SECONDS = 20;
/** Of the whole process, with all its threads. */
const MOST_BYTES = 1e9;
const LOOK_EVERY_MS = 500;

interface Run {
  readonly inputs: number;
  readonly stores: number;
  readonly seed: number;
  readonly threads: number;
  readonly from: number;
  readonly out: string;
}

function parse(): Run {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '1000000' },
      stores: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      from: { type: 'string', default: '0' },
      out: { type: 'string', default: '.' },
    },
  });
  const [inputs, stores, seed, threads, from] = [
    values.inputs,
    values.stores,
    values.seed,
    values.threads,
    values.from,
  ].map(Number);
  const isWhole = [inputs, stores, seed, threads, from].every(
    (number) => Number.isSafeInteger(number) && number >= 0,
  );
  if (!isWhole || threads < 1) throw new Error('expected whole numbers');
  return { inputs, stores, seed, threads, from, out: values.out };
}

/** Tries the inputs on threads, each of which is replaced where an input ends it or takes too long. */
async function tryInputs(
  { inputs, seed, threads, from }: Run,
  onFinding: (finding: Finding) => void,
) {
  const readers = inputReaders();
  const counts = { read: 0, refused: 0, peakBytes: 0 };
  const progress = showProgress('inputs', false);
  const lost = (index: number, problem: string) =>
    onFinding({ index, problem, ...inputAt(readers, seed, index) });

  const tryShare = (first: number): Promise<void> =>
    new Promise((resolve) => {
      const current = new Int32Array(new SharedArrayBuffer(4)).fill(first);
      const data: InputWorkerData = { seed, first, end: inputs, step: threads, current };
      const worker = new Worker(new URL('./input-worker.js', import.meta.url), {
        workerData: data,
      });
      let latest = { index: -1, since: performance.now() };
      let problem: string | undefined;
      const watch = setInterval(() => {
        const index = Atomics.load(current, 0);
        if (index !== latest.index) latest = { index, since: performance.now() };
        const bytes = process.memoryUsage.rss();
        counts.peakBytes = Math.max(counts.peakBytes, bytes);
        if (bytes > MOST_BYTES) problem ??= `${Math.round(bytes / 1e6)} MB`;
        else if (performance.now() - latest.since > 1000 * MOST_SECONDS)
          problem ??= `${MOST_SECONDS} s`;
        if (problem !== undefined) void worker.terminate();
      }, LOOK_EVERY_MS);
      worker.on('message', (message: InputWorkerMessage) => {
        if ('finding' in message) {
          onFinding(message.finding);
          return;
        }
        counts.read += message.read;
        counts.refused += message.refused;
        progress.listener(counts.read + counts.refused, inputs - from);
      });
      worker.on('error', (error) => {
        problem ??= String(error.stack);
      });
      worker.on('exit', () => {
        clearInterval(watch);
        const index = Atomics.load(current, 0);
        if (problem === undefined) return resolve();
        lost(index, problem);
        resolve(index + threads < inputs ? tryShare(index + threads) : undefined);
      });
    });

  const started = performance.now();
  await Promise.all(Array.from({ length: threads }, (_, thread) => tryShare(from + thread)));
  progress.stop();
  return { ...counts, seconds: (performance.now() - started) / 1000 };
}

/** Damages stores; one that is neither read nor refused ends it, and stays where it is. */
async function damageStores({ stores, seed }: Run, onFinding: (problem: string) => void) {
  const progress = showProgress('damaged stores', false);
  const { read, refused, failure } = await fuzzStores({
    cases: stores,
    seed,
    onCase: (done) => progress.listener(done, stores),
  });
  progress.stop();
  if (failure) onFinding(`store ${failure.case}, left in ${failure.folder}: ${failure.what}`);
  return { read, refused };
}

async function main(): Promise<number> {
  let run: Run;
  try {
    run = parse();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    return EXIT.input;
  }
  let findings = 0;
  const counts = await tryInputs(run, ({ index, reader, problem, bytes }) => {
    findings += 1;
    const file = join(run.out, `fuzz-${reader}-${run.seed}-${index}`);
    writeFileAtomic(file, bytes);
    process.stderr.write(`input ${index} of ${reader}, saved in ${file}: ${problem}\n`);
  });
  const damaged = await damageStores(run, (problem) => {
    findings += 1;
    process.stderr.write(`${problem}\n`);
  });
  process.stdout.write(`${JSON.stringify({ ...run, findings, ...counts, damaged })}\n`);
  return findings === 0 ? EXIT.ok : EXIT.failed;
}

process.exitCode = await main();
