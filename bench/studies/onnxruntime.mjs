import {
  expectedMaps,
  nestedVariances,
  parseStudy,
  prepareStudy,
  trialImages,
} from 'bitcell/campaign';
import { float32Clips, int8Clips } from 'bitcell/mitigation';
import { writeClipped, writeFloat32, writeQdq } from 'bitcell/models';
import { top1, workloadInputs } from 'bitcell/workload';
import * as ort from 'onnxruntime-node';
import { measurement, median } from '../measure.mjs';
import { runCommand } from './command.mjs';
import { patchesOfMaps, withFaultyWords } from './faulty-network.mjs';

/** @import { Network } from 'bitcell/models' */
/** @import { Workload } from 'bitcell/workload' */
/** @import { ActivationSide } from 'bitcell/mitigation' */
/** @import { TrialRow } from './command.mjs' */

/** Images that onnxruntime computes together. */
const BATCH = 100;

/** Exported networks hold scales that no operator of onnxruntime reads; it warns of each. */
const ERRORS_ONLY = 3;

/**
 * A study to ±precision: `bitcell run` against onnxruntime with the faulty words in the file, clips as standard
 * operators, and a new session for each map. Drawing maps and writing files is not counted for onnxruntime. Rounds of
 * both take turns.
 *
 * At equal interval: onnxruntime runs all test images of a map, so only the variance between maps is left, and the
 * same stopping rule takes `expectedMaps` of it. Same maps and images: every map of our study, its pilot not included,
 * with its images. Both are sums over the points, each of measured maps: `maps` and `shortMaps` · `maps` of them a point.
 *
 * @param {{ model: string, format: 'int8' | 'float32', rates: readonly number[], mitigations: readonly string[],
 *   precision: number, maps: number, threads: number, images: number, shortMaps: number }} options `images` are the most
 *   test images that onnxruntime runs of a map
 */
export async function againstOnnxruntime(options) {
  const { model, format, rates, mitigations, precision, maps, threads, shortMaps } = options;
  const { data } = prepareStudy(parseStudy({ model, format, rates, mitigations, precision }));
  const [{ network, sides }] = data.networks;
  const peer = createPeer(network, data.workload, threads);
  const count = Math.min(options.images, data.workload.samples);
  const all = Uint32Array.from({ length: count }, (_, index) => index);
  const points = data.conditions.flatMap(({ rate }, condition) =>
    mitigations.map((mitigation) => ({
      ...{ rate, mitigation, patchesOf: patchesOfMaps(data, condition) },
      ...{ whole: /** @type {Timed[]} */ ([]), short: /** @type {Timed[]} */ ([]) },
    })),
  );

  /** @type {Awaited<ReturnType<typeof runCommand>>[]} */
  const ours = [];
  for (let round = 0; round < maps; round += 1) {
    const run = await runCommand([
      ...['--model', model, '--format', format, '--rates', rates.join()],
      ...['--mitigations', mitigations.join()],
      ...['--precision', `${precision}`, '--threads', `${threads}`],
    ]);
    ours.push(run);
    for (const { rate, mitigation, patchesOf, whole, short } of points) {
      const bytesOf = (/** @type {number} */ map) =>
        writeNetwork(withFaultyWords(network, patchesOf(map)), sides.get(mitigation));
      const timed = await peer(bytesOf(round), all);
      whole.push(timed);
      const place = `round ${round + 1} of ${maps}, rate ${rate}, ${mitigation}`;
      process.stderr.write(`${place}: a map takes onnxruntime ${timed.seconds.toFixed(1)} s\n`);
      const trials = trialsOf(run.trials, rate, mitigation);
      for (let next = 0; next < shortMaps; next += 1) {
        const { map, images, correct } = trials[(round * shortMaps + next) % trials.length];
        const indices = trialImages(data.study, { map, images }, data.workload.samples);
        const result = await peer(bytesOf(map), indices);
        // int8 results are equal to the bit; float32 sums have an order of their own in each.
        if (format === 'int8' && result.correct !== correct) {
          throw new Error(
            `${place}, map ${map}: ${correct} right images, ${result.correct} in onnxruntime`,
          );
        }
        short.push({ ...result, map, images, bitcell: correct });
      }
    }
  }

  const seconds = median(ours.map((run) => run.seconds));
  const found = points.map(({ rate, mitigation, whole, short }) => {
    const trials = trialsOf(ours[0].trials, rate, mitigation);
    const [{ images }] = trials;
    const counts = { images, correct: trials.map(({ correct }) => correct) };
    const { betweenMaps } = nestedVariances(counts);
    const secondsOf = (/** @type {string} */ name, /** @type {readonly Timed[]} */ runs) =>
      measurement(
        name,
        's',
        runs.map((run) => run.seconds),
      );
    const same = ours[0].points.find((one) => one.rate === rate && one.mitigation === mitigation);
    return {
      ...{ rate, mitigation },
      bitcell: { maps: trials.length, imagesPerMap: images, accuracy: same?.accuracy },
      onnxruntime: {
        maps: Math.ceil(expectedMaps(betweenMaps, precision / 100)),
        map: secondsOf('a map, all images', whole),
        sessionSeconds: median(whole.map((run) => run.sessionSeconds)),
        imagesPerSecond: all.length / median(whole.map((run) => run.seconds - run.sessionSeconds)),
        accuracies: whole.map(({ correct }) => correct / all.length),
        shortMap: secondsOf('a map, the images of the study', short),
      },
      counts: short.map(({ map, bitcell, correct }) => ({ map, bitcell, onnxruntime: correct })),
    };
  });
  const equalInterval = sum(found, ({ onnxruntime }) => onnxruntime.maps * onnxruntime.map.median);
  const sameMapsAndImages = sum(
    found,
    ({ bitcell, onnxruntime }) => bitcell.maps * onnxruntime.shortMap.median,
  );
  return {
    ...{ format, precision, threads, rounds: maps, bitcellSeconds: seconds },
    equalInterval: { onnxruntimeSeconds: equalInterval, ratio: equalInterval / seconds },
    sameMapsAndImages: {
      onnxruntimeSeconds: sameMapsAndImages,
      ratio: sameMapsAndImages / seconds,
    },
    points: found,
  };
}

/**
 * A map's images in onnxruntime; of a map of our own, also what we found.
 * @typedef {{ seconds: number, sessionSeconds: number, correct: number, map?: number, images?: number, bitcell?: number }} Timed
 */

/**
 * The trials of a point that count.
 * @param {readonly TrialRow[]} trials
 * @param {number} rate
 * @param {string} mitigation
 */
function trialsOf(trials, rate, mitigation) {
  return trials.filter(
    (trial) => !trial.pilot && trial.rate === rate && trial.mitigation === mitigation,
  );
}

/**
 * @template T
 * @param {readonly T[]} values
 * @param {(value: T) => number} of
 */
function sum(values, of) {
  return values.reduce((total, value) => total + of(value), 0);
}

/**
 * The file of a network that onnxruntime runs.
 * @param {Network} network
 * @param {ActivationSide} side
 */
function writeNetwork(network, side) {
  if (!side) return network.format === 'int8' ? writeQdq(network) : writeFloat32(network);
  const { use, thresholds } = side;
  return network.format === 'int8'
    ? writeClipped(network, int8Clips(use, network, thresholds))
    : writeFloat32(network, float32Clips(use, network, thresholds));
}

/**
 * A function that runs images through a network file in a new session.
 * @param {Network} network
 * @param {Workload} workload
 * @param {number} threads
 */
function createPeer({ input, tensors }, workload, threads) {
  const { channels, height, width } = tensors[input].shape;
  return async (/** @type {Uint8Array} */ bytes, /** @type {Uint32Array} */ indices) => {
    const batches = Array.from({ length: Math.ceil(indices.length / BATCH) }, (_, batch) => {
      const images = indices.subarray(batch * BATCH, (batch + 1) * BATCH);
      const dims = [images.length, channels, height, width];
      return { images, input: new ort.Tensor('float32', workloadInputs(workload, images), dims) };
    });
    const started = performance.now();
    const session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: threads,
      logSeverityLevel: ERRORS_ONLY,
    });
    const sessionSeconds = (performance.now() - started) / 1000;
    let correct = 0;
    for (const { images, input } of batches) {
      const results = await session.run({ [session.inputNames[0]]: input });
      const scores = /** @type {Float32Array} */ (results[session.outputNames[0]].data);
      const classes = scores.length / images.length;
      for (const [place, image] of images.entries()) {
        const own = scores.subarray(place * classes, (place + 1) * classes);
        if (top1(own) === workload.labels?.[image]) correct += 1;
      }
    }
    const seconds = (performance.now() - started) / 1000;
    await session.release();
    return { seconds, sessionSeconds, correct };
  };
}
