/**
 * What faults outside the weight memory cost: a batch of images under a map, against the same batch without faults; and
 * single transient faults of fixed images, one in each, against whole runs of these images.
 * After `npm run build`: node bench/storages.mjs [--model alexnet] [--format int8] [--accelerator edge-16x16] [--quick]
 * Prints JSON: ratios of runs that take turns, medians. What a map costs before the run (the sums that it disturbs are
 * found, their weights packed) counts, too, divided by the batches of a trial of 100 images.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { faultMapOf } from 'bitcell/fault';
import { loadKernels } from 'bitcell/kernels';
import { loadCifar10, loadNetwork, normalize } from 'bitcell/models';
import {
  arrayFaultsOf,
  createDeltaRunner,
  createNetworkDatapath,
  createRecording,
  disturbanceOf,
  loadAccelerator,
  placeStorage,
  readMasked,
  recordRun,
  runTransients,
  storedWords,
  transientSites,
  valueMasks,
} from 'bitcell/sim';
import { measurement, median, printJson } from './measure.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'alexnet' },
    format: { type: 'string', default: 'int8' },
    accelerator: { type: 'string', default: 'edge-16x16' },
    quick: { type: 'boolean', default: false },
  },
});
const BATCH = 20;
const BATCHES = 5;
const images = BATCH * BATCHES;
const { maps, rates } = values.quick
  ? { maps: 1, rates: [1e-3] }
  : { maps: 7, rates: [1e-4, 1e-3, 1e-2] };
const format = values.format === 'float32' ? 'float32' : 'int8';
const network = loadNetwork(values.model, format);
const accelerator = loadAccelerator(values.accelerator);
const kernels = loadKernels();
const datapath = createNetworkDatapath(network, kernels, BATCH);
const words = storedWords(network);
const dataset = loadCifar10({ split: 'test' });
const numbers = Uint32Array.from({ length: images }, (_, image) => image);
const inputs = normalize(dataset, numbers);
const one = inputs.subarray(0, inputs.length / BATCHES);

/** @param {() => unknown} run */
function milliseconds(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/**
 * @param {import('bitcell/sim').PlacedStorage} storage
 * @param {import('bitcell/fault').FaultMap} map
 */
function disturb(storage, map) {
  const { cells } = storage;
  if (cells.kind === 'feature-maps') {
    const masks = valueMasks(map, network, cells.featureMaps, cells.tensors);
    const tensors = new Map([...masks].map(([tensor, its]) => [tensor, readMasked(its)]));
    return disturbanceOf(network, accelerator.array, { tensors });
  }
  return disturbanceOf(network, accelerator.array, { array: arrayFaultsOf(map, storage) });
}

/** @type {import('bitcell/fault').FaultModel} */
const model = { model: 'uniform', faults: 'flip' };
/** @type {readonly import('bitcell/sim').StorageName[]} */
const STRUCK = ['accumulators', 'activations', 'multipliers', 'weight-registers'];
/** @type {readonly import('bitcell/sim').StorageName[]} */
const STRUCK_ONCE = [...STRUCK, 'inputs', 'weights'];
for (let run = 0; run < 5; run++) datapath.run(one, BATCH);

const permanent = STRUCK.flatMap((name) =>
  rates.map((rate) => {
    const storage = placeStorage(name, network, accelerator, { placement: 'resident' });
    const ratios = Array.from({ length: maps }, (_, trial) => {
      const map = faultMapOf(model, storage.geometry, 1, trial, rate);
      datapath.setDisturbance(undefined);
      const clean = median([0, 1, 2].map(() => milliseconds(() => datapath.run(one, BATCH))));
      const setUp = milliseconds(() => datapath.setDisturbance(disturb(storage, map)));
      const faulty = median([0, 1, 2].map(() => milliseconds(() => datapath.run(one, BATCH))));
      return { faults: map.cells.length, ratio: (faulty + setUp / BATCHES) / clean };
    });
    datapath.setDisturbance(undefined);
    return {
      storage: name,
      rate,
      faults: median(ratios.map(({ faults }) => faults)),
      time: measurement(
        'time / fault-free time',
        'ratio',
        ratios.map(({ ratio }) => ratio),
      ),
    };
  }),
);

const recording = createRecording(network, images, 2 ** 30);
datapath.setDisturbance(undefined);
recordRun(datapath, recording, inputs, numbers);
const runner =
  network.format === 'int8'
    ? createDeltaRunner(network, datapath, kernels, images, new Map())
    : undefined;
runner?.record(inputs, images);

const transient = STRUCK_ONCE.map((name) => {
  const storage = placeStorage(name, network, accelerator, { placement: 'resident' });
  const sites = transientSites(network, accelerator.array, storage);
  const ratios = Array.from({ length: maps }, (_, trial) => {
    datapath.setDisturbance(undefined);
    const whole = milliseconds(() => datapath.run(inputs, images));
    const faultsOf = (/** @type {number} */ place) => [
      sites.faultAt(Math.floor(((place * maps + trial + 0.5) / (images * maps)) * sites.count)),
    ];
    const followed = milliseconds(() =>
      runTransients({
        ...{ datapath, recording, words, numbers, faultsOf },
        loadImages: () => inputs,
        following: runner && { runner, first: 0 },
      }),
    );
    return whole / followed;
  });
  return {
    storage: name,
    speed: measurement('whole runs / runs of what changes', 'ratio', ratios),
  };
});

printJson({
  model: values.model,
  format,
  accelerator: values.accelerator,
  images,
  permanent,
  transient,
});
