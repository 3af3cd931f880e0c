import { DETECTED } from './linear-code.js';
import type { Verdicts } from './stages.js';

/**
 * What a code made of a code word.
 *
 * @param correction what the decoder did: nothing (0), `DETECTED`, or a correction (more than 0)
 * @param wasRight whether its bits were read as they were written
 * @param isRight whether its data are right after decoding
 */
export function verdictOf(correction: number, wasRight: boolean, isRight: boolean): keyof Verdicts {
  if (wasRight) return 'noError';
  if (correction === DETECTED) return 'detected';
  if (correction === 0) return 'undetected';
  return isRight ? 'corrected' : 'miscorrected';
}
