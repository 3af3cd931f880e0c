/**
 * A study of faulty weights as a user writes it without Bitcell, of which it imports nothing: for each map draw the
 * bits that flip, flip them in a copy of the ONNX file, open a session of onnxruntime and count the images that it puts
 * into their class. Prints the mean accuracy as JSON.
 *
 *   node bench/plain-loop/loop.mjs --model FILE.onnx --data test_batch.bin [--rate 1e-3] [--maps 20] [--images 100]
 *     [--threads 2] [--how workers] [--batch 100] [--seed 1]
 *
 * `--how workers` runs as many worker threads, each with sessions of one thread; `--how sessions` one map after the
 * other in sessions of as many threads.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { flipBits, weightsIn } from './onnx-weights.mjs';
import { mulberry32, sample } from './random.mjs';

const MEAN = [0.4914, 0.4822, 0.4465];
const DEVIATION = [0.247, 0.2435, 0.2616];
const PIXELS = 32 * 32;
const VALUES = 3 * PIXELS;
/** A byte for the class, and the pixels. */
const RECORD = 1 + VALUES;
const CLASSES = 10;
/** Networks with clips hold scales that no operator reads; onnxruntime warns of each. */
const ERRORS_ONLY = 3;

/**
 * @typedef {object} Loop
 * @property {string} model
 * @property {string} data file of CIFAR-10's binary version
 * @property {number} rate of bits that flip
 * @property {number} images
 * @property {number} sessionThreads
 * @property {number} batch
 * @property {number} seed
 */

if (isMainThread) await main();
else await serve();

async function main() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: '' },
      data: { type: 'string', default: '' },
      rate: { type: 'string', default: '1e-3' },
      maps: { type: 'string', default: '20' },
      images: { type: 'string', default: '100' },
      threads: { type: 'string', default: '2' },
      how: { type: 'string', default: 'workers' },
      batch: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
    },
  });
  const maps = Number(values.maps);
  const threads = Number(values.threads);
  const ofWorkers = values.how === 'workers';
  /** @type {Loop} */
  const loop = {
    ...{ model: values.model, data: values.data, rate: Number(values.rate) },
    ...{ images: Number(values.images), batch: Number(values.batch), seed: Number(values.seed) },
    sessionThreads: ofWorkers ? 1 : threads,
  };
  const accuracies = ofWorkers
    ? await onWorkers(loop, maps, Math.min(threads, maps))
    : await oneByOne(loop, maps);
  const accuracy = accuracies.reduce((sum, one) => sum + one, 0) / maps;
  process.stdout.write(`${JSON.stringify({ maps, images: loop.images, accuracy })}\n`);
}

/**
 * @param {Loop} loop
 * @param {number} maps
 */
async function oneByOne(loop, maps) {
  const accuracyOf = prepare(loop);
  const accuracies = [];
  for (let map = 0; map < maps; map += 1) accuracies.push(await accuracyOf(map));
  return accuracies;
}

/**
 * Each worker thread gets the next map when it has done one.
 * @param {Loop} loop
 * @param {number} maps
 * @param {number} threads
 * @returns {Promise<number[]>}
 */
async function onWorkers(loop, maps, threads) {
  /** @type {number[]} */
  const accuracies = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(fileURLToPath(import.meta.url), { workerData: loop });
      return new Promise((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', resolve);
        worker.on('message', (accuracy) => {
          accuracies.push(accuracy);
          worker.postMessage(next < maps ? next++ : undefined);
        });
        worker.postMessage(next++);
      });
    }),
  );
  return accuracies;
}

async function serve() {
  const accuracyOf = prepare(workerData);
  parentPort?.on('message', async (map) => {
    if (map === undefined) parentPort?.close();
    else parentPort?.postMessage(await accuracyOf(map));
  });
}

/**
 * A function that gives the accuracy under a map, by its number.
 * @param {Loop} loop
 */
function prepare({ model, data, rate, images, sessionThreads, batch, seed }) {
  const file = readFileSync(model);
  const weights = weightsIn(file);
  const records = readFileSync(data);
  return async (/** @type {number} */ map) => {
    const random = mulberry32(seed * 0x10001 + map);
    const faulty = Buffer.from(file);
    flipBits(faulty, weights, rate, random);
    const session = await InferenceSession.create(faulty, {
      ...{ intraOpNumThreads: sessionThreads, interOpNumThreads: 1 },
      logSeverityLevel: ERRORS_ONLY,
    });
    const chosen = sample(records.length / RECORD, images, random);
    let correct = 0;
    for (let first = 0; first < images; first += batch) {
      const indices = chosen.subarray(first, Math.min(first + batch, images));
      const input = new Tensor('float32', normalized(records, indices), [
        indices.length,
        3,
        32,
        32,
      ]);
      const results = await session.run({ [session.inputNames[0]]: input });
      const scores = /** @type {Float32Array} */ (results[session.outputNames[0]].data);
      for (const [place, image] of indices.entries()) {
        const own = scores.subarray(place * CLASSES, (place + 1) * CLASSES);
        if (classOf(own) === records[image * RECORD]) correct += 1;
      }
    }
    await session.release();
    return correct / images;
  };
}

/**
 * @param {Uint8Array} records
 * @param {Uint32Array} indices
 */
function normalized(records, indices) {
  const inputs = new Float32Array(indices.length * VALUES);
  for (const [place, image] of indices.entries()) {
    for (let channel = 0; channel < 3; channel += 1) {
      const source = image * RECORD + 1 + channel * PIXELS;
      const target = place * VALUES + channel * PIXELS;
      const scale = 1 / (255 * DEVIATION[channel]);
      const offset = MEAN[channel] / DEVIATION[channel];
      for (let pixel = 0; pixel < PIXELS; pixel += 1) {
        inputs[target + pixel] = records[source + pixel] * scale - offset;
      }
    }
  }
  return inputs;
}

/**
 * The class with the largest score, the first of equals; NaN is one.
 * @param {Float32Array} scores
 */
function classOf(scores) {
  let best = 0;
  for (let index = 1; index < scores.length; index += 1) {
    if (scores[index] > scores[best]) best = index;
  }
  return best;
}
