import { activeFaults } from '../../fault/index.js';
import type { KernelCode } from '../../kernels/index.js';
import { UNPROTECTED } from '../../mitigation/index.js';
import type { Network } from '../../models/index.js';
import {
  type ActivationUnit,
  canFollowChanges,
  createDeltaRunner,
  type Datapath,
  type DeltaRunner,
  type Disturbance,
  deltaRunnerBytes,
  differingLayers,
  isOfWeightsAlone,
  type LayerRange,
  type PatchBuffers,
  type PrefixSharing,
  type Recording,
  recordRun,
  runFrom,
  runPerImage,
  runTransients,
  type TransientFault,
  type WeightPatches,
} from '../../sim/index.js';
import { type Task, workloadInputs } from '../../workload/index.js';
import {
  type GoldenPredictions,
  type JudgedImages,
  type Prediction,
  predictionsOf,
} from './recorded-samples.js';
import type { StorageMap, StorageSide } from './storage-side.js';

/**
 * How trials are run: `plain` puts every image through the whole network, `incremental` computes only what can have
 * changed. Both give the same results.
 */
export type Engine = 'incremental' | 'plain';

/** A network that trials run on. */
export interface TrialNetwork {
  readonly network: Network;
  readonly datapath: Datapath;
  /** How its outputs are judged. */
  readonly task: Task;
  /** Fault-free stored words of all weights, in network order. */
  readonly words: Uint8Array | Uint32Array;
  /** What each mitigation puts behind the accumulators, as a key of what follows. */
  readonly activationOf: ReadonlyMap<string, string>;
  /** By layer. */
  readonly units: ReadonlyMap<string, ReadonlyMap<string, ActivationUnit>>;
  readonly golden: ReadonlyMap<string, GoldenPredictions>;
  /** What the fault-free network made of the images in `golden`. */
  readonly recordings: ReadonlyMap<string, Recording>;
  readonly engine: Engine;
  /** Memory for the patches of one trial after the other. */
  readonly patchBuffers: PatchBuffers;
  /** Runners of the study's fixed images; undefined: there are none. */
  readonly deltaRunners?: DeltaRunners | undefined;
  /** Does once what several mitigations have in common; undefined: each runs alone. */
  readonly sharing?: PrefixSharing | undefined;
}

/** The images of a run. */
export type RunImages = JudgedImages;

/** Predictions of the fault-free network, which are recorded. */
export function predictClean(
  one: TrialNetwork,
  mitigation: string,
  images: RunImages,
): Prediction[] {
  const { workload, indices, numbers } = images;
  const { datapath, recordings } = one;
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(unitsOf(one, mitigation));
  const recording = recordingOf(recordings, mitigation);
  const outputs = recordRun(datapath, recording, workloadInputs(workload, indices), numbers);
  return predictionsIn(one, outputs, images);
}

function unitsOf({ units }: TrialNetwork, mitigation: string): ReadonlyMap<string, ActivationUnit> {
  const found = units.get(mitigation);
  if (!found) throw new Error(`no activation units for ${mitigation}`);
  return found;
}

/** What faults make of a network. */
export interface EffectiveFaults {
  readonly disturbance: Disturbance;
  /** The layers that it may change; undefined: none. */
  readonly differing: LayerRange | undefined;
  /** Faults of which each is active for an image or not; undefined: they are permanent. */
  readonly intermittent?: IntermittentFaults | undefined;
  /** Faults of a moment, which are all there are then; undefined: there are none. */
  readonly transient?: TransientFaults | undefined;
}

export interface TransientFaults {
  readonly side: StorageSide;
  /** The faults of an image, by its index in the workload. */
  readonly faultsOf: (image: number) => readonly TransientFault[];
}

export interface IntermittentFaults {
  /** Of each storage; what parts know is all faults: those that are active are found out by nobody. */
  readonly maps: readonly StorageMap[];
  readonly probability: number;
  /** Of each storage. */
  readonly seeds: readonly number[];
  readonly trial: number;
  readonly side: StorageSide;
}

/** Predictions, and the time of what was run for them alone. */
export interface FaultyPredictions {
  readonly predictions: readonly Prediction[];
  readonly seconds: number;
}

/** Predictions under faults; the images must have been recorded. */
export function predictFaulty(
  one: TrialNetwork,
  mitigation: string,
  images: RunImages,
  faults: EffectiveFaults,
): Prediction[] {
  const outputs = faultyOutputs(one, mitigation, images, faults);
  return predictionsIn(one, outputs, images);
}

/**
 * Beyond so many changed weights, changes reach so many values that whole layers are faster. Of int8 AlexNet, 100 images
 * with none and clip take 42 ms instead of 219 at 250 faults, 153 instead of 302 at 700, and as long at 1,500.
 */
const MOST_FOLLOWED_PATCHES = 1024;

/** Lists that need not be made to tell are not made. */
function hasFewPatches(patches: WeightPatches): boolean {
  const { inverted, effectiveFaults } = patches;
  const bits = 8 * (inverted?.BYTES_PER_ELEMENT ?? 0);
  if (inverted && effectiveFaults > MOST_FOLLOWED_PATCHES * bits) return false;
  return patches.weights.length <= MOST_FOLLOWED_PATCHES;
}

function faultyOutputs(
  one: TrialNetwork,
  mitigation: string,
  { workload, indices, numbers }: RunImages,
  { disturbance, differing, intermittent, transient }: EffectiveFaults,
): Float32Array {
  const { datapath, recordings, engine, deltaRunners } = one;
  const loadImages = () => workloadInputs(workload, indices);
  const units = unitsOf(one, mitigation);
  if (transient)
    return transientOutputs(one, mitigation, { indices, numbers, loadImages }, transient);
  if (intermittent) {
    const { maps, probability, seeds, trial, side } = intermittent;
    datapath.setActivationUnits(units);
    return runPerImage(datapath, loadImages(), indices.length, (image) => {
      const active = maps.map(({ map, knownTo }, storage) => ({
        map: activeFaults(map, probability, seeds[storage], trial, indices[image]),
        knownTo,
      }));
      return side.resultOf(active).disturbance;
    });
  }
  const { weights } = disturbance;
  const canFollow = engine === 'incremental' && isOfWeightsAlone(disturbance);
  if (canFollow && weights && hasFewPatches(weights)) {
    const runner = deltaRunners?.(mitigation, units);
    if (runner) return runRecorded(runner, weights, loadImages, numbers);
  }
  datapath.setDisturbance(disturbance);
  datapath.setActivationUnits(units);
  if (engine === 'plain' || !differing) return datapath.run(loadImages(), indices.length);
  return runFrom(datapath, recordingOf(recordings, mitigation), numbers, differing, loadImages);
}

/** Images with transient faults of their own. */
function transientOutputs(
  one: TrialNetwork,
  mitigation: string,
  {
    indices,
    numbers,
    loadImages,
  }: Pick<RunImages, 'indices' | 'numbers'> & { readonly loadImages: () => Float32Array },
  { side, faultsOf }: TransientFaults,
): Float32Array {
  const { datapath, recordings, engine, deltaRunners, words } = one;
  const units = unitsOf(one, mitigation);
  datapath.setActivationUnits(units);
  const recording = recordingOf(recordings, mitigation);
  if (engine === 'plain') {
    return runPerImage(datapath, loadImages(), indices.length, (place) =>
      side.disturbanceOf(faultsOf(indices[place])),
    );
  }
  if (side.protectsMemory) {
    const images = loadImages();
    return runEachFrom(datapath, recording, numbers, images, (place) =>
      side.disturbanceOf(faultsOf(indices[place])),
    );
  }
  const runner = deltaRunners?.(mitigation, units);
  if (runner) recordMissing(runner, loadImages, numbers);
  return runTransients({
    ...{ datapath, recording, words, numbers, loadImages },
    faultsOf: (place) => faultsOf(indices[place]),
    following: runner && { runner, first: numbers[0] },
  });
}

/** Recorded images, each with a disturbance of its own. */
function runEachFrom(
  datapath: Datapath,
  recording: Recording,
  numbers: Uint32Array,
  images: Float32Array,
  disturbanceOf: (place: number) => Disturbance,
): Float32Array {
  const { classes, network } = datapath;
  const length = images.length / numbers.length;
  const outputs = new Float32Array(numbers.length * classes);
  for (const [place, number] of numbers.entries()) {
    const disturbance = disturbanceOf(place);
    const differing = differingLayers(network, disturbance);
    const recorded = recording.outputs.subarray(number * classes, (number + 1) * classes);
    if (differing) datapath.setDisturbance(disturbance);
    const found = differing
      ? runFrom(datapath, recording, numbers.subarray(place, place + 1), differing, () =>
          images.subarray(place * length, (place + 1) * length),
        )
      : recorded;
    outputs.set(found, place * classes);
  }
  return outputs;
}

/** Records the images of a run that are not recorded yet, of a study whose images are fixed. */
function recordMissing(
  runner: DeltaRunner,
  loadImages: () => Float32Array,
  numbers: Uint32Array,
): void {
  const [first] = numbers;
  const missing = first + numbers.length - runner.recorded;
  if (missing <= 0) return;
  const images = loadImages();
  const length = images.length / numbers.length;
  runner.record(images.subarray((numbers.length - missing) * length), missing);
}

/** Outputs of images of a study whose images are fixed; those that are not recorded yet are. */
function runRecorded(
  runner: DeltaRunner,
  patches: WeightPatches,
  loadImages: () => Float32Array,
  numbers: Uint32Array,
): Float32Array {
  const [first] = numbers;
  recordMissing(runner, loadImages, numbers);
  return runner.run(patches, first, numbers.length);
}

/** Gives the runner of a mitigation; undefined when there is no memory for it. */
export type DeltaRunners = (
  mitigation: string,
  units: ReadonlyMap<string, ActivationUnit>,
) => DeltaRunner | undefined;

/**
 * Runners that follow changes through a network, one a mitigation, made when first used.
 *
 * @param count images of the study, which are fixed
 * @param budget bytes that they may take together; a runner that does not fit is not made
 * @returns undefined for a network through which changes cannot be followed
 */
export function createDeltaRunners(
  network: Network,
  datapath: Datapath,
  kernels: KernelCode,
  count: number,
  budget: number,
): DeltaRunners | undefined {
  if (!canFollowChanges(network)) return undefined;
  const runners = new Map<string, DeltaRunner | undefined>();
  let left = budget;
  return (mitigation, units) => {
    if (!runners.has(mitigation)) {
      const bytes = deltaRunnerBytes(network, count);
      const fits = bytes <= left;
      if (fits) left -= bytes;
      runners.set(
        mitigation,
        fits ? createDeltaRunner(network, datapath, kernels, count, units) : undefined,
      );
    }
    return runners.get(mitigation);
  };
}

/**
 * Predictions under faults with each of several mitigations; the images must have been recorded. What they have in
 * common with `none` is computed once, where that is among them and words are float32: with others the stored results
 * of a layer do not tell whether a unit would have changed them.
 *
 * @returns for each mitigation its predictions, and the time of what was run for it alone
 */
export function predictFaultyTogether(
  one: TrialNetwork,
  mitigations: readonly string[],
  images: RunImages,
  faults: EffectiveFaults,
): FaultyPredictions[] {
  const { differing, disturbance } = faults;
  // What is read of a tensor does not tell whether a unit would have changed what was written.
  const hasTensors = (disturbance.tensors?.size ?? 0) > 0;
  const canShare = one.sharing && !faults.intermittent && !hasTensors && mitigations.length > 1;
  return canShare && !faults.transient && differing && mitigations.includes(UNPROTECTED)
    ? predictSharing(one, one.sharing, mitigations, images, { ...faults, differing })
    : mitigations.map((mitigation) => {
        const started = performance.now();
        const predictions = predictFaulty(one, mitigation, images, faults);
        return { predictions, seconds: (performance.now() - started) / 1000 };
      });
}

function predictSharing(
  one: TrialNetwork,
  sharing: PrefixSharing,
  mitigations: readonly string[],
  { workload, indices, numbers }: RunImages,
  { disturbance, differing }: EffectiveFaults & { readonly differing: LayerRange },
): FaultyPredictions[] {
  const { datapath, recordings } = one;
  datapath.setDisturbance(disturbance);
  const others = mitigations.filter((mitigation) => mitigation !== UNPROTECTED);
  const units = others.map((mitigation) => unitsOf(one, mitigation));
  const results = new Map(
    mitigations.map((mitigation) => [mitigation, { predictions: [] as Prediction[], seconds: 0 }]),
  );
  const add = (mitigation: string, batch: RunImages, run: () => Float32Array) => {
    const result = results.get(mitigation);
    if (!result) throw new Error(`unknown mitigation ${mitigation}`);
    const started = performance.now();
    result.predictions.push(...predictionsIn(one, run(), batch));
    result.seconds += (performance.now() - started) / 1000;
  };
  for (let first = 0; first < indices.length; first += datapath.batch) {
    const batchIndices = indices.subarray(first, first + datapath.batch);
    const images = {
      ...{ workload, indices: batchIndices },
      numbers: numbers.subarray(first, first + datapath.batch),
    };
    const batch = {
      ...{ numbers: images.numbers, differing },
      loadImages: () => workloadInputs(workload, batchIndices),
    };
    add(UNPROTECTED, images, () =>
      sharing.runBase(batch, recordingOf(recordings, UNPROTECTED), units),
    );
    for (const [other, mitigation] of others.entries()) {
      add(mitigation, images, () => sharing.runOther(other, recordingOf(recordings, mitigation)));
    }
  }
  return [...results.values()];
}

function recordingOf(recordings: ReadonlyMap<string, Recording>, mitigation: string): Recording {
  const recording = recordings.get(mitigation);
  if (!recording) throw new Error(`no recording for ${mitigation}`);
  return recording;
}

/** What a network made of images, of which the unprotected fault-free network's outputs are recorded. */
function predictionsIn(
  { task, recordings }: TrialNetwork,
  outputs: Float32Array,
  images: RunImages,
): Prediction[] {
  return predictionsOf(task, outputs, recordingOf(recordings, UNPROTECTED).outputs, images);
}
