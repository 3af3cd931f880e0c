import * as ort from 'onnxruntime-node';
import {
  expectedMaps,
  nestedVariances,
  parseStudy,
  prepareStudy,
  top1,
  trialImages,
} from '../../dist/campaign/index.js';
import { normalize, writeFloat32, writeQdq } from '../../dist/models/index.js';
import { runCommand } from './command.mjs';
import { patchesOfMaps, withFaultyWords } from './faulty-network.mjs';
import { median } from './timed.mjs';

/** @import { ImageSet, Network } from '../../dist/models/index.js' */

/** Images that onnxruntime computes together. */
const BATCH = 100;

/** Of our maps, so many are run with onnxruntime on their own images, for each of the maps that it runs on all. */
const SHORT_MAPS = 5;

/**
 * One point to ±precision: `bitcell run` against onnxruntime with the faulty words in the file and a new session for
 * each map. Drawing maps and writing files is not counted for onnxruntime. Rounds of both take turns.
 *
 * At equal interval: onnxruntime runs all test images of a map, so only the variance between maps is left, and the
 * same stopping rule takes `expectedMaps` of it. Same maps and images: every map of our study, its pilot not included,
 * with its images. Both are sums of measured maps, of which there are `maps` and 5 · `maps`.
 *
 * @param {{ model: string, format: 'int8' | 'float32', rate: number, precision: number, maps: number, threads: number }} options
 */
export async function againstOnnxruntime({ model, format, rate, precision, maps, threads }) {
  const options = { model, format, rate, precision, mitigations: ['none'] };
  const { data } = prepareStudy(parseStudy(options));
  const [{ network }] = data.networks;
  const patchesOf = patchesOfMaps(data, 0);
  const peer = createPeer(network, data.dataset, threads);
  const all = Uint32Array.from({ length: data.dataset.count }, (_, index) => index);

  const ours = [];
  const whole = [];
  const short = [];
  for (let round = 0; round < maps; round += 1) {
    const run = await runCommand([
      ...['--model', model, '--format', format, '--rates', `${rate}`, '--mitigations', 'none'],
      ...['--precision', `${precision}`, '--threads', `${threads}`],
    ]);
    ours.push(run);
    whole.push(await peer(withFaultyWords(network, patchesOf(round)), all));
    const trials = run.trials.filter(({ pilot }) => !pilot);
    for (let next = 0; next < SHORT_MAPS; next += 1) {
      const { map, images, correct } = trials[(round * SHORT_MAPS + next) % trials.length];
      const indices = trialImages(data.study, { map, images }, data.dataset.count);
      const result = await peer(withFaultyWords(network, patchesOf(map)), indices);
      // int8 results are equal to the bit; float32 sums have an order of their own in each.
      if (format === 'int8' && result.correct !== correct) {
        throw new Error(`map ${map}: ${correct} right images, ${result.correct} in onnxruntime`);
      }
      short.push({ ...result, map, images, bitcell: correct });
    }
  }

  const trials = ours[0].trials.filter(({ pilot }) => !pilot);
  const [{ images }] = trials;
  const counts = { images, correct: trials.map(({ correct }) => correct) };
  const { betweenMaps } = nestedVariances(counts);
  const peerMaps = Math.ceil(expectedMaps(betweenMaps, precision / 100));
  const seconds = median(ours.map((run) => run.seconds));
  const secondsOfMap = median(whole.map((run) => run.seconds));
  const secondsOfShortMap = median(short.map((run) => run.seconds));
  const [{ accuracy }] = ours[0].points;
  return {
    ...{ format, rate, precision, threads, rounds: maps },
    bitcell: { seconds, maps: trials.length, imagesPerMap: images, accuracy },
    equalInterval: {
      ...{ maps: peerMaps, imagesPerMap: all.length, secondsOfMap },
      sessionSeconds: median(whole.map((run) => run.sessionSeconds)),
      imagesPerSecond: all.length / median(whole.map((run) => run.seconds - run.sessionSeconds)),
      accuracies: whole.map(({ correct }) => correct / all.length),
      onnxruntimeSeconds: peerMaps * secondsOfMap,
      ratio: (peerMaps * secondsOfMap) / seconds,
    },
    sameMapsAndImages: {
      ...{ maps: trials.length, imagesPerMap: images, secondsOfMap: secondsOfShortMap },
      counts: short.map(({ map, bitcell, correct }) => ({ map, bitcell, onnxruntime: correct })),
      onnxruntimeSeconds: trials.length * secondsOfShortMap,
      ratio: (trials.length * secondsOfShortMap) / seconds,
    },
  };
}

/**
 * A function that runs images through a network in a new session.
 * @param {Network} network
 * @param {ImageSet} dataset
 * @param {number} threads
 */
function createPeer({ input, tensors }, dataset, threads) {
  const { channels, height, width } = tensors[input].shape;
  return async (/** @type {Network} */ faulty, /** @type {Uint32Array} */ indices) => {
    const bytes = faulty.format === 'int8' ? writeQdq(faulty) : writeFloat32(faulty);
    const batches = Array.from({ length: Math.ceil(indices.length / BATCH) }, (_, batch) => {
      const images = indices.subarray(batch * BATCH, (batch + 1) * BATCH);
      const dims = [images.length, channels, height, width];
      return { images, input: new ort.Tensor('float32', normalize(dataset, images), dims) };
    });
    const started = performance.now();
    const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: threads });
    const sessionSeconds = (performance.now() - started) / 1000;
    let correct = 0;
    for (const { images, input } of batches) {
      const results = await session.run({ [session.inputNames[0]]: input });
      const scores = /** @type {Float32Array} */ (results[session.outputNames[0]].data);
      const classes = scores.length / images.length;
      for (const [place, image] of images.entries()) {
        const own = scores.subarray(place * classes, (place + 1) * classes);
        if (top1(own) === dataset.labels[image]) correct += 1;
      }
    }
    const seconds = (performance.now() - started) / 1000;
    await session.release();
    return { seconds, sessionSeconds, correct };
  };
}
