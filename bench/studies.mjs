/**
 * Speed of studies, in one process and thread, what is compared taking turns. After `npm run build`:
 *
 *   node bench/studies.mjs single [--model alexnet] [--images 100] [--trials 200]
 *     trials a second of a campaign of single faults (int8, random cell), and times the plain path
 *   node bench/studies.mjs onnxruntime [--model alexnet] [--format int8] [--rate 1e-3] [--precision 2] [--maps 2]
 *     one point to ±precision against plain evaluation with onnxruntime: patched weights, a new session a map, all
 *     test images; at equal interval width, and with the same maps and images
 *
 * Prints JSON. The study of seven rates to ±2 points is a command of its own:
 *
 *   time npx bitcell run --model vgg16 --format int8 --precision 2 --rates 1e-4,3e-4,1e-3,3e-3,1e-2,2e-2,3e-2 --mitigations none,clip
 *   time npx bitcell run --model vgg16 --format float32 --precision 2 --rates 1e-8,3e-8,1e-7,3e-7,1e-6,3e-6,1e-5 --mitigations none,clip
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-node';
import { createTrialRunner } from '../dist/campaign/context.js';
import { nestedVariances, parseStudy, prepareStudy } from '../dist/campaign/index.js';
import { compileKernels } from '../dist/kernels/index.js';
import { normalize, writeFloat32, writeQdq } from '../dist/models/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'alexnet' },
    format: { type: 'string', default: 'int8' },
    images: { type: 'string', default: '100' },
    trials: { type: 'string', default: '200' },
    rate: { type: 'string', default: '1e-3' },
    precision: { type: 'string', default: '2' },
    maps: { type: 'string', default: '2' },
  },
});
const [what = 'single'] = positionals;
const kernels = compileKernels();
const DELTA_BYTES = 2 ** 28;

const result = what === 'single' ? singleFaults() : await againstOnnxruntime();
const machine = { node: process.version, processor: cpus()[0].model, load: loadavg()[0] };
console.log(JSON.stringify({ what, ...values, ...result, ...machine }, null, 2));

/** Seconds that a function takes. */
function timed(/** @type {() => void} */ work) {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

function median(/** @type {number[]} */ numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function singleFaults() {
  const rounds = 5;
  const trials = Math.ceil(Number(values.trials) / rounds);
  const study = parseStudy({
    ...{ model: values.model, format: 'int8', faults: 'flip', faultCount: 1 },
    ...{ mitigations: ['none'], images: Number(values.images), imageChoice: 'fixed' },
  });
  const { data } = prepareStudy(study);
  const [plain, incremental] = /** @type {const} */ (['plain', 'incremental']).map((engine) =>
    createTrialRunner(data, kernels, { engine, deltaBytes: DELTA_BYTES }),
  );
  const trial = (/** @type {number} */ map) => ({
    condition: 0,
    map,
    mitigations: /** @type {const} */ (['none']),
  });
  for (const run of [plain, incremental]) run(trial(1_000_000));
  /** @type {number[]} */
  const plainSeconds = [];
  /** @type {number[]} */
  const incrementalSeconds = [];
  for (let round = 0; round < rounds; round += 1) {
    plainSeconds.push(timed(() => plain(trial(round))));
    const seconds = timed(() => {
      for (let map = 0; map < trials; map += 1) incremental(trial(round * trials + map));
    });
    incrementalSeconds.push(seconds / trials);
  }
  return {
    plainTrialsPerSecond: 1 / median(plainSeconds),
    trialsPerSecond: 1 / median(incrementalSeconds),
    ratio: median(plainSeconds.map((seconds, round) => seconds / incrementalSeconds[round])),
  };
}

async function againstOnnxruntime() {
  const study = parseStudy({
    ...{ model: values.model, format: values.format, rate: Number(values.rate) },
    ...{ mitigations: ['none'], precision: Number(values.precision) },
  });
  const prepared = prepareStudy(study);
  const { data } = prepared;
  const [condition] = data.conditions;
  const rule = prepared.ruleOf(condition);
  const run = createTrialRunner(data, kernels, { engine: 'incremental', deltaBytes: DELTA_BYTES });
  /** @type {number[]} */
  const correct = [];
  /** @type {number[]} */
  const cleanCorrect = [];
  const point = { images: study.images, correct, cleanCorrect };
  const ours = timed(() => {
    do {
      const trial = run({ condition: 0, map: correct.length, mitigations: ['none'] });
      correct.push(trial.outcomes[0].correct);
      cleanCorrect.push(trial.cleanCorrect);
    } while (rule.decide(point) === 'continue');
  });
  const { betweenMaps, withinMap } = nestedVariances(point);
  // All images leave the variance between maps; no rule can stop before the maps that would do if all agreed.
  const firstLook = Math.ceil(Math.log(0.025) / Math.log(1 - (2 * Number(values.precision)) / 100));
  const share = betweenMaps / (betweenMaps + withinMap / study.images);
  const peerMaps = Math.max(firstLook, Math.round(correct.length * share));

  const [{ network }] = data.networks;
  const bytes = network.format === 'int8' ? writeQdq(network) : writeFloat32(network);
  /** @type {number[]} */
  const sessions = [];
  /** @type {number[]} */
  const imageSeconds = [];
  for (let map = 0; map < Number(values.maps); map += 1) {
    const started = performance.now();
    // The words of a map do not change how long a session takes, so all sessions get the fault-free ones.
    const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    sessions.push((performance.now() - started) / 1000);
    const batch = 100;
    const batches = Array.from({ length: data.dataset.count / batch }, (_, index) => index * batch);
    const first = performance.now();
    for (const start of batches) {
      const indices = Uint32Array.from({ length: batch }, (_, image) => start + image);
      const { channels, height, width } = network.tensors[network.input].shape;
      const images = normalize(data.dataset, indices);
      const input = new ort.Tensor('float32', images, [batch, channels, height, width]);
      await session.run({ [session.inputNames[0]]: input });
    }
    imageSeconds.push((performance.now() - first) / 1000 / data.dataset.count);
    await session.release();
  }
  const sessionSeconds = median(sessions);
  const secondsPerImage = median(imageSeconds);
  const equalWidth = peerMaps * (sessionSeconds + secondsPerImage * data.dataset.count);
  const sameTrials = correct.length * (sessionSeconds + secondsPerImage * study.images);
  return {
    maps: correct.length,
    imagesPerMap: study.images,
    interval: rule.interval(point),
    seconds: ours,
    onnxruntime: { sessionSeconds, imagesPerSecond: 1 / secondsPerImage, maps: peerMaps },
    equalWidth: { onnxruntimeSeconds: equalWidth, ratio: equalWidth / ours },
    sameMapsAndImages: { onnxruntimeSeconds: sameTrials, ratio: sameTrials / ours },
  };
}
