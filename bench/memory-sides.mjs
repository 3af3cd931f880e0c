/**
 * What mitigations in the weight memory add to a trial of AlexNet in int8 words: a map is drawn, becomes faulty words,
 * these are put in, and images run, fault-free (as a study does for images that it has not seen) and faulty.
 * After `npm run build`: node bench/memory-sides.mjs [--rate 1e-2] [--maps 9] [--images 30] [--only secded] [--quick]
 * Prints JSON. `trial`: processor time of a trial, and the ratio to the trial of the same map without a mitigation; the
 * two take turns on one thread, medians over the maps. `side`: nanoseconds a struck word from a drawn map to the words
 * that are read differently, in memories of 64- and 128-bit words. Of codes and transforms alone: `codes.mjs`,
 * `repair.mjs`.
 */
import { parseArgs } from 'node:util';
import { createTrialRunner, parseStudy, prepareStudy } from 'bitcell/campaign';
import { createFaultBuffers, nestedFaultMaps } from 'bitcell/fault';
import { loadKernels } from 'bitcell/kernels';
import { memoryNeeds, memoryPartsOf, memorySideOf } from 'bitcell/mitigation';
import {
  createPatchBuffers,
  defineWeightMemory,
  forEachStruckWord,
  memoryGeometry,
  placeNetwork,
} from 'bitcell/sim';
import { measurement, printJson } from './measure.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1e-2' },
    maps: { type: 'string' },
    images: { type: 'string', default: '30' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const rate = values.quick ? 1e-6 : Number(values.rate);
const maps = Number(values.maps ?? (values.quick ? 1 : 9));
const images = values.quick ? 1 : Number(values.images);
/** Trials that are not counted: functions are compiled, memory is taken. */
const WARM_UPS = values.quick ? 0 : 2;

const MITIGATIONS = [
  'secded',
  'bch-dec',
  'parity',
  'in-place-ecc',
  'harden',
  'tmr',
  'rotate',
  'invert',
  'closest-value',
  'range-check',
  'spares:rows=8:columns=8',
  'word-masking',
];
const chosen = values.only ? [values.only] : values.quick ? ['secded'] : MITIGATIONS;

/** Milliseconds of processor time. @param {() => void} work */
function processorTime(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const kernels = loadKernels();

/** A study of one mitigation, and a function that runs one map of it. @param {string} mitigation */
function trialsOf(mitigation) {
  const mitigations = [mitigation];
  const study = parseStudy({ model: 'alexnet', format: 'int8', rate, images, mitigations });
  const { data } = prepareStudy(study);
  const run = createTrialRunner(data, kernels, { engine: 'incremental', deltaBytes: 0 });
  const names = study.mitigations.map(({ name }) => name);
  return {
    study,
    network: data.networks[0].network,
    accelerator: [...data.accelerators.values()][0],
    time: (/** @type {number} */ map) =>
      processorTime(() => run({ condition: 0, map, images, mitigations: names })),
  };
}

/**
 * @param {ReturnType<typeof trialsOf>} none
 * @param {ReturnType<typeof trialsOf>} other
 */
function compare(none, other) {
  /** @type {{ none: number, other: number }[]} */
  const pairs = [];
  for (let map = 0; map < WARM_UPS + maps; map++) {
    // Whichever comes second finds other caches; so they take turns in that, too.
    const first = map % 2 === 0 ? none.time(map) : undefined;
    const otherTime = other.time(map);
    pairs.push({ none: first ?? none.time(map), other: otherTime });
  }
  const counted = pairs.slice(WARM_UPS);
  return {
    none: measurement(
      'none',
      'ms',
      counted.map((pair) => pair.none),
    ),
    trial: measurement(
      'trial',
      'ms',
      counted.map((pair) => pair.other),
    ),
    ratio: measurement(
      'ratio',
      'times none',
      counted.map((pair) => pair.other / pair.none),
    ),
  };
}

/**
 * @param {ReturnType<typeof trialsOf>} trials
 * @param {64 | 128} wordBits
 */
function sideOf({ study, network, accelerator }, wordBits) {
  const parts = memoryPartsOf(study.mitigations[0]);
  const cellsOfBank = 1024 * 256;
  const weights = network.layers.reduce(
    (sum, layer) => sum + ('weights' in layer ? layer.weights.length : 0),
    0,
  );
  const weightMemory = defineWeightMemory({
    banks: Math.ceil((weights * 8) / cellsOfBank),
    rows: 1024,
    wordBits,
    columnMux: 256 / wordBits,
  });
  const place = (/** @type {import('bitcell/sim').MemoryExtras} */ extras) =>
    placeNetwork(network, { ...accelerator, weightMemory }, 'resident', extras);
  const placement = place(memoryNeeds(parts, { network, placement: place({}) }));
  const { memory } = placement;
  const side = memorySideOf(parts, { network, placement });
  const buffers = { faults: createFaultBuffers(), patches: createPatchBuffers() };
  const samples = [];
  for (let trial = 0; trial < WARM_UPS + maps; trial++) {
    const model = /** @type {const} */ ({ model: 'uniform', faults: 'flip' });
    const geometry = memoryGeometry(memory);
    const map = nestedFaultMaps(model, geometry, 1, trial, undefined, buffers.faults)(rate);
    let words = 0;
    forEachStruckWord(map, memory, () => {
      words += 1;
    });
    const time = processorTime(() => side.patchesOf(map, buffers.patches));
    if (trial >= WARM_UPS) samples.push((1e6 * time) / words);
  }
  return measurement(`${wordBits}-bit words`, 'ns a struck word', samples);
}

const none = trialsOf('none');
printJson({
  rate,
  maps,
  images,
  none: { side: [sideOf(none, 64), sideOf(none, 128)] },
  mitigations: chosen.map((mitigation) => {
    const trials = trialsOf(mitigation);
    return {
      mitigation,
      ...compare(none, trials),
      side: [sideOf(trials, 64), sideOf(trials, 128)],
    };
  }),
});
