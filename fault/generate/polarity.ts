import type { RandomStream } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultModel } from '../model/fault-model.js';

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

/** What the faults of a model do, and with which share of stuck-at-1. */
export type Polarity = Pick<FaultModel, 'faults' | 'stuckAt1Share'>;

/**
 * Kind of each cell or line, an index into FAULT_KINDS. Stuck-at kinds are drawn by the index of the cell
 * or line: they do not depend on the rate, and cells that are stuck at 1 remain so at a larger share.
 *
 * @param kinds where they are written, as long as `indices`
 */
export function kindsOf(
  indices: Float64Array,
  { faults, stuckAt1Share = 0.5 }: Polarity,
  stream: RandomStream,
  kinds: Uint8Array = new Uint8Array(indices.length),
): Uint8Array {
  if (faults !== 'stuck-at') return kinds.fill(FAULT_KINDS.indexOf(faults));
  for (let fault = 0; fault < indices.length; fault += 1) {
    kinds[fault] = stream.uniform(indices[fault]) >= 1 - stuckAt1Share ? STUCK_AT_1 : STUCK_AT_0;
  }
  return kinds;
}
