/**
 * Resident against streamed weight memories at equal fault rates, AlexNet on CIFAR-10 without mitigation:
 * what does it change that weights share cells? After `npm run build`:
 *
 *   node bench/streaming.mjs --format int8 --rates 3e-3,1e-2 --maps 100 > int8.json
 *   node bench/streaming.mjs --format float32 --rates 1e-8,1e-7,1e-6 --maps 200 > float32.json
 *
 * Map number m strikes the same test images in every memory and at every rate, so differences between memories
 * are paired. The array is 16×16, weight-stationary. Prints JSON; `--markdown` prints the table instead. `--quick` takes
 * two maps of five images at one rate in one memory beside the resident one.
 */
import { parseArgs } from 'node:util';
import {
  accuracyInterval,
  clopperPearson,
  loadNetwork,
  mean,
  studentQuantile,
} from 'bitcell/campaign';
import { createRandomStream, PURPOSE, parseBytes, sampleWithoutReplacement } from 'bitcell/core';
import { cellCount, FAULT_KINDS, uniformFaultMap } from 'bitcell/fault';
import { loadKernels } from 'bitcell/kernels';
import { loadCifar10, normalize } from 'bitcell/models';
import {
  applyFaultMap,
  createNetworkDatapath,
  defaultResidentMemory,
  placeNetwork,
  storedWords,
} from 'bitcell/sim';
import { top1 } from 'bitcell/workload';

import { printJson, requireFigures } from './measure.mjs';

/** @import { Placement } from 'bitcell/sim' */

const BATCH = 50;
/** A chip is good while it loses at most this share of accuracy against the fault-free network. */
const YIELD_WITHIN = 0.01;

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'alexnet' },
    format: { type: 'string', default: 'int8' },
    rates: { type: 'string' },
    sizes: { type: 'string' },
    faults: { type: 'string', default: 'flip' },
    maps: { type: 'string' },
    images: { type: 'string' },
    seed: { type: 'string', default: '1' },
    markdown: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const sizes = {
  ...(options.quick
    ? { rates: '1e-4', sizes: '64KiB', maps: '2', images: '5' }
    : { rates: '1e-3,3e-3,1e-2', sizes: '64KiB,256KiB,1MiB,4MiB', maps: '60', images: '100' }),
  ...options,
};
const [maps, images, seed] = [sizes.maps, sizes.images, options.seed].map(Number);
if (!(maps >= 2)) throw new Error('--maps: a spread takes at least two');
const rates = sizes.rates.split(',').map(Number);
const kinds = /** @type {const} */ ([...FAULT_KINDS, 'stuck-at']);
const faults = kinds.find((kind) => kind === options.faults);
if (faults === undefined) throw new Error(`--faults: one of ${kinds.join(', ')}`);
const format = options.format === 'float32' ? 'float32' : 'int8';

const network = loadNetwork(options.model, format);
const words = storedWords(network);
const datapath = createNetworkDatapath(network, loadKernels(), BATCH);
const dataset = loadCifar10({ split: 'test' });

/** Memories of 32 KiB banks, as the default resident one. */
const memories = [
  { size: 'resident', placement: place('resident', defaultMemory()) },
  ...sizes.sizes.split(',').map((size) => {
    const banks = parseBytes(size) / (32 * 1024);
    return { size, placement: place('streamed', { ...defaultMemory(), banks }) };
  }),
];

function defaultMemory() {
  return defaultResidentMemory(words.length, network.format === 'int8' ? 8 : 32);
}

/**
 * @param {Placement['kind']} kind
 * @param {Placement['memory']} weightMemory
 */
function place(kind, weightMemory) {
  const array = { rows: 16, columns: 16, dataflow: /** @type {const} */ ('weight-stationary') };
  return placeNetwork(network, { name: 'streaming', array, weightMemory }, kind);
}

/**
 * Images that a datapath classifies rightly.
 * @param {Float32Array} inputs
 * @param {Uint8Array} labels
 */
function countCorrect(inputs, labels) {
  const outputs = datapath.run(inputs, labels.length);
  return labels.reduce((correct, label, image) => {
    const scores = outputs.subarray(image * datapath.classes, (image + 1) * datapath.classes);
    return correct + (top1(scores) === label ? 1 : 0);
  }, 0);
}

const rows = rates.flatMap((rate) =>
  memories.map((memory) => ({
    rate,
    ...memory,
    /** @type {number[]} */ correct: [],
    /** @type {number[]} */ faults: [],
    /** @type {number[]} */ changedWeights: [],
  })),
);
/** @type {number[]} */
const clean = [];
for (let map = 0; map < maps; map += 1) {
  const indices = sampleWithoutReplacement(
    createRandomStream(seed, map, PURPOSE.imageChoice),
    dataset.count,
    images,
  );
  const inputs = normalize(dataset, indices);
  const labels = Uint8Array.from(indices, (index) => dataset.labels[index]);
  datapath.setDisturbance(undefined);
  clean.push(countCorrect(inputs, labels));
  for (const row of rows) {
    const { geometry } = row.placement;
    const { rate } = row;
    const drawn = uniformFaultMap({ geometry, rate, faults, seed, trial: map });
    const patches = applyFaultMap(drawn, row.placement, words);
    datapath.setDisturbance({ weights: patches });
    row.faults.push(drawn.cells.length);
    row.changedWeights.push(patches.weights.length);
    row.correct.push(patches.weights.length === 0 ? clean[map] : countCorrect(inputs, labels));
  }
  process.stderr.write(`${map + 1} of ${maps} maps\n`);
}

/** @param {number[]} values */
function deviation(values) {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1));
}

/**
 * Mean of paired differences with Student's t interval.
 * @param {number[]} differences
 */
function pairedDifference(differences) {
  const centre = mean(differences);
  const half = (studentQuantile(0.975, maps - 1) * deviation(differences)) / Math.sqrt(maps);
  return { mean: centre, low: centre - half, high: centre + half };
}

const points = rows.map(({ rate, size, placement, correct, faults, changedWeights }) => {
  const resident = rows.filter((row) => row.rate === rate && row.size === 'resident')[0];
  const good = correct.filter((count, map) => count >= clean[map] - YIELD_WITHIN * images).length;
  const shares = correct.map((count) => count / images);
  const losses = correct.map((count, map) => (clean[map] - count) / images);
  return {
    rate,
    memory: size,
    cells: cellCount(placement.geometry),
    tiles: placement.tiles,
    faults: mean(faults),
    changedWeights: mean(changedWeights),
    untouchedMaps: changedWeights.filter((count) => count === 0).length,
    accuracy: { mean: mean(shares), ...accuracyInterval(correct, images) },
    loss: { mean: mean(losses), deviation: deviation(losses), worst: Math.max(...losses) },
    yield: { within: YIELD_WITHIN, share: good / maps, ...clopperPearson(good, maps) },
    againstResident: pairedDifference(
      correct.map((count, map) => (count - resident.correct[map]) / images),
    ),
  };
});

const result = {
  schemaVersion: 1,
  model: options.model,
  format,
  faults,
  seed,
  maps,
  images,
  clean: mean(clean) / images,
  points,
};

/** @param {number} share */
const percent = (share) => (100 * share).toFixed(1);
/**
 * @param {number} centre
 * @param {{ readonly low: number, readonly high: number }} interval
 */
const interval = (centre, { low, high }) =>
  `${percent(centre)} [${percent(low)}, ${percent(high)}]`;

function markdown() {
  const head = [
    'rate',
    'memory',
    'faulty cells',
    'weights changed',
    'chips untouched',
    'accuracy',
    'against resident',
    'spread of the loss',
    'largest loss',
    'yield',
  ];
  const lines = points.map((point) => [
    point.rate.toExponential(),
    point.memory,
    point.faults.toFixed(point.faults < 100 ? 1 : 0),
    point.changedWeights.toFixed(point.changedWeights < 100 ? 1 : 0),
    `${point.untouchedMaps} of ${maps}`,
    interval(point.accuracy.mean, point.accuracy),
    point.memory === 'resident' ? '' : interval(point.againstResident.mean, point.againstResident),
    percent(point.loss.deviation),
    percent(point.loss.worst),
    interval(point.yield.share, point.yield),
  ]);
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

requireFigures(result);
if (options.markdown) process.stdout.write(`${markdown()}\n`);
else printJson(result);
