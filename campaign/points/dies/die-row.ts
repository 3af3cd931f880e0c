import type { DieLabels, PlacedDie } from '../../inputs/dies/index.js';
import {
  clopperPearson,
  type DieLook,
  type DieVerdict,
  dieVerdict,
  differenceAtLook,
  type Estimate,
  type PairedImages,
} from '../../statistics/index.js';
import type { PointKey } from '../../study/columns.js';

/** One die at a voltage under a mitigation. */
export interface DieRow extends DieLabels {
  /** In volts; null: it is not known. */
  readonly voltage: number | null;
  /** Of its fault map. */
  readonly file: string;
  /** Faulty cells of the accelerator's memory. */
  readonly faults: number;
  readonly model: string;
  readonly format: PointKey['format'];
  readonly accelerator: string;
  readonly mitigation: string;
  /** Faulty cells that change a weight. */
  readonly effective: number;
  /** Images that it was judged on: it ended after them. */
  readonly images: number;
  readonly accuracy: Estimate;
  /** Accuracy minus that of the fault-free, unprotected network on the same images. */
  readonly difference: Estimate;
  readonly verdict: DieVerdict;
}

/** What became of a die's images under one mitigation, and what it is compared with. */
export interface DieOutcome extends PairedImages {
  readonly key: PointKey;
  readonly die: Omit<PlacedDie, 'start'>;
  readonly effective: number;
  /** At which it ended. */
  readonly look: DieLook;
  readonly correct: number;
  /** What a good die may lose, a fraction. */
  readonly within: number;
  /**
   * Whether the network without faults is the unprotected one: a die without an effective fault then loses nothing,
   * on whatever images.
   */
  readonly isUnprotected: boolean;
}

/** Judge a die. */
export function judgeDie(outcome: DieOutcome): DieRow {
  const { key, die, effective, look, correct, within, isUnprotected } = outcome;
  const { images, confidence } = look;
  const difference = differenceAtLook(outcome, look, isUnprotected && effective === 0);
  return {
    ...labelsOf(die),
    voltage: key.voltage ?? null,
    file: die.file,
    faults: die.faults,
    model: key.model,
    format: key.format,
    accelerator: key.accelerator,
    mitigation: key.mitigation,
    effective,
    images,
    accuracy: { mean: correct / images, ...clopperPearson(correct, images, confidence) },
    difference,
    verdict: dieVerdict(difference, within),
  };
}

function labelsOf({ die, lot, wafer, x, y }: DieLabels): DieLabels {
  return { die, lot, wafer, x, y };
}
