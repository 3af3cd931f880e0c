import { InputError, memoryForSpeed } from '../../core/index.js';
import { type Cell, cellAt } from '../../fault/index.js';
import { loadKernels } from '../../kernels/index.js';
import { WORD_BITS, weightedLayers, wordReader } from '../../models/index.js';
import { applyFaultMap, cellOfWeightBit, firstWeightOfLayers } from '../../sim/index.js';
import { isPilotMap, pilotMap } from '../points/pilot.js';
import type { Condition } from '../study/conditions.js';
import { mitigationNames } from '../study/study.js';
import { runTrial, type Trial, type TrialContext, type TrialResult } from '../trial/trial.js';
import { createTrialContexts } from '../trial/trial-runner.js';
import type { PreparedStudy } from './prepare.js';

/** A weight that the faults of a trial change. */
export interface ChangedWeight {
  readonly layer: string;
  /** Number within the layer: output channel, input channel, ky, kx, the last one fastest. */
  readonly index: number;
  /** Its value without faults, and as the network reads it. */
  readonly stored: number;
  readonly faulty: number;
  /** Their words: a byte, or IEEE 754 bits. */
  readonly storedWord: number;
  readonly faultyWord: number;
  /** The bits that differ, ascending; 0 is the least significant. */
  readonly bits: readonly number[];
  /** The cells of these bits. */
  readonly cells: readonly Cell[];
}

/** One trial of a study, run again. */
export interface ReplayedTrial {
  readonly condition: Condition;
  readonly result: TrialResult;
  /** How many weights read differently. */
  readonly changedWeights: number;
  /** These weights in network order, made one by one: there may be millions. */
  listChangedWeights(): Iterable<ChangedWeight>;
}

/**
 * Run one trial of a study alone, with all its mitigations, on this thread: with what the study found under the same
 * numbers, to the bit.
 *
 * @param trial index of the condition, in the order of the study, and number of the fault map, those of a pilot included
 * @throws InputError when the study has no such trial, or its pilot chooses the images of the map
 */
export function replayTrial(
  prepared: PreparedStudy,
  trial: Pick<Trial, 'condition' | 'map'>,
): ReplayedTrial {
  const { study, conditions } = prepared.data;
  const condition = conditions[trial.condition];
  if (!condition) {
    throw new InputError(
      `condition ${trial.condition}: the study has conditions 0 to ${conditions.length - 1}`,
    );
  }
  const images = imagesOf(prepared, condition, trial.map);
  const contextOf = createTrialContexts(prepared.data, loadKernels(), {
    engine: 'incremental',
    deltaBytes: memoryForSpeed(),
  });
  const context = contextOf(condition.index);
  const result = runTrial(context, {
    condition: condition.index,
    map: trial.map,
    images,
    mitigations: mitigationNames(study),
  });
  return { condition, result, ...changesOf(context, trial.map) };
}

/** Images of a map of a condition. */
function imagesOf(prepared: PreparedStudy, condition: Condition, map: number): number {
  const images = prepared.imagesOf(condition);
  const { maxMaps } = prepared.ruleOf(condition);
  const pilot = typeof images === 'number' ? undefined : images;
  if (pilot && isPilotMap(map) && map < pilotMap(pilot.maps)) return pilot.images;
  if (map >= maxMaps) {
    const pilots = pilot ? `, its pilot ${pilotMap(0)} to ${pilotMap(pilot.maps - 1)}` : '';
    throw new InputError(
      `map ${map}: condition ${condition.index} has maps 0 to ${maxMaps - 1}${pilots}`,
    );
  }
  if (typeof images === 'number') return images;
  throw new InputError(
    `condition ${condition.index}: its pilot chooses how many images a map has, and a single trial has no pilot: give the number, which is in the column images of \`bitcell results DIR --table trial\`, as --images N`,
  );
}

function changesOf(
  { network: { network, words }, storages }: TrialContext,
  map: number,
): Pick<ReplayedTrial, 'changedWeights' | 'listChangedWeights'> {
  const weights = storages.find(({ placed }) => placed.cells.kind === 'weights');
  if (weights?.placed.cells.kind !== 'weights') {
    return { changedWeights: 0, listChangedWeights: () => [] };
  }
  const { faultMap } = weights;
  const { placement } = weights.placed.cells;
  const patches = applyFaultMap(faultMap(map), placement, words);
  const layers = weightedLayers(network);
  const readers = layers.map(wordReader);
  const first = firstWeightOfLayers(network);
  const width = WORD_BITS[network.format];
  const toChange = (weight: number, faultyWord: number): ChangedWeight => {
    const layer = first.findLastIndex((start, at) => at < layers.length && start <= weight);
    const storedWord = words[weight];
    const differing = storedWord ^ faultyWord;
    const bits = Array.from({ length: width }, (_, bit) => bit).filter(
      (bit) => (differing >>> bit) & 1,
    );
    const firstBit = placement.slotOf(weight) * width;
    return {
      layer: layers[layer].name,
      index: weight - first[layer],
      stored: readers[layer](storedWord),
      faulty: readers[layer](faultyWord),
      storedWord,
      faultyWord,
      bits,
      cells: bits.map((bit) =>
        cellAt(placement.geometry, cellOfWeightBit(placement.memory, width, firstBit + bit)),
      ),
    };
  };
  return {
    changedWeights: patches.weights.length,
    *listChangedWeights() {
      for (const [place, weight] of patches.weights.entries()) {
        yield toChange(weight, patches.words[place]);
      }
    },
  };
}
