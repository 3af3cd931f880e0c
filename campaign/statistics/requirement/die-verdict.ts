import type { Estimate } from '../interval.js';

/** Whether a die meets the requirement, against chance. */
export const DIE_VERDICTS = ['pass', 'fail', 'undecided'] as const;

export type DieVerdict = (typeof DIE_VERDICTS)[number];

/**
 * The verdict on a difference: whether the interval of the drop lies below, above or across what a good die may lose.
 *
 * @param within what a good die may lose, a fraction
 */
export function dieVerdict({ low, high }: Estimate, within: number): DieVerdict {
  if (-low <= within) return 'pass';
  return -high > within ? 'fail' : 'undecided';
}

/** What is to be known of a die before it ends. */
export interface DieAim {
  /** What a good die may lose, a fraction: the verdict is to be known. */
  readonly within: number;
  /** Half the width that the interval may have, a fraction; undefined: any. */
  readonly precision?: number | undefined;
}

/** Whether enough is known of a difference. */
export function isSettled(difference: Estimate, { within, precision }: DieAim): boolean {
  const { low, high } = difference;
  const isPrecise = precision === undefined || high - low <= 2 * precision;
  return isPrecise && dieVerdict(difference, within) !== 'undecided';
}
