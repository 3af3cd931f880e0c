import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../../core/index.js';
import type { KernelCode } from '../../kernels/index.js';
import type { LayerThresholds } from '../../mitigation/index.js';
import { isWeighted, type Layer, layerIndex, type Network, normalize } from '../../models/index.js';
import {
  applyFaultMap,
  createNetworkDatapath,
  firstWeightOfLayers,
  placeNetwork,
  placeOnNamed,
  type RestartPoint,
  restartPoints,
  type WeightPatches,
} from '../../sim/index.js';
import { top1 } from '../../workload/index.js';
import { faultSourceOf, trialFaultMap } from '../study/fault-source.js';
import { createScope } from '../study/scope.js';
import { BATCH } from '../trial/trial-runner.js';
import { bytesOfPatches } from './kept-values.js';
import { createLayerRunner, type LayerRunner } from './layer-runner.js';
import { createClippedVariants, createPlainVariants } from './layer-variants.js';
import { createTailRunner, type Tail } from './shared-tail.js';
import { startPointOf, valuesAt } from './start-point.js';
import type { CellResult, CellTask, TuneData } from './tune-data.js';

/**
 * Maps of a search are numbered from here on, so that no study, whose maps are numbered from 0, ever judges
 * thresholds on the maps they were tuned on, even with the same seed.
 */
const FIRST_MAP = 2 ** 31;

type Values = Uint8Array | Float32Array;

/** A function that scores thresholds on one thread; the result depends on the task and the data alone. */
export function createCellEvaluator(
  data: TuneData,
  kernels: KernelCode,
): (task: CellTask) => CellResult {
  const { network, dataset } = data;
  const runner = createLayerRunner(network, createNetworkDatapath(network, kernels, BATCH));
  const points = restartPoints(network);

  return (task) => {
    runner.reset();
    const patches = task.patches ?? drawPatches(data, task);
    runner.datapath.setDisturbance({
      weights: patchesFrom(network, patches, task.from?.point.layer ?? 0),
    });
    const point = startPointOf(network, task.first);
    const images = imagesOf(data, task.map);
    const values = valuesInFront(data, runner, task, point, images);
    const last = layerIndex(network, task.last);
    const behind = points.find(({ layer }) => layer > last);
    const classes = behind
      ? predictTogether(runner, task, point, behind, values, images.length)
      : task.candidates.map((candidate) =>
          predictAlone(runner, candidate, point, values, images.length),
        );
    const correct = classes.map(
      (found) => found.filter((top1, image) => top1 === dataset.labels[images[image]]).length,
    );
    const fits = !task.patches && bytesOfPatches(patches) <= task.patchRoom;
    return {
      correct,
      classes,
      patches: fits ? share(patches) : undefined,
      products: runner.products,
    };
  };
}

/** Brings all images to a point, from where an earlier task left them or from their start. */
function valuesInFront(
  { network, dataset }: TuneData,
  runner: LayerRunner,
  { from, to, candidates: [thresholds] }: CellTask,
  point: RestartPoint,
  images: Uint32Array,
): Values {
  if (from?.point.layer === point.layer) return from.values;
  const { datapath } = runner;
  const length = valuesAt(network, point);
  const values = to?.values ?? createValues(network.format, images.length * length);
  const inputs = from ? undefined : normalize(dataset, images);
  const imageLength = valuesAt(network, { layer: 0, tensor: network.input });
  runner.install(thresholds);
  for (let first = 0; first < images.length; first += BATCH) {
    const size = Math.min(BATCH, images.length - first);
    if (from) runner.load(from.point, from.values, first, size);
    else if (inputs) {
      const batch = inputs.subarray(first * imageLength, (first + size) * imageLength);
      datapath.loadImages(batch, size);
    }
    runner.run(from?.point.layer ?? 0, point.layer, size);
    values.set(datapath.tensors[point.tensor].subarray(0, size * length), first * length);
  }
  return values;
}

/** Top-1 classes of one candidate: whole runs from the point. */
function predictAlone(
  runner: LayerRunner,
  candidate: LayerThresholds,
  point: RestartPoint,
  values: Values,
  images: number,
): Uint8Array {
  const { datapath } = runner;
  const { network, classes } = datapath;
  const outputs = new Float32Array(images * classes);
  runner.install(candidate);
  for (let first = 0; first < images; first += BATCH) {
    const size = Math.min(BATCH, images - first);
    runner.load(point, values, first, size);
    runner.run(point.layer, network.layers.length, size);
    datapath.readOutputs(outputs.subarray(first * classes), size);
  }
  return Uint8Array.from({ length: images }, (_, image) =>
    top1(outputs.subarray(image * classes, (image + 1) * classes)),
  );
}

/**
 * Top-1 classes of candidates that do not differ from the point `behind` on: equal values there run once, and never
 * where an earlier run left the same.
 */
function predictTogether(
  runner: LayerRunner,
  { first: layer, last, candidates, scored }: CellTask,
  point: RestartPoint,
  behind: RestartPoint,
  values: Values,
  images: number,
): Uint8Array[] {
  const found = candidates.map(() => new Uint8Array(images));
  const tails = createTailRunner(runner, behind, candidates[0]);
  const options = { runner, point, behind, values };
  const sets = [...scored.map(({ thresholds }) => thresholds), ...candidates];
  const variants =
    (layer === last ? createClippedVariants(options, layer, sets) : undefined) ??
    createPlainVariants(options);
  const firstTails = new Array<Tail>(candidates.length);
  for (let first = 0; first < images; first += BATCH) {
    const size = Math.min(BATCH, images - first);
    const ofImages = Array.from({ length: size }, (): Tail[] => []);
    variants.start(first, size);
    for (const { thresholds, classes } of scored) {
      variants.run(thresholds);
      for (const [slot, known] of ofImages.entries()) {
        known.push(tails.knownTail(slot, classes[first + slot]));
      }
    }
    for (const [number, candidate] of candidates.entries()) {
      variants.run(candidate);
      for (const [slot, known] of ofImages.entries()) {
        const sameCandidate = first + slot > 0 ? [firstTails[number]] : [];
        const tail = tails.tailOf(slot, [...known, ...sameCandidate]);
        if (first + slot === 0) firstTails[number] = tail;
        if (!known.includes(tail)) known.push(tail);
        tails.ask(tail, (top1) => {
          found[number][first + slot] = top1;
        });
      }
    }
    tails.runFullBatches();
  }
  tails.finish();
  return found;
}

/** The faulty words of the layers from a place on: no others run, and there may be millions. */
function patchesFrom(
  network: Network,
  { weights, words, effectiveFaults }: WeightPatches,
  layer: number,
): WeightPatches {
  const before = network.layers.slice(0, layer).filter((one: Layer) => isWeighted(one)).length;
  const firstWeight = firstWeightOfLayers(network)[before];
  let [first, end] = [0, weights.length];
  while (first < end) {
    const middle = (first + end) >>> 1;
    if (weights[middle] < firstWeight) first = middle + 1;
    else end = middle;
  }
  return { weights: weights.subarray(first), words: words.subarray(first), effectiveFaults };
}

/** Images are drawn afresh for each map, the same for every rate, layer and candidate. */
function imagesOf({ tuning, dataset }: TuneData, map: number): Uint32Array {
  const stream = createRandomStream(tuning.seed, FIRST_MAP + map, PURPOSE.imageChoice);
  return sampleWithoutReplacement(stream, dataset.count, tuning.images);
}

/** The faulty words of a map. */
function drawPatches(data: TuneData, { rate, map, first }: CellTask): WeightPatches {
  const { network, words, tuning, accelerator } = data;
  const placement = placeOnNamed(tuning.accelerator, () =>
    placeNetwork(network, accelerator, tuning.placement),
  );
  const faultMap = trialFaultMap({
    source: faultSourceOf(tuning.faults),
    geometry: placement.geometry,
    scope: createScope(
      tuning.faulty === 'tuned-layer' ? `layer:${first}` : 'all',
      network,
      placement,
    ),
    rate,
    seed: tuning.seed,
    map: FIRST_MAP + map,
    readMap: () => {
      throw new Error('a search draws its fault maps');
    },
  });
  return applyFaultMap(faultMap, placement, words);
}

function share(patches: WeightPatches): WeightPatches {
  return { ...patches, weights: shareWords(patches.weights), words: shareWords(patches.words) };
}

function shareWords(values: Uint32Array): Uint32Array {
  const shared = new Uint32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

function createValues(format: 'int8' | 'float32', length: number): Values {
  return format === 'int8' ? new Uint8Array(length) : new Float32Array(length);
}
