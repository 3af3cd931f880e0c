/**
 * Whole networks, Bitcell against onnxruntime, in one run: rounds alternate between the two, and the
 * median of the rounds' ratios counts. After `npm run build`:
 *   node bench/onnxruntime.mjs [--json] [--rounds N] [--threads 1,2] [--batches 1,16,64] [MODEL.onnx …]
 * Without models: those of the zoo. Two threads are two worker
 * threads of Bitcell with a batch each, and two threads of one onnxruntime session.
 */
import { cpus, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { featureCount } from '../dist/core/index.js';
import { compileKernels } from '../dist/kernels/index.js';
import { dequantize, resolveModel, writeFloat32, writeQdq } from '../dist/models/index.js';
import { createNetworkDatapath } from '../dist/sim/index.js';

/** @import { Network } from '../dist/models/index.js' */

const SECONDS_PER_ROUND = 0.5;

/** @param {string} model */
function loadModel(model) {
  const network = resolveModel(model);
  if (network.format !== 'int8') throw new Error(`${model} is not quantised.`);
  return network;
}

/** @param {number} length */
function randomImages(length) {
  return Float32Array.from({ length }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 16) / 2 ** 15 - 1);
}

/**
 * Seconds of `repeats` runs.
 * @param {() => void | Promise<unknown>} run
 * @param {number} repeats
 */
async function time(run, repeats) {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) await run();
  return (performance.now() - start) / 1000;
}

/**
 * Runs that take about SECONDS_PER_ROUND; they also let V8 optimise the kernels.
 * @param {() => void | Promise<unknown>} run
 */
async function calibrateRepeats(run) {
  for (let repeats = 1; ; repeats *= 2) {
    const seconds = await time(run, repeats);
    if (seconds > SECONDS_PER_ROUND / 2) {
      return Math.max(1, Math.round((repeats * SECONDS_PER_ROUND) / seconds));
    }
  }
}

/**
 * @param {Network} network
 * @param {import('../dist/kernels/index.js').KernelModule} kernels
 * @param {number} batch
 */
function createRun(network, kernels, batch) {
  const datapath = createNetworkDatapath(network, kernels, batch);
  const images = randomImages(batch * featureCount(network.tensors[network.input].shape));
  return () => void datapath.run(images, batch);
}

/** A worker runs its batch each time it is told to. */
function serve() {
  const { network, kernels, batch } = workerData;
  const run = createRun(network, kernels, batch);
  parentPort?.on('message', () => {
    run();
    parentPort?.postMessage('done');
  });
}

/**
 * @param {Network} network
 * @param {number} threads
 * @param {number} batch
 */
function bitcell(network, threads, batch) {
  const kernels = compileKernels();
  if (threads === 1) return { run: createRun(network, kernels, batch), close: () => {} };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: { network, kernels, batch } }),
  );
  const run = () =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve) => {
            worker.once('message', resolve);
            worker.postMessage('run');
          }),
      ),
    );
  return { run, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}

/**
 * @param {Network} network
 * @param {number} threads
 * @param {number} batch
 */
async function onnxruntime(network, threads, batch) {
  const bytes = network.format === 'int8' ? writeQdq(network) : writeFloat32(network);
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const { channels, height, width } = network.tensors[network.input].shape;
  const dims = [batch, channels, height, width];
  const images = new Tensor('float32', randomImages(batch * channels * height * width), dims);
  const feeds = { [session.inputNames[0]]: images };
  return { run: () => session.run(feeds), close: () => session.release() };
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/**
 * @param {Network} network
 * @param {number} threads
 * @param {number} batch
 * @param {number} rounds
 */
async function compare(network, threads, batch, rounds) {
  const ours = bitcell(network, threads, batch);
  const theirs = await onnxruntime(network, threads, batch);
  const ourRepeats = await calibrateRepeats(ours.run);
  const theirRepeats = await calibrateRepeats(theirs.run);
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const our = (threads * batch * ourRepeats) / (await time(ours.run, ourRepeats));
    const their = (batch * theirRepeats) / (await time(theirs.run, theirRepeats));
    samples.push({ our, their, ratio: our / their });
  }
  await ours.close();
  await theirs.close();
  return {
    network: network.name,
    format: network.format,
    batch,
    threads,
    imagesPerSecond: Math.round(median(samples.map(({ our }) => our))),
    onnxruntimeImagesPerSecond: Math.round(median(samples.map(({ their }) => their))),
    medianRatio: Number(median(samples.map(({ ratio }) => ratio)).toFixed(3)),
  };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '7' },
      threads: { type: 'string', default: '1,2' },
      batches: { type: 'string', default: '1,16,64' },
      formats: { type: 'string', default: 'int8,float32' },
    },
  });
  const models = positionals.length > 0 ? positionals : ['alexnet', 'vgg16'];
  const rows = [];
  for (const model of models) {
    const quantized = loadModel(model);
    for (const format of values.formats.split(',')) {
      const network = format === 'int8' ? quantized : dequantize(quantized);
      for (const threads of values.threads.split(',').map(Number)) {
        for (const batch of values.batches.split(',').map(Number)) {
          const row = await compare(network, threads, batch, Number(values.rounds));
          if (!values.json) {
            process.stdout.write(
              `${model} ${format}, batch ${batch}, threads ${threads}: ${row.imagesPerSecond} images/s, onnxruntime ${row.onnxruntimeImagesPerSecond}, ratio ${row.medianRatio}\n`,
            );
          }
          rows.push(row);
        }
      }
    }
  }
  if (!values.json) return;
  const result = {
    schemaVersion: 1,
    node: process.version,
    cpu: cpus()[0].model,
    load: loadavg()[0],
    rows,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

if (isMainThread) await main();
else serve();
