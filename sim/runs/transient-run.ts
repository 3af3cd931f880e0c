import { featureCount } from '../../core/index.js';
import { int8Finish, referenceFaultySums, type SumGroup } from '../../kernels/index.js';
import {
  type Int8ArrayLayer,
  type Int8Network,
  isOnArray,
  type Network,
  networkInputs,
  weightedLayers,
} from '../../models/index.js';
import type { Datapath, DatapathObserver } from '../datapath/datapath.js';
import { faultySumsSpecification } from '../datapath/faulty-sums.js';
import { int8Specification } from '../datapath/layer-kernels.js';
import { sampleLength } from '../datapath/samples.js';
import { patchesOfLayer, readLayer } from '../disturbance/layer-patches.js';
import type { WeightPatches } from '../disturbance/patches.js';
import {
  struckOutputs,
  type TransientFault,
  type TransientOperation,
  transientDisturbance,
  transientReads,
  transientSums,
} from '../disturbance/transients.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';
import type { ChangeStruck, DeltaRunner, FollowedFaults } from './delta-run.js';
import { operationSum } from './operation-sums.js';
import {
  differingLayers,
  loadBatch,
  type RecordedPoint,
  type Recording,
  runFrom,
  sameBytes,
} from './recorded-run.js';

/** Recorded images that are run again, with what transient faults strike in each. */
export interface TransientRun {
  readonly datapath: Datapath;
  /** Of the fault-free network with the activation units of the datapath. */
  readonly recording: Recording;
  /** Fault-free stored words of all weights. */
  readonly words: Uint8Array | Uint32Array;
  /** The images' numbers in the recording. */
  readonly numbers: Uint32Array;
  /** By the places of the images among the numbers. */
  readonly faultsOf: (place: number) => readonly TransientFault[];
  readonly loadImages: () => Float32Array;
  /** Follows changes through the recorded images `first` and following; undefined: nothing does. */
  readonly following?: { readonly runner: DeltaRunner; readonly first: number } | undefined;
}

/**
 * Outputs (count × classes) of images with transient faults. Only what the faults can have changed is computed: changes
 * are followed value by value where that is possible; the other images run together, each from where its first fault
 * strikes, those with changed weights one by one. The outputs are those that each image has alone with
 * `transientDisturbance`, to the bit.
 */
export function runTransients(run: TransientRun): Float32Array {
  const { datapath, recording, numbers, faultsOf, following, words } = run;
  const { classes, network } = datapath;
  const faults = Array.from(numbers, (_, place) => faultsOf(place));
  const outputs = new Float32Array(numbers.length * classes);
  for (const [place, number] of numbers.entries()) {
    outputs.set(recordedOutput(recording, number, classes), place * classes);
  }
  let left = [...faults.keys()].filter((place) => faults[place].length > 0);
  if (following && network.format === 'int8') {
    const follow = followerOf(network, words);
    const found = following.runner.runEach(following.first, numbers.length, (place) =>
      follow(faults[place]),
    );
    outputs.set(found.outputs);
    left = [...found.left];
  }
  const [alone, together] = [true, false].map((isAlone) =>
    left.filter((place) => faults[place].some(({ kind }) => kind === 'weight') === isAlone),
  );
  for (const place of alone) runAlone(run, place, faults[place], outputs);
  if (together.length > 0) {
    datapath.setDisturbance(undefined);
    runTogether(run, together, faults, outputs);
  }
  return outputs;
}

function recordedOutput({ outputs }: Recording, number: number, classes: number): Float32Array {
  return outputs.subarray(number * classes, (number + 1) * classes);
}

function imageAt(run: TransientRun, images: Float32Array, place: number): Float32Array {
  const { network } = run.datapath;
  const length = sampleLength(network);
  return images.subarray(place * length, (place + 1) * length);
}

function runAlone(
  run: TransientRun,
  place: number,
  faults: readonly TransientFault[],
  outputs: Float32Array,
): void {
  const { datapath, recording, numbers, words, loadImages } = run;
  const disturbance = transientDisturbance(datapath.network, faults, words);
  const differing = differingLayers(datapath.network, disturbance);
  if (!differing) return;
  datapath.setDisturbance(disturbance);
  const found = runFrom(datapath, recording, numbers.subarray(place, place + 1), differing, () =>
    imageAt(run, loadImages(), place),
  );
  outputs.set(found, place * datapath.classes);
}

/** A function from the transient faults of an image to how they are followed. */
function followerOf(
  network: Int8Network,
  words: Uint8Array | Uint32Array,
): (faults: readonly TransientFault[]) => FollowedFaults {
  return (faults) => {
    const { weights = NO_PATCHES } = transientDisturbance(
      network,
      faults.filter(({ kind }) => kind === 'weight'),
      words,
    );
    const outputs = new Map<number, ChangeStruck>();
    for (const [index, layer] of network.layers.entries()) {
      const operations = faults.flatMap((fault) =>
        fault.kind === 'operation' && fault.layer === index ? [fault] : [],
      );
      const struck: ChangeStruck[] = [];
      if (operations.length > 0 && isOnArray(layer)) {
        struck.push(strikeOperations(network, layer, operations, weights));
      }
      if (faults.some((fault) => fault.kind === 'value' && fault.tensor === layer.output)) {
        struck.push(strikeValues(faults, layer.output));
      }
      if (struck.length === 0) continue;
      outputs.set(index, (...given) => {
        for (const strike of struck) strike(...given);
      });
    }
    const strikesInput = faults.some(
      (fault) => fault.kind === 'value' && fault.tensor === network.input,
    );
    return {
      patches: weights,
      input: strikesInput ? strikeValues(faults, network.input) : undefined,
      outputs,
    };
  };
}

const NO_PATCHES = { weights: new Uint32Array(0), words: new Uint32Array(0), effectiveFaults: 0 };

function strikeValues(faults: readonly TransientFault[], tensor: number): ChangeStruck {
  const struck = faults.flatMap((fault) =>
    fault.kind === 'value' && fault.tensor === tensor ? [fault] : [],
  );
  return (_input, output, _units, change) => {
    for (const { value, bit } of struck) change(value, output[value] ^ (1 << bit));
  };
}

function strikeOperations(
  network: Int8Network,
  layer: Int8ArrayLayer,
  faults: readonly TransientOperation[],
  patches: WeightPatches,
): ChangeStruck {
  const finish = int8Finish(int8Specification(network, layer));
  const { channels } = layer.shape.output;
  const read = withPatches(network, layer, patches);
  return (input, _output, units, change) => {
    const unit = units.get(layer.name);
    const clip = unit?.format === 'int8' ? unit.clip : undefined;
    for (const { channel, faults: its, positions } of struckOutputs(faults)) {
      for (const position of positions) {
        const place = { position, channel };
        const sum = operationSum(network, read, input, place, its);
        change(position * channels + channel, finish(sum, place, clip));
      }
    }
  };
}

/** A layer with its weights as they are read. */
function withPatches(
  network: Int8Network,
  layer: Int8ArrayLayer,
  patches: WeightPatches,
): Int8ArrayLayer {
  if (patches.weights.length === 0) return layer;
  const place = weightedLayers(network).findIndex(({ name }) => name === layer.name);
  const first = firstWeightOfLayers(network)[place];
  const { weights } = readLayer(layer, patchesOfLayer(patches, first, layer.weights.length));
  return weights instanceof Int8Array ? { ...layer, weights } : layer;
}

/** Visit the sums of one image. */
function forEachSum(
  groups: readonly SumGroup[],
  sums: readonly (readonly (Int32Array | Float32Array)[])[],
  visit: (position: number, channel: number, sum: number) => void,
): void {
  for (const [group, { positions, parts }] of groups.entries()) {
    for (const [part, { channels }] of parts.entries()) {
      let place = 0;
      for (const position of positions) {
        for (const channel of channels) visit(position, channel, sums[group][part][place++]);
      }
    }
  }
}

/** An image that runs from a recorded point on, or from the input. */
interface Joining {
  readonly place: number;
  readonly point: RecordedPoint | undefined;
  readonly faults: readonly TransientFault[];
  /** Index of the last layer in which a fault strikes. */
  readonly lastLayer: number;
}

/** Runs images without changed weights, in batches that others join where they start. */
function runTogether(
  run: TransientRun,
  places: readonly number[],
  faults: readonly (readonly TransientFault[])[],
  outputs: Float32Array,
): void {
  const { datapath, recording } = run;
  const { network, batch } = datapath;
  const joining = places
    .map((place): Joining => {
      const layers = faults[place].map((fault) => layerOf(network, fault));
      return {
        ...{ place, faults: faults[place], lastLayer: Math.max(...layers) },
        point: recording.points.findLast((point) =>
          faults[place].every((fault, index) => point.layer <= layers[index] || isAt(point, fault)),
        ),
      };
    })
    .sort((one, other) => (one.point?.layer ?? 0) - (other.point?.layer ?? 0));
  const images = joining.some(({ point }) => !point) ? run.loadImages() : undefined;
  for (let first = 0; first < joining.length; first += batch) {
    runBatch(run, joining.slice(first, first + batch), images, outputs);
  }
}

/** The layer that writes what a fault strikes; -1: it is an input of the network. */
function layerOf({ layers }: Network, fault: TransientFault): number {
  if (fault.kind === 'operation') return fault.layer;
  if (fault.kind === 'weight') throw new Error('a weight strikes whole layers');
  return (layers as readonly Network['layers'][number][]).findIndex(
    ({ output }) => output === fault.tensor,
  );
}

function isAt({ tensor }: RecordedPoint, fault: TransientFault): boolean {
  return fault.kind === 'value' && fault.tensor === tensor;
}

function runBatch(
  run: TransientRun,
  batch: readonly Joining[],
  images: Float32Array | undefined,
  outputs: Float32Array,
): void {
  const { datapath, recording, numbers } = run;
  const { network, classes, tensors } = datapath;
  const lengthOf = (tensor: number) => featureCount(network.tensors[tensor].shape);
  const waiting = [...batch];
  let active: Joining[] = [];

  function joinAt({ tensor, values }: RecordedPoint, one: Joining): void {
    const slot = active.length;
    const length = lengthOf(tensor);
    const number = numbers[one.place];
    tensors[tensor].set(values.subarray(number * length, (number + 1) * length), slot * length);
    strikeTensor(tensors[tensor], length, tensor, slot, one.faults);
    active.push(one);
  }

  /** Leaves away the images that are as they were recorded and have no fault to come. */
  function leave(point: RecordedPoint): void {
    const buffer = tensors[point.tensor];
    const length = lengthOf(point.tensor);
    const staying: Joining[] = [];
    for (const [slot, one] of active.entries()) {
      const now = buffer.subarray(slot * length, (slot + 1) * length);
      const number = numbers[one.place];
      const recorded = point.values.subarray(number * length, (number + 1) * length);
      if (one.lastLayer < point.layer && sameBytes(now, recorded)) continue;
      if (staying.length < slot) {
        buffer.copyWithin(staying.length * length, slot * length, (slot + 1) * length);
      }
      staying.push(one);
    }
    active = staying;
  }

  /** Puts the images in that start at the network's inputs. */
  function loadStarting(): void {
    const starting = batch.filter(({ point }) => !point);
    if (starting.length === 0) return;
    if (!images) throw new Error('no images to start from');
    const length = sampleLength(network);
    const own = new Float32Array(starting.length * length);
    for (const [slot, { place }] of starting.entries()) {
      own.set(imageAt(run, images, place), slot * length);
    }
    loadBatch(datapath, own, 0, starting.length);
    for (const { tensor } of networkInputs(network)) {
      for (const [slot, { faults }] of starting.entries()) {
        strikeTensor(tensors[tensor], lengthOf(tensor), tensor, slot, faults);
      }
    }
    active.push(...starting);
  }

  loadStarting();
  waiting.splice(0, active.length);
  const firstLayer = active.length > 0 ? 0 : (waiting[0].point?.layer ?? 0);
  for (let layer = firstLayer; layer < network.layers.length; layer += 1) {
    const point = recording.points.find((one) => one.layer === layer);
    if (point) {
      leave(point);
      while (waiting[0]?.point === point) joinAt(point, waiting.splice(0, 1)[0]);
    }
    if (active.length === 0) continue;
    const { output } = network.layers[layer];
    datapath.runLayer(layer, active.length, operationsIn(datapath, layer, active));
    for (const [slot, one] of active.entries()) {
      strikeTensor(tensors[output], lengthOf(output), output, slot, one.faults);
    }
  }
  const results = new Float32Array(active.length * classes);
  datapath.readOutputs(results, active.length);
  for (const [slot, { place }] of active.entries()) {
    outputs.set(results.subarray(slot * classes, (slot + 1) * classes), place * classes);
  }
}

/** Change what an image's values of a tensor are read as. */
function strikeTensor(
  buffer: Uint8Array | Float32Array,
  length: number,
  tensor: number,
  slot: number,
  faults: readonly TransientFault[],
): void {
  const struck = faults.flatMap((fault) =>
    fault.kind === 'value' && fault.tensor === tensor ? [fault] : [],
  );
  if (struck.length === 0) return;
  const words =
    buffer instanceof Uint8Array
      ? buffer
      : new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length);
  transientReads(struck).get(tensor)?.(words.subarray(slot * length, (slot + 1) * length));
}

/** Writes the sums that faults change in a layer, image by image; undefined: there are none. */
function operationsIn(
  { network, tensors }: Datapath,
  index: number,
  active: readonly Joining[],
): DatapathObserver | undefined {
  const layer: Network['layers'][number] = network.layers[index];
  if (!isOnArray(layer)) return undefined;
  const { height, width } = layer.shape.output;
  const length = featureCount(network.tensors[layer.input].shape);
  const struck: { readonly row: number; readonly channel: number; readonly sum: number }[] = [];
  for (const [slot, { faults }] of active.entries()) {
    const its = faults.flatMap((fault) =>
      fault.kind === 'operation' && fault.layer === index ? [fault] : [],
    );
    const groups = transientSums(its, network).get(index);
    if (!groups) continue;
    const kernel = referenceFaultySums(faultySumsSpecification(network, layer, groups));
    kernel.run(tensors[layer.input].subarray(slot * length, (slot + 1) * length), 1);
    forEachSum(groups, kernel.sums, (position, channel, sum) => {
      struck.push({ row: slot * height * width + position, channel, sum });
    });
  }
  if (struck.length === 0) return undefined;
  return {
    accumulators(_layer, values, firstRow, rows, stride) {
      for (const { row, channel, sum } of struck) {
        if (row < firstRow || row >= firstRow + rows) continue;
        values[(row - firstRow) * stride + channel] = sum;
      }
    },
  };
}
