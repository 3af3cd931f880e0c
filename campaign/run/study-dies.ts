import { activationKeyOf, UNPROTECTED } from '../../mitigation/index.js';
import { type DieLabels, levelOfDies, type PlacedDies } from '../inputs/dies/index.js';
import { type DieRow, judgeDie } from '../points/dies/die-row.js';
import { pointKey } from '../study/columns.js';
import type { Condition } from '../study/conditions.js';
import { looksOfDies } from '../trial/die-end.js';
import {
  entryOf,
  memoryKey,
  networkOf,
  placeForStudy,
  type StudyData,
} from '../trial/study-data.js';
import type { TrialResult } from '../trial/trial.js';

/** A die at a voltage, before it is run. */
export interface MeasuredDie extends DieLabels {
  /** In volts; null: it is not known. */
  readonly voltage: number | null;
  readonly file: string;
  /** Faulty cells of the accelerator's memory. */
  readonly faults: number;
}

/** The dies of a study. */
export interface StudyDies {
  /** As they lie in the memory of the study's first network and accelerator. */
  readonly measured: readonly MeasuredDie[];
  /** What was noticed about them. */
  readonly warnings: readonly string[];
  /** The dies of a trial, one under each mitigation; none of a trial without faults. */
  rowsOf(result: TrialResult): DieRow[];
}

/** The dies of a study; undefined: it has none. */
export function studyDies(data: StudyData): StudyDies | undefined {
  if (data.study.dies === undefined) return undefined;
  const { study, conditions } = data;
  const looks = looksOfDies(study);
  const unprotected = new Set(
    study.mitigations
      .filter((mitigation) => activationKeyOf(mitigation) === UNPROTECTED)
      .map(({ name }) => name),
  );
  const placed = conditions.map((condition) => placedDies(data, condition));
  const [first] = data.dies.values();
  return {
    measured: first.levels.flatMap(({ voltage, dies }) =>
      dies.map(({ start: _, ...die }) => ({ ...die, voltage })),
    ),
    warnings: [...new Set([...data.dies.values()].flatMap(({ warnings }) => warnings))],
    rowsOf({ trial, outcomes }) {
      const condition = conditions[trial.condition];
      if (condition.source.kind !== 'dies') return [];
      const level = levelOfDies(placed[condition.index], condition.voltage);
      const look = looks.find(({ images }) => images === trial.images);
      if (!look) throw new Error(`a die that ended after ${trial.images} images`);
      return outcomes.map(({ mitigation, effective, correct, paired, firstLayer }) => {
        if (!paired) throw new Error('a die without the images on which it differs');
        if (effective === null) throw new Error('a die of another storage than weights');
        return judgeDie({
          key: pointKey(condition, mitigation),
          die: level.dies[trial.map],
          ...{ effective, look, correct, ...paired },
          within: study.within / 100,
          // A code may change weights without any fault, and masks those of sound cells.
          isUnprotected: unprotected.has(mitigation) && firstLayer === null,
        });
      });
    },
  };
}

function placedDies(data: StudyData, { model, format, accelerator }: Condition): PlacedDies {
  const { network } = networkOf(data, model, format);
  const placement = placeForStudy(data.study, network, entryOf(data.accelerators, accelerator));
  const { geometry, memory } = placement;
  return entryOf(data.dies, memoryKey({ geometry, columnMux: memory.columnMux }));
}
