import {
  createRandomStream,
  multiplyAccumulates,
  PURPOSE,
  sampleWithoutReplacement,
} from '../../core/index.js';
import type { KernelModule } from '../../kernels/index.js';
import { activationUnits, type LayerThresholds } from '../../mitigation/index.js';
import { isWeighted, normalize } from '../../models/index.js';
import {
  applyFaultMap,
  createNetworkDatapath,
  type Datapath,
  placeNetwork,
  type RestartPoint,
  restartPoints,
  type WeightPatches,
} from '../../sim/index.js';
import { BATCH } from '../context.js';
import { faultSourceOf, trialFaultMap } from '../fault-source.js';
import { top1 } from '../predict.js';
import { createScope } from '../scope.js';
import { startPointOf, valuesAt } from './start-point.js';
import type { CellResult, CellTask, TuneData } from './tune-data.js';

/**
 * Maps of a search are numbered from here on, so that no study, whose maps are numbered from 0, ever judges
 * thresholds on the maps they were tuned on, even with the same seed.
 */
const FIRST_MAP = 2 ** 31;

/** A function that scores thresholds on one thread; the result depends on the task and the data alone. */
export function createCellEvaluator(
  data: TuneData,
  kernels: KernelModule,
): (task: CellTask) => CellResult {
  const { network, tuning, dataset } = data;
  const datapath = createNetworkDatapath(network, kernels, BATCH);
  const products = network.layers.map((layer) =>
    isWeighted(layer) ? multiplyAccumulates(layer.shape) : 0,
  );
  const points = restartPoints(network);

  /** Runs layers for the images in the datapath, and returns the multiply-accumulates. */
  function runLayers(first: number, end: number, images: number): number {
    let done = 0;
    for (let layer = first; layer < end; layer += 1) {
      datapath.runLayer(layer, images);
      done += images * products[layer];
    }
    return done;
  }

  /** Brings all images to a point, from where an earlier task left them or from their start. */
  function valuesInFront(
    { from, to, thresholds, map }: CellTask,
    point: RestartPoint,
  ): { values: Uint8Array | Float32Array; done: number } {
    if (from && from.point.layer === point.layer) return { values: from.values, done: 0 };
    const length = valuesAt(network, point);
    const values = to?.values ?? createValues(datapath, tuning.images * length);
    const inputs = from ? undefined : normalize(dataset, imagesOf(data, map));
    install(datapath, data, thresholds);
    let done = 0;
    for (let first = 0; first < tuning.images; first += BATCH) {
      const size = Math.min(BATCH, tuning.images - first);
      if (from) load(datapath, from.point, from.values, first, size);
      else if (inputs) loadImages(datapath, inputs, first, size);
      done += runLayers(from?.point.layer ?? 0, point.layer, size);
      values.set(datapath.tensors[point.tensor].subarray(0, size * length), first * length);
    }
    return { values, done };
  }

  /** Runs all images on from a point, and counts those that get their label. */
  function score(
    { layer, map }: CellTask,
    point: RestartPoint,
    values: Uint8Array | Float32Array,
  ): { correct: number; done: number } {
    const images = imagesOf(data, map);
    const clipped = network.layers.findIndex(({ name }) => name === layer);
    const behind = points.find((candidate) => candidate.layer > clipped);
    const outputs = new Float32Array(BATCH * datapath.classes);
    let [correct, done] = [0, 0];
    for (let first = 0; first < images.length; first += BATCH) {
      const size = Math.min(BATCH, images.length - first);
      load(datapath, point, values, first, size);
      let active = size;
      const pause = behind?.layer ?? network.layers.length;
      done += runLayers(point.layer, pause, active);
      if (behind && areAllEqual(datapath, behind, active)) active = 1;
      done += runLayers(pause, network.layers.length, active);
      datapath.readOutputs(outputs, active);
      for (let image = 0; image < size; image += 1) {
        const slot = Math.min(image, active - 1) * datapath.classes;
        const found = top1(outputs.subarray(slot, slot + datapath.classes));
        if (found === dataset.labels[images[first + image]]) correct += 1;
      }
    }
    return { correct, done };
  }

  return (task) => {
    const patches = task.patches ?? drawPatches(data, task);
    datapath.setPatches(patches);
    const point = startPointOf(network, task.layer);
    const front = valuesInFront(task, point);
    let done = front.done;
    const correct = task.candidates.map((candidate) => {
      install(datapath, data, new Map([...task.thresholds, [task.layer, candidate]]));
      const scored = score(task, point, front.values);
      done += scored.done;
      return scored.correct;
    });
    return { correct, patches, products: done };
  };
}

/** Images are drawn afresh for each map, the same for every rate, layer and candidate. */
function imagesOf({ tuning, dataset }: TuneData, map: number): Uint32Array {
  const stream = createRandomStream(tuning.seed, FIRST_MAP + map, PURPOSE.imageChoice);
  return sampleWithoutReplacement(stream, dataset.count, tuning.images);
}

/** The faulty words of a map, in shared memory. */
function drawPatches(data: TuneData, { rate, map, layer }: CellTask): WeightPatches {
  const { network, words, tuning, accelerator } = data;
  const placement = placeNetwork(network, accelerator, tuning.placement);
  const faultMap = trialFaultMap({
    source: faultSourceOf(tuning.faults),
    geometry: placement.geometry,
    scope: createScope(
      tuning.faulty === 'tuned-layer' ? `layer:${layer}` : 'all',
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
  const patches = applyFaultMap(faultMap, placement, words);
  return { ...patches, weights: share(patches.weights), words: share(patches.words) };
}

function share(values: Uint32Array): Uint32Array {
  const shared = new Uint32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

function install(datapath: Datapath, { network }: TuneData, thresholds: LayerThresholds): void {
  datapath.setActivationUnits(activationUnits('clip-tuned', network, thresholds));
}

function createValues({ network }: Datapath, length: number): Uint8Array | Float32Array {
  return network.format === 'int8' ? new Uint8Array(length) : new Float32Array(length);
}

function loadImages(datapath: Datapath, inputs: Float32Array, first: number, size: number): void {
  const { network } = datapath;
  const length = valuesAt(network, { layer: 0, tensor: network.input });
  datapath.loadImages(inputs.subarray(first * length, (first + size) * length), size);
}

function load(
  { tensors, network }: Datapath,
  point: RestartPoint,
  values: Uint8Array | Float32Array,
  first: number,
  size: number,
): void {
  const length = valuesAt(network, point);
  tensors[point.tensor].set(values.subarray(first * length, (first + size) * length));
}

/** Images with the same values here, as after a threshold of 0, have the same outputs: one stands for all. */
function areAllEqual({ tensors, network }: Datapath, point: RestartPoint, images: number): boolean {
  const length = valuesAt(network, point);
  const { buffer, byteOffset, BYTES_PER_ELEMENT } = tensors[point.tensor];
  const bytes = length * BYTES_PER_ELEMENT;
  const bytesOf = (image: number) => Buffer.from(buffer, byteOffset + image * bytes, bytes);
  for (let image = 1; image < images; image += 1) {
    if (!bytesOf(image).equals(bytesOf(0))) return false;
  }
  return true;
}
