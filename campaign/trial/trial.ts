import { type FaultMap, faultsOfMap } from '../../fault/index.js';
import { type KnownMaps, type Repairs, UNPROTECTED } from '../../mitigation/index.js';
import {
  createPatchBuffers,
  differingLayers,
  isSameMemory,
  type PatchBuffers,
  type PlacedStorage,
  storageSeed,
  type TransientFault,
} from '../../sim/index.js';
import type { Workload } from '../../workload/index.js';
import type { DieLook, PairedImages } from '../statistics/index.js';
import type { Condition } from '../study/conditions.js';
import { activeProbabilityOf, dataFaults } from '../study/fault-source.js';
import type { Scope } from '../study/scope.js';
import type { Study } from '../study/study.js';
import { type EndOfDies, hasEnded, looksOfDies } from './die-end.js';
import {
  type EffectiveFaults,
  type FaultyPredictions,
  predictFaultyTogether,
  type RunImages,
  type TrialNetwork,
} from './engines.js';
import type { Prediction } from './recorded-samples.js';
import { encodeImageSet } from './sample-set.js';
import type { StorageMap, StorageSide } from './storage-side.js';
import { entryOf } from './study-data.js';
import {
  goldenOf,
  pairedWith,
  partOf,
  placesWhere,
  rightPlaces,
  runImages,
} from './trial-images.js';

/** One fault map on one network: the unit of work. Map number `map` also orders the images, unless they are fixed. */
export interface Trial {
  /** Index of the condition. */
  readonly condition: number;
  /** Maps of a pilot have numbers of their own: `isPilotMap`. */
  readonly map: number;
  /** The first so many of the images in the map's order are run; of a die that is settled before, fewer. */
  readonly images: number;
  readonly mitigations: readonly string[];
}

/** What became of a trial's images under one mitigation. */
export interface Outcome {
  readonly mitigation: string;
  /** Images that come out right, as the task has it. */
  readonly correct: number;
  /** Images whose answer is not that of the fault-free run with the same mitigation. */
  readonly sdc: number;
  /** Images with a NaN or infinite output. */
  readonly nonFinite: number;
  /** Faulty cells that change at least one weight; null: others than weights are struck, which depends on the image. */
  readonly effective: number | null;
  /** The first layer, in network order, that the faults may change; null: none. */
  readonly firstLayer: string | null;
  /** What spare lines made of the map; undefined: there are none, or a saved trial does not tell. */
  readonly repairs?: Readonly<Repairs> | undefined;
  /** Which of the images these are, by their places (see `encodeImageSet`), where all maps have the same images. */
  readonly fixed?: { readonly correct: string; readonly sdc: string } | undefined;
  /** Of a die: the images on which it differs from the fault-free, unprotected network. */
  readonly paired?: PairedImages | undefined;
  /** Time of this outcome alone. */
  readonly seconds: number;
}

export interface TrialResult {
  /** With the images that were run. */
  readonly trial: Trial;
  /** rate · cells in scope, of all storages: how many faults were asked for. */
  readonly requested: number;
  /** Faulty data cells. */
  readonly injected: number;
  /** Images that the fault-free, unprotected network gets right. */
  readonly cleanCorrect: number;
  readonly outcomes: readonly Outcome[];
}

/** One of the storages that are broken at once. */
export interface FaultyStorage {
  readonly placed: PlacedStorage;
  readonly scope: Scope;
  /** A fault map by its number. */
  readonly faultMap: (map: number) => FaultMap;
  /** What parts know of the map of that number, which `whole` is. */
  readonly knownMaps: (map: number, whole: FaultMap) => KnownMaps;
}

export interface TransientContext {
  /** rate · places: how many faults an image is to have. */
  readonly requested: number;
  /** The faults of an image, by its index in the workload. */
  readonly faultsOf: (map: number, image: number) => readonly TransientFault[];
}

/** All that the trials of one condition share. */
export interface TrialContext {
  readonly condition: Condition;
  readonly study: Pick<Study, 'seed' | 'imageChoice'> & EndOfDies;
  readonly network: TrialNetwork;
  readonly storages: readonly FaultyStorage[];
  /** What the storages make of maps under each mitigation; one object for those under which they do the same. */
  readonly sides: ReadonlyMap<string, StorageSide>;
  /** Of transient faults: how many there are in an image of a map, by rate or number, and which. */
  readonly transient?: TransientContext | undefined;
  readonly workload: Workload;
}

/** Run one trial; the result, times aside, depends on the study, the trial and the data alone. */
export function runTrial(context: TrialContext, trial: Trial): TrialResult {
  const { network, storages, study, workload } = context;
  const all = runImages(study, trial, workload);
  const maps = storages.map(({ faultMap, knownMaps }): StorageMap => {
    const map = faultMap(trial.map);
    return { map, knownTo: knownMaps(trial.map, map) };
  });
  const looks = looksOf(context, trial);
  const sides = [...bySide(context, trial.mitigations)];
  // Those of one side are valid until the next one's are made, and each look but the first takes them again.
  const isKept = looks.length > 1 && sides.length > 1;
  const faulty: FaultySide[] = [];
  const found = new Map<string, FaultyPredictions>();
  const outcomes = new Map<string, Outcome>();
  let done = 0;
  for (const look of looks) {
    const part = partOf(all, done, look.images);
    done = look.images;
    for (const one of [UNPROTECTED, ...trial.mitigations]) goldenOf(network, one, part);
    for (const [at, [side, mitigations]] of sides.entries()) {
      faulty[at] ??= faultySide(context, {
        ...{ trial, maps, side },
        buffers: isKept ? createPatchBuffers() : network.patchBuffers,
      });
      addPredictions(found, predictPart(context, faulty[at], mitigations, part));
    }
    const images = partOf(all, 0, done);
    for (const [at, [, mitigations]] of sides.entries()) {
      for (const mitigation of mitigations) {
        const outcome = outcomeOf(context, faulty[at], images, {
          mitigation,
          ...entryOf(found, mitigation),
        });
        outcomes.set(mitigation, outcome);
      }
    }
    if (done < trial.images && isSettledDie(context, look, [...outcomes.values()])) break;
  }
  const images = partOf(all, 0, done);
  return {
    trial: { ...trial, images: done },
    ...faultCounts(context, maps, trial.map, images),
    cleanCorrect: cleanPlaces(network, images).length,
    outcomes: trial.mitigations.map((mitigation) => entryOf(outcomes, mitigation)),
  };
}

function cleanPlaces(network: TrialNetwork, images: RunImages): number[] {
  return rightPlaces(goldenOf(network, UNPROTECTED, images));
}

/** Of transient faults those of all images together. */
function faultCounts(
  { storages, condition, transient }: TrialContext,
  maps: readonly StorageMap[],
  map: number,
  { indices }: RunImages,
): Pick<TrialResult, 'requested' | 'injected'> {
  if (transient) {
    return {
      requested: transient.requested * indices.length,
      injected: sum([...indices], (image) => transient.faultsOf(map, image).length),
    };
  }
  // Storages of one memory have one map.
  const counted = storages.map(
    ({ placed }, place) =>
      !storages.slice(0, place).some((other) => isSameMemory(other.placed.name, placed.name)),
  );
  return {
    requested: sum(
      storages.filter((_, place) => counted[place]),
      ({ scope }) => condition.faultCount ?? condition.rate * scope.count,
    ),
    injected: sum(
      maps.filter((_, place) => counted[place]),
      ({ map: one }) => dataFaults(one),
    ),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** The looks at a trial, of which the last one has all of its images; what is no die has no other. */
function looksOf({ condition, study }: TrialContext, { images }: Trial): readonly DieLook[] {
  const early =
    condition.source.kind === 'dies'
      ? looksOfDies(study).filter((look) => look.images < images)
      : [];
  return [...early, { images, confidence: 0.95 }];
}

function isSettledDie(
  { network, study }: TrialContext,
  look: DieLook,
  outcomes: readonly Outcome[],
): boolean {
  const dies = outcomes.map(({ mitigation, effective, paired }) => {
    if (!paired) throw new Error('a die without the images on which it differs');
    const isUnprotected = entryOf(network.activationOf, mitigation) === UNPROTECTED;
    return { paired, isSame: isUnprotected && effective === 0 };
  });
  return hasEnded(study, look, dies);
}

/** Fault maps as the storages under some mitigations make them. */
interface FaultySide extends EffectiveFaults {
  /** Whether a run may come out otherwise than the fault-free one. */
  readonly mayDiffer: boolean;
  /** Faulty cells that change a weight; null: what is struck depends on the image. */
  readonly effective: number | null;
  /** What spare lines made of the map; undefined: there are none. */
  readonly repairs: Readonly<Repairs> | undefined;
}

function faultySide(
  { network, storages, study, condition, transient }: TrialContext,
  {
    trial,
    maps,
    side,
    buffers,
  }: {
    readonly trial: Trial;
    readonly maps: readonly StorageMap[];
    readonly side: StorageSide;
    readonly buffers: PatchBuffers;
  },
): FaultySide {
  if (transient) {
    return {
      ...{ disturbance: {}, differing: undefined, effective: null, repairs: undefined },
      transient: { side, faultsOf: (image) => transient.faultsOf(trial.map, image) },
      mayDiffer: true,
    };
  }
  const probability = activeProbabilityOf(condition.source);
  const result = side.resultOf(maps, buffers);
  const differing = differingLayers(network.network, result.disturbance);
  const seeds = storages.map(({ placed }) => storageSeed(study.seed, placed.name));
  const intermittent =
    probability === undefined ? undefined : { maps, probability, seeds, trial: trial.map, side };
  return {
    ...{ ...result, differing, intermittent },
    // What corrects, masks or cancels all faults need not do so where some of them are not active.
    mayDiffer:
      differing !== undefined ||
      (intermittent !== undefined && maps.some(({ map }) => faultsOfMap(map) > 0)),
  };
}

/**
 * Predictions by mitigation: those that put the same behind the accumulators run once. The fault-free run must have
 * been recorded; without a changed weight the run would be that one.
 */
function predictPart(
  { network }: TrialContext,
  faults: FaultySide,
  mitigations: readonly string[],
  images: RunImages,
): Map<string, FaultyPredictions> {
  if (!faults.mayDiffer && network.engine !== 'plain') {
    return new Map(
      mitigations.map((mitigation) => [
        mitigation,
        { predictions: goldenOf(network, mitigation, images), seconds: 0 },
      ]),
    );
  }
  const keyOf = (mitigation: string) => entryOf(network.activationOf, mitigation);
  const keys = [...new Set(mitigations.map(keyOf))];
  const found = predictFaultyTogether(network, keys, images, faults);
  return new Map(
    mitigations.map((mitigation) => [mitigation, found[keys.indexOf(keyOf(mitigation))]]),
  );
}

/** Add the predictions of further images to those of the images before them. */
function addPredictions(
  before: Map<string, FaultyPredictions>,
  further: ReadonlyMap<string, FaultyPredictions>,
): void {
  for (const [mitigation, { predictions, seconds }] of further) {
    const first = before.get(mitigation) ?? { predictions: [], seconds: 0 };
    before.set(mitigation, {
      predictions: [...first.predictions, ...predictions],
      seconds: first.seconds + seconds,
    });
  }
}

/** The mitigations under which the storages do the same. */
function bySide(
  { sides }: TrialContext,
  mitigations: readonly string[],
): Map<StorageSide, string[]> {
  const groups = new Map<StorageSide, string[]>();
  for (const mitigation of mitigations) {
    const side = entryOf(sides, mitigation);
    groups.set(side, [...(groups.get(side) ?? []), mitigation]);
  }
  return groups;
}

function outcomeOf(
  { network, condition, study }: TrialContext,
  { effective, differing, repairs }: FaultySide,
  images: RunImages,
  { mitigation, predictions, seconds }: FaultyPredictions & { readonly mitigation: string },
): Outcome {
  const golden = goldenOf(network, mitigation, images);
  return {
    mitigation,
    ...judge(study, predictions, golden),
    effective,
    ...(repairs && { repairs }),
    ...(condition.source.kind === 'dies' && {
      paired: pairedWith(predictions, goldenOf(network, UNPROTECTED, images)),
    }),
    firstLayer: differing ? network.network.layers[differing.first].name : null,
    seconds,
  };
}

function judge(
  { imageChoice }: Pick<Study, 'imageChoice'>,
  found: readonly Prediction[],
  golden: readonly Prediction[],
): Pick<Outcome, 'correct' | 'sdc' | 'nonFinite' | 'fixed'> {
  const correct = rightPlaces(found);
  const sdc = placesWhere(found, ({ answer }, place) => answer !== golden[place].answer);
  const counts = {
    correct: correct.length,
    sdc: sdc.length,
    nonFinite: found.filter(({ nonFinite }) => nonFinite).length,
  };
  if (imageChoice === 'drawn') return counts;
  const encode = (places: readonly number[]) => encodeImageSet(places, found.length);
  return { ...counts, fixed: { correct: encode(correct), sdc: encode(sdc) } };
}
