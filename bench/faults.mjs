/**
 * Time to put the faults of a uniform map into a network and to take them out again: from the map to the faulty
 * words (apply), and from these to kernels that compute with them and back (patch and undo).
 * After `npm run build`: node bench/faults.mjs [--model vgg16] [--format int8] [--quick]
 * Prints JSON: medians of several maps; `--quick` takes two of few faults. The kernels run one image after each change, so that work put off is seen;
 * the time of an unchanged run is taken away.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { loadNetwork } from 'bitcell/campaign';
import { featureCount } from 'bitcell/core';
import { cellCount, uniformFaultMap } from 'bitcell/fault';
import { loadKernels } from 'bitcell/kernels';
import {
  applyFaultMap,
  createNetworkDatapath,
  loadAccelerator,
  placeNetwork,
  storedWords,
} from 'bitcell/sim';
import { measurement, median, printJson } from './measure.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'vgg16' },
    format: { type: 'string', default: 'int8' },
    quick: { type: 'boolean', default: false },
  },
});
const { faultCounts, maps, warmUps, unchangedRuns } = values.quick
  ? { faultCounts: [1, 10_000], maps: 2, warmUps: 1, unchangedRuns: 1 }
  : {
      faultCounts: [1, 100, 10_000, 100_000, 300_000, 1_000_000],
      ...{ maps: 9, warmUps: 50, unchangedRuns: 31 },
    };
const format = values.format === 'float32' ? 'float32' : 'int8';
const network = loadNetwork(values.model, format);
const placement = placeNetwork(network, loadAccelerator('edge-16x16'), 'resident');
const words = storedWords(network);
const datapath = createNetworkDatapath(network, loadKernels(), 1);
const image = new Float32Array(featureCount(network.tensors[network.input].shape));

/** @param {() => unknown} run */
function milliseconds(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

for (let run = 0; run < warmUps; run++) datapath.run(image, 1);
const oneImage = Array.from({ length: unchangedRuns }, () =>
  milliseconds(() => datapath.run(image, 1)),
);
const unchanged = median(oneImage);

const points = faultCounts.map((faults) => {
  const samples = Array.from({ length: maps }, (_, trial) => {
    const rate = faults / cellCount(placement.geometry);
    const { geometry } = placement;
    const start = performance.now();
    const map = uniformFaultMap({ geometry, rate, faults: 'flip', seed: 1, trial });
    const drawn = performance.now();
    const patches = applyFaultMap(map, placement, words);
    const applied = performance.now();
    const patch = milliseconds(() => {
      datapath.setDisturbance({ weights: patches });
      datapath.run(image, 1);
    });
    const undo = milliseconds(() => {
      datapath.setDisturbance(undefined);
      datapath.run(image, 1);
    });
    const changes = Math.max(0, patch + undo - 2 * unchanged);
    return { draw: drawn - start, apply: applied - drawn, patchAndUndo: changes };
  });
  const of = (/** @type {keyof (typeof samples)[number]} */ key) =>
    measurement(
      key,
      'ms',
      samples.map((sample) => sample[key]),
    );
  const times = { draw: of('draw'), apply: of('apply'), patchAndUndo: of('patchAndUndo') };
  return {
    faults,
    ...times,
    microsecondsPerFault: (1000 * (times.apply.median + times.patchAndUndo.median)) / faults,
  };
});

printJson({
  ...{ model: values.model, format },
  unchanged: measurement('one image', 'ms', oneImage),
  points,
});
