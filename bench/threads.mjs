/**
 * Images a second of a whole network on 1, 2, … threads, each with a datapath of its own.
 * After `npm run build`: node bench/threads.mjs [--model vgg16] [--format int8] [--threads 2] [--batch 25] [--quick]
 * Prints JSON: the median of several rounds in which the numbers of threads take turns; `--quick` takes one short round.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadNetwork } from 'bitcell/campaign';
import { featureCount } from 'bitcell/core';
import { loadKernels } from 'bitcell/kernels';
import { createNetworkDatapath } from 'bitcell/sim';
import { measurement, printJson } from './measure.mjs';

if (isMainThread) await main();
else serve();

async function main() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'vgg16' },
      format: { type: 'string', default: 'int8' },
      threads: { type: 'string', default: String(availableParallelism()) },
      batch: { type: 'string', default: '25' },
      quick: { type: 'boolean', default: false },
    },
  });
  const { rounds, seconds, warmUp } = values.quick
    ? { rounds: 1, seconds: 0.05, warmUp: 0 }
    : { rounds: 5, seconds: 3, warmUp: 1 };
  const most = Number(values.threads);
  const kernels = loadKernels();
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
  await Promise.all(workers.map((worker) => ask(worker, warmUp)));
  const counts = Array.from({ length: most }, (_, index) => index + 1);
  /** @type {number[][]} */
  const speeds = counts.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const count of counts) {
      const results = await Promise.all(
        workers.slice(0, count).map((worker) => ask(worker, seconds)),
      );
      speeds[count - 1].push(
        results.reduce((sum, result) => sum + result.images / result.seconds, 0),
      );
    }
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  printJson({
    model: values.model,
    format: values.format,
    batch: Number(values.batch),
    points: counts.map((threads, index) => ({
      threads,
      speed: measurement('speed', 'images/s', speeds[index]),
      timesOneThread: measurement(
        'speed over that of one thread',
        '1',
        speeds[index].map((imagesPerSecond, round) => imagesPerSecond / speeds[0][round]),
      ),
    })),
    mebibytes: process.resourceUsage().maxRSS / 1024,
  });
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
    do {
      datapath.run(images, batch);
      count += batch;
    } while (performance.now() - start < seconds * 1000);
    parentPort?.postMessage({ images: count, seconds: (performance.now() - start) / 1000 });
  });
}
