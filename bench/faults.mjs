/**
 * Time to put the faults of a uniform map into a network and to take them out again: from the map to the faulty
 * words (apply), and from these to kernels that compute with them and back (patch and undo).
 * After `npm run build`: node bench/faults.mjs [--model vgg16] [--format int8]
 * Prints JSON: medians of several maps. The kernels run one image after each change, so that work put off is seen;
 * the time of an unchanged run is taken away.
 */
import { cpus, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { loadNetwork } from '../dist/campaign/index.js';
import { featureCount } from '../dist/core/index.js';
import { cellCount, uniformFaultMap } from '../dist/fault/index.js';
import { compileKernels } from '../dist/kernels/index.js';
import {
  applyFaultMap,
  createNetworkDatapath,
  loadAccelerator,
  placeNetwork,
  storedWords,
} from '../dist/sim/index.js';

const FAULTS = [1, 100, 10_000, 100_000, 300_000, 1_000_000];
const MAPS = 9;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'vgg16' },
    format: { type: 'string', default: 'int8' },
  },
});
const format = values.format === 'float32' ? 'float32' : 'int8';
const network = loadNetwork(values.model, format);
const placement = placeNetwork(network, loadAccelerator('edge-16x16'), 'resident');
const words = storedWords(network);
const datapath = createNetworkDatapath(network, compileKernels(), 1);
const image = new Float32Array(featureCount(network.tensors[network.input].shape));

/** @param {() => unknown} run */
function milliseconds(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

for (let run = 0; run < 50; run++) datapath.run(image, 1);
const unchanged = median(
  Array.from({ length: 31 }, () => milliseconds(() => datapath.run(image, 1))),
);

const points = FAULTS.map((faults) => {
  const samples = Array.from({ length: MAPS }, (_, trial) => {
    const rate = faults / cellCount(placement.geometry);
    const { geometry } = placement;
    const start = performance.now();
    const map = uniformFaultMap({ geometry, rate, faults: 'flip', seed: 1, trial });
    const drawn = performance.now();
    const patches = applyFaultMap(map, placement, words);
    const applied = performance.now();
    const patch = milliseconds(() => {
      datapath.setPatches(patches);
      datapath.run(image, 1);
    });
    const undo = milliseconds(() => {
      datapath.setPatches(undefined);
      datapath.run(image, 1);
    });
    const changes = Math.max(0, patch + undo - 2 * unchanged);
    return { draw: drawn - start, apply: applied - drawn, patchAndUndo: changes };
  });
  const of = (/** @type {keyof (typeof samples)[number]} */ key) =>
    median(samples.map((sample) => sample[key]));
  const times = { draw: of('draw'), apply: of('apply'), patchAndUndo: of('patchAndUndo') };
  return {
    faults,
    milliseconds: times,
    microsecondsPerFault: (1000 * (times.apply + times.patchAndUndo)) / faults,
  };
});

console.log(
  JSON.stringify(
    {
      model: values.model,
      format,
      node: process.version,
      processor: cpus()[0].model,
      load: loadavg()[0],
      millisecondsOfOneImage: unchanged,
      points,
    },
    null,
    2,
  ),
);
