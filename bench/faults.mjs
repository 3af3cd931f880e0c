/**
 * Processor time to draw the faults of a uniform map, to place them, to put them into a network and to take them out
 * again, as a trial does, with the kernels of each provider: to drawn cells (draw), to faulty words (place), to kernels
 * that compute with them (putIn) and back (takeOut).
 * After `npm run build`: node bench/faults.mjs [--model vgg16] [--format int8] [--placement resident] [--faults flip]
 * [--kernels native,wasm] [--counts 100000,1000000,3700000] [--maps 9] [--quick]
 * Prints JSON: medians of several maps, and nanoseconds a fault; `--quick` takes two of few faults. The kernels run one
 * image after each change, so that work put off is seen; the time of an unchanged run is taken away.
 */
import { parseArgs } from 'node:util';
import { loadNetwork } from 'bitcell/campaign';
import { featureCount } from 'bitcell/core';
import { cellCount, createFaultBuffers, nestedFaultMaps } from 'bitcell/fault';
import { loadKernels, PROVIDERS, setKernelProvider } from 'bitcell/kernels';
import {
  applyFaultMap,
  createNetworkDatapath,
  createPatchBuffers,
  loadAccelerator,
  placeNetwork,
  storedWords,
} from 'bitcell/sim';
import { measurement, median, printJson } from './measure.mjs';

/** @import { KernelProviderName } from 'bitcell/kernels' */
/** @import { UniformFaults } from 'bitcell/fault' */

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'vgg16' },
    format: { type: 'string', default: 'int8' },
    placement: { type: 'string', default: 'resident' },
    faults: { type: 'string', default: 'flip' },
    kernels: { type: 'string', default: 'native,wasm' },
    counts: { type: 'string' },
    maps: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const counts = values.counts ?? (values.quick ? '1,100000' : '1,100,10000,100000,1000000,3700000');
const maps = Number(values.maps ?? (values.quick ? 2 : 9));
const { warmUps, unchangedRuns } = values.quick
  ? { warmUps: 1, unchangedRuns: 1 }
  : { warmUps: 50, unchangedRuns: 31 };
const format = values.format === 'float32' ? 'float32' : 'int8';
const network = loadNetwork(values.model, format);
const kind = values.placement === 'streamed' ? 'streamed' : 'resident';
const placement = placeNetwork(network, loadAccelerator('edge-16x16'), kind);
const { geometry } = placement;
const words = storedWords(network);
const image = new Float32Array(featureCount(network.tensors[network.input].shape));
const faults = /** @type {UniformFaults} */ (values.faults);

/** @param {() => unknown} run */
function milliseconds(run) {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** @param {KernelProviderName} provider */
function measure(provider) {
  setKernelProvider(provider);
  const datapath = createNetworkDatapath(network, loadKernels(), 1);
  const buffers = { faults: createFaultBuffers(), patches: createPatchBuffers() };
  const run = () => datapath.run(image, 1);
  for (let warmUp = 0; warmUp < warmUps; warmUp++) run();
  const oneImage = Array.from({ length: unchangedRuns }, () => milliseconds(run));
  const unchanged = median(oneImage);

  /** @param {number} count @param {number} trial */
  function sample(count, trial) {
    const model = /** @type {const} */ ({ model: 'uniform', faults });
    const mapAt = nestedFaultMaps(model, geometry, 1, trial, undefined, buffers.faults);
    let map = mapAt(0);
    let patches = applyFaultMap(map, placement, words);
    const draw = milliseconds(() => {
      map = mapAt(count / cellCount(geometry));
    });
    const place = milliseconds(() => {
      patches = applyFaultMap(map, placement, words, buffers.patches);
    });
    /** @param {() => void} change */
    const changed = (change) => {
      const time = milliseconds(() => {
        change();
        run();
      });
      return Math.max(0, time - unchanged);
    };
    const putIn = changed(() => datapath.setDisturbance({ weights: patches }));
    const takeOut = changed(() => datapath.setDisturbance(undefined));
    return { draw, place, putIn, takeOut };
  }

  const points = counts.split(',').map((text) => {
    const count = Number(text);
    // The first map takes memory for all others.
    sample(count, maps);
    const samples = Array.from({ length: maps }, (_, trial) => sample(count, trial));
    const of = (/** @type {keyof (typeof samples)[number]} */ key) =>
      measurement(
        key,
        'ms of the processor',
        samples.map((one) => one[key]),
      );
    const times = { draw: of('draw'), place: of('place'), in: of('putIn'), out: of('takeOut') };
    const total = Object.values(times).reduce((sum, one) => sum + one.median, 0);
    return { faults: count, ...times, nanosecondsPerFault: (1e6 * total) / count };
  });
  return { provider, unchanged: measurement('one image', 'ms', oneImage), points };
}

const named = /** @type {KernelProviderName[]} */ (values.kernels.split(','));
const providers = named.filter((name) => PROVIDERS[name].unavailable() === undefined);
printJson({
  ...{ model: values.model, format, placement: kind, kind: faults },
  providers: providers.map(measure),
});
