import type { DieLabels, PlacedDie } from '../inputs/dies/index.js';
import {
  clopperPearson,
  type Estimate,
  type PairedImages,
  pairedImagesDifference,
} from '../statistics/index.js';
import type { PointKey } from '../study/columns.js';

/** Whether a die meets the requirement, against chance. */
export const DIE_VERDICTS = ['pass', 'fail', 'undecided'] as const;

export type DieVerdict = (typeof DIE_VERDICTS)[number];

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
  /** Images that it was judged on. */
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
  readonly images: number;
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
  const { key, die, effective, images, correct, lost, gained, within, isUnprotected } = outcome;
  const isSame = isUnprotected && effective === 0;
  const difference = isSame
    ? { mean: 0, low: 0, high: 0 }
    : pairedImagesDifference({ lost, gained }, images);
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
    accuracy: { mean: correct / images, ...clopperPearson(correct, images) },
    difference,
    verdict: dieVerdict(difference, within),
  };
}

function labelsOf({ die, lot, wafer, x, y }: DieLabels): DieLabels {
  return { die, lot, wafer, x, y };
}

/**
 * The verdict on a difference: whether the interval of the drop lies below, above or across what a good die may lose.
 *
 * @param within what a good die may lose, a fraction
 */
export function dieVerdict({ low, high }: Estimate, within: number): DieVerdict {
  if (-low <= within) return 'pass';
  return -high > within ? 'fail' : 'undecided';
}
