import { featureCount } from '../../core/index.js';
import type { Float32Clip } from '../../kernels/index.js';
import { isOnArray, type Network } from '../../models/index.js';
import type { ActivationUnit } from '../datapath/activation-unit.js';
import type { Datapath } from '../datapath/datapath.js';
import { sampleLength } from '../datapath/samples.js';
import {
  createRecording,
  keepChanged,
  type LayerRange,
  loadBatch,
  type RecordedPoint,
  type Recording,
  restore,
  sameBytes,
} from './recorded-run.js';

/** Activation units, by layer name. */
export type ActivationUnits = ReadonlyMap<string, ActivationUnit>;

/** One batch of images under the same weights, with which all runs of `PrefixSharing` are done. */
export interface SharedBatch {
  /** Numbers of the images in the recordings; at most the datapath's batch. */
  readonly numbers: Uint32Array;
  /** Layers whose weights differ from the recorded ones. */
  readonly differing: LayerRange;
  /** Gives the images themselves, for runs that have to start at the input. */
  readonly loadImages: () => Float32Array;
}

/**
 * Runs of one batch under several sets of activation units. An activation unit leaves most images as they are up to
 * some layer, so their tensors are there those of the run without units, which is kept. Outputs are those of
 * `Datapath.run`, to the bit.
 */
export interface PrefixSharing {
  /**
   * Run a batch without activation units and keep what the runs with the others may start from.
   *
   * @param recording of the fault-free network without activation units
   */
  runBase(
    batch: SharedBatch,
    recording: Recording,
    others: readonly ActivationUnits[],
  ): Float32Array;
  /**
   * Run the same batch with the activation units of the entry `other` of `others`.
   *
   * @param recording of the fault-free network with these units
   */
  runOther(other: number, recording: Recording): Float32Array;
}

/** What is known of the latest batch without activation units. */
interface BaseRun {
  readonly batch: SharedBatch;
  readonly others: readonly ActivationUnits[];
  /** Where it started; undefined: at the input. */
  readonly start: RecordedPoint | undefined;
  readonly outputs: Float32Array;
  /** For each of `others` and each image the first layer whose result they change; Infinity: none. */
  readonly changedAt: readonly Float64Array[];
  /** For each image the layer before which its values were the fault-free ones; Infinity: they never were. */
  readonly leftAt: Float64Array;
}

/**
 * @param budget bytes that the kept tensors may take; the largest are left out until they fit
 */
export function createPrefixSharing(datapath: Datapath, budget: number): PrefixSharing {
  const { network, batch, classes, tensors } = datapath;
  const kept = createRecording(network, batch, budget).points;
  const lengthOf = (tensor: number) => featureCount(network.tensors[tensor].shape);
  let base: BaseRun | undefined;

  function keep({ tensor, values }: RecordedPoint, active: readonly number[]): void {
    const length = lengthOf(tensor);
    for (const [index, place] of active.entries()) {
      const part = tensors[tensor].subarray(index * length, (index + 1) * length);
      values.set(part, place * length);
    }
  }

  function noteChanges(run: BaseRun, layer: number, active: readonly number[]): void {
    const description = network.layers[layer];
    if (!isOnArray(description)) return;
    const length = lengthOf(description.output);
    for (const [other, units] of run.others.entries()) {
      const unit = units.get(description.name);
      if (!unit) continue;
      const changedAt = run.changedAt[other];
      for (const [index, place] of active.entries()) {
        if (changedAt[place] !== Infinity) continue;
        const output = tensors[description.output].subarray(index * length, (index + 1) * length);
        if (mayChange(unit, description, output)) changedAt[place] = layer;
      }
    }
  }

  /** Outputs of the places that ran to the end; the others are the recorded ones. */
  function outputsOf(active: readonly number[], { outputs }: Recording, numbers: Uint32Array) {
    const found = new Float32Array(numbers.length * classes);
    for (const [place, number] of numbers.entries()) {
      found.set(outputs.subarray(number * classes, (number + 1) * classes), place * classes);
    }
    const results = new Float32Array(active.length * classes);
    datapath.readOutputs(results, active.length);
    for (const [index, place] of active.entries()) {
      found.set(results.subarray(index * classes, (index + 1) * classes), place * classes);
    }
    return found;
  }

  /** Put the images of some places where a run starts. */
  function loadStart(
    { batch: { numbers, loadImages }, start }: BaseRun,
    recording: Recording,
    chosen: readonly number[],
  ): void {
    if (start) {
      restore(
        datapath,
        pointAt(recording, start.layer),
        numbers.filter((_, place) => chosen.includes(place)),
      );
      return;
    }
    const images = loadImages();
    const length = sampleLength(network);
    const own = new Float32Array(chosen.length * length);
    for (const [index, place] of chosen.entries()) {
      own.set(images.subarray(place * length, (place + 1) * length), index * length);
    }
    loadBatch(datapath, own, 0, chosen.length);
  }

  /** For each place the layer before which a run with other units leaves the kept one; Infinity: never. */
  function joinLayers(run: BaseRun, other: number, recording: Recording): number[] {
    const {
      start,
      batch: { numbers },
      leftAt,
    } = run;
    return Array.from(numbers, (number, place) => {
      if (
        start &&
        !sameBytes(recorded(start, number), recorded(pointAt(recording, start.layer), number))
      ) {
        return start.layer;
      }
      const last = Math.min(run.changedAt[other][place], leftAt[place]);
      if (last === Infinity) return Infinity;
      const first = start?.layer ?? 0;
      return kept.findLast(({ layer }) => layer > first && layer <= last)?.layer ?? first;
    });
  }

  function recorded({ tensor, values }: RecordedPoint, number: number) {
    const length = lengthOf(tensor);
    return values.subarray(number * length, (number + 1) * length);
  }

  return {
    runBase(shared, recording, others) {
      const { numbers, differing } = shared;
      const start = recording.points.findLast(({ layer }) => layer <= differing.first);
      const never = () => new Float64Array(numbers.length).fill(Infinity);
      const run = {
        ...{ batch: shared, others, start, outputs: new Float32Array(0) },
        ...{ changedAt: others.map(never), leftAt: never() },
      };
      datapath.setActivationUnits(new Map());
      let active = Array.from(numbers.keys());
      loadStart(run, recording, active);
      for (let layer = start?.layer ?? 0; layer < network.layers.length; layer += 1) {
        const point = kept.find((candidate) => candidate.layer === layer);
        if (point) keep(point, active);
        const compared = comparedAt(recording, layer, differing);
        if (compared) {
          const still = keepChanged(datapath, compared, active, numbers);
          for (const place of active) if (!still.includes(place)) run.leftAt[place] = layer;
          active = still;
        }
        if (active.length === 0) break;
        datapath.runLayer(layer, active.length);
        noteChanges(run, layer, active);
      }
      base = { ...run, outputs: outputsOf(active, recording, numbers) };
      return base.outputs;
    },
    runOther(other, recording) {
      if (!base) throw new Error('no run without activation units');
      const {
        batch: { numbers, differing },
        start,
        outputs,
      } = base;
      datapath.setActivationUnits(base.others[other]);
      const joins = joinLayers(base, other, recording);
      const first = start?.layer ?? 0;
      let active = [...joins.keys()].filter((place) => joins[place] === first);
      if (active.length > 0) loadStart(base, recording, active);
      for (let layer = first; layer < network.layers.length; layer += 1) {
        const point = kept.find((candidate) => candidate.layer === layer && layer > first);
        if (point) active = append(point, active, joins);
        const compared = comparedAt(recording, layer, differing);
        if (compared) active = keepChanged(datapath, compared, active, numbers);
        if (active.length > 0) datapath.runLayer(layer, active.length);
      }
      const found = outputsOf(active, recording, numbers);
      for (const [place, join] of joins.entries()) {
        if (join !== Infinity) continue;
        found.set(outputs.subarray(place * classes, (place + 1) * classes), place * classes);
      }
      return found;
    },
  };

  function append(
    point: RecordedPoint,
    active: readonly number[],
    joins: readonly number[],
  ): number[] {
    const joining = [...joins.keys()].filter((place) => joins[place] === point.layer);
    const length = lengthOf(point.tensor);
    for (const [index, place] of joining.entries()) {
      tensors[point.tensor].set(recorded(point, place), (active.length + index) * length);
    }
    return [...active, ...joining];
  }
}

function pointAt({ points }: Recording, layer: number): RecordedPoint {
  const found = points.find((point) => point.layer === layer);
  if (!found) throw new Error(`nothing was recorded before layer ${layer}`);
  return found;
}

/** Where an image with the recorded values is done: behind the last layer that differs. */
function comparedAt({ points }: Recording, layer: number, { last }: LayerRange) {
  return layer > last ? points.find((point) => point.layer === layer) : undefined;
}

/** Whether a unit may change results that were computed without it; values up to their thresholds it leaves alone. */
function mayChange(
  unit: ActivationUnit,
  layer: Network['layers'][number],
  output: Uint8Array | Float32Array,
): boolean {
  // int8 results and those with an upper bound of their own do not tell what was there before it.
  if (unit.format === 'int8' || ('upper' in layer && layer.upper !== undefined)) return true;
  return exceeds(output, unit.clip);
}

function exceeds(values: Uint8Array | Float32Array, { thresholds }: Float32Clip): boolean {
  const channels = thresholds.length;
  for (let first = 0; first < values.length; first += channels) {
    for (let channel = 0; channel < channels; channel += 1) {
      // NaN is not within any threshold.
      if (!(values[first + channel] <= thresholds[channel])) return true;
    }
  }
  return false;
}
