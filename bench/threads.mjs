/**
 * Images a second of a whole network on 1, 2, … threads, each with a datapath of its own.
 * After `npm run build`: node bench/threads.mjs [--model vgg16] [--format int8] [--threads 2] [--batch 25]
 * Prints JSON: the median of several rounds in which the numbers of threads take turns.
 */
import { once } from 'node:events';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadNetwork } from '../dist/campaign/index.js';
import { featureCount } from '../dist/core/index.js';
import { compileKernels } from '../dist/kernels/index.js';
import { createNetworkDatapath } from '../dist/sim/index.js';

const ROUNDS = 5;
const SECONDS = 3;

if (isMainThread) await main();
else serve();

async function main() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'vgg16' },
      format: { type: 'string', default: 'int8' },
      threads: { type: 'string', default: String(availableParallelism()) },
      batch: { type: 'string', default: '25' },
    },
  });
  const most = Number(values.threads);
  const kernels = compileKernels();
  const workers = Array.from(
    { length: most },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: { ...values, kernels } }),
  );
  /** @type {(worker: Worker, seconds: number) => Promise<{ images: number, seconds: number }>} */
  const ask = async (worker, seconds) => {
    const answer = once(worker, 'message');
    worker.postMessage(seconds);
    const [result] = await answer;
    return result;
  };
  await Promise.all(workers.map((worker) => ask(worker, 1)));
  const counts = Array.from({ length: most }, (_, index) => index + 1);
  /** @type {number[][]} */
  const speeds = counts.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of counts) {
      const results = await Promise.all(
        workers.slice(0, count).map((worker) => ask(worker, SECONDS)),
      );
      speeds[count - 1].push(
        results.reduce((sum, { images, seconds }) => sum + images / seconds, 0),
      );
    }
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  const median = (/** @type {number[]} */ numbers) =>
    numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
  const ratios = speeds.map((speed) =>
    median(speed.map((imagesPerSecond, round) => imagesPerSecond / speeds[0][round])),
  );
  const result = {
    model: values.model,
    format: values.format,
    batch: Number(values.batch),
    node: process.version,
    processor: cpus()[0].model,
    load: loadavg()[0],
    points: counts.map((threads, index) => ({
      threads,
      imagesPerSecond: median(speeds[index]),
      timesOneThread: ratios[index],
    })),
    mebibytes: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(result, null, 2));
}

/** Runs batches for as many seconds as each message says. */
function serve() {
  const { model, format, batch: batchText, kernels } = workerData;
  const batch = Number(batchText);
  const network = loadNetwork(model, format);
  const datapath = createNetworkDatapath(network, kernels, batch);
  const length = batch * featureCount(network.tensors[network.input].shape);
  const images = Float32Array.from({ length }, (_, index) => 2 * Math.sin(index * 12.9898));
  parentPort?.on('message', (seconds) => {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < seconds * 1000) {
      datapath.run(images, batch);
      count += batch;
    }
    parentPort?.postMessage({ images: count, seconds: (performance.now() - start) / 1000 });
  });
}
