/**
 * Whole networks, Bitcell against onnxruntime, in one run: rounds alternate between the two, and the
 * median of the rounds' ratios counts. After `npm run build`:
 *   node bench/onnxruntime.mjs [--json] [--rounds N] [--threads 1,2] [--batches 1,16,64] [--quick] [MODEL.onnx …]
 * BITCELL_KERNELS says which kernels are compared. Without models: those of the zoo. `--quick` times one round of a few runs. Two threads are two worker
 * threads of Bitcell with a batch each, and two threads of one onnxruntime session.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { featureCount } from 'bitcell/core';
import { kernelsInUse, loadKernels } from 'bitcell/kernels';
import { dequantize, resolveModel, writeFloat32, writeQdq } from 'bitcell/models';
import { createNetworkDatapath } from 'bitcell/sim';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import { measurement, printJson, timed } from '/work/wt/int8/bench/measure.mjs';

/** @import { Network } from 'bitcell/models' */

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
function time(run, repeats) {
  const start = process.cpuUsage();
  return (async () => { for (let i = 0; i < repeats; i++) await run(); const {user,system}=process.cpuUsage(start); return (user+system)/1e6; })();
}

/**
 * Runs that take about so many seconds; they also let V8 optimise the kernels.
 * @param {() => void | Promise<unknown>} run
 * @param {number} roundSeconds
 */
async function calibrateRepeats(run, roundSeconds) {
  for (let repeats = 1; ; repeats *= 2) {
    const seconds = await time(run, repeats);
    if (seconds > roundSeconds / 2) {
      return Math.max(1, Math.round((repeats * roundSeconds) / seconds));
    }
  }
}

/**
 * @param {Network} network
 * @param {import('bitcell/kernels').KernelCode} kernels
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
  const kernels = loadKernels();
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

/**
 * @param {Network} network
 * @param {number} threads
 * @param {number} batch
 * @param {{ rounds: number, roundSeconds: number }} sizes
 */
async function compare(network, threads, batch, { rounds, roundSeconds }) {
  const ours = bitcell(network, threads, batch);
  const theirs = await onnxruntime(network, threads, batch);
  const ourRepeats = await calibrateRepeats(ours.run, roundSeconds);
  const theirRepeats = await calibrateRepeats(theirs.run, roundSeconds);
  /** @type {{ our: number, their: number, ratio: number }[]} */
  const samples = [];
  for (let round = 0; round < rounds; round++) {
    const our = (threads * batch * ourRepeats) / (await time(ours.run, ourRepeats));
    const their = (batch * theirRepeats) / (await time(theirs.run, theirRepeats));
    samples.push({ our, their, ratio: our / their });
  }
  await ours.close();
  await theirs.close();
  /**
   * @param {'our' | 'their' | 'ratio'} key
   * @param {string} name
   * @param {string} unit
   */
  const of = (key, name, unit) =>
    measurement(
      name,
      unit,
      samples.map((sample) => sample[key]),
    );
  return {
    network: network.name,
    format: network.format,
    batch,
    threads,
    bitcell: of('our', 'Bitcell', 'images/s'),
    onnxruntime: of('their', 'onnxruntime', 'images/s'),
    ratio: of('ratio', 'ratio', '1'),
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
      quick: { type: 'boolean', default: false },
    },
  });
  const models = positionals.length > 0 ? positionals : ['alexnet', 'vgg16'];
  const sizes = values.quick
    ? { rounds: 1, roundSeconds: 0.01 }
    : { rounds: Number(values.rounds), roundSeconds: 0.3 };
  const rows = [];
  for (const model of models) {
    const quantized = loadModel(model);
    for (const format of values.formats.split(',')) {
      const network = format === 'int8' ? quantized : dequantize(quantized);
      for (const threads of values.threads.split(',').map(Number)) {
        for (const batch of values.batches.split(',').map(Number)) {
          const row = await compare(network, threads, batch, sizes);
          if (!values.json) {
            process.stdout.write(
              `${model} ${format}, batch ${batch}, threads ${threads}: ${row.bitcell.median.toFixed(0)} images/s, onnxruntime ${row.onnxruntime.median.toFixed(0)}, ratio ${row.ratio.median.toFixed(3)}\n`,
            );
          }
          rows.push(row);
        }
      }
    }
  }
  if (values.json) printJson({ schemaVersion: 3, kernels: kernelsInUse(), rows });
}

if (isMainThread) await main();
else serve();
