import { type BchDecPart, bchDec } from './bch-dec.js';
import { type ClosestValuePart, closestValue } from './closest-value.js';
import { type HardenPart, harden } from './harden.js';
import { type InvertPart, invert } from './invert.js';
import type { MemoryMechanism } from './mechanism.js';
import { type ParityPart, parity } from './parity.js';
import { type RangeCheckPart, rangeCheck } from './range-check.js';
import { type RotatePart, rotate } from './rotate.js';
import { type SecdedPart, secded } from './secded.js';

/** What stands in the weight memory; what is left away has the default of its mechanism. */
export type MemoryPart =
  | HardenPart
  | SecdedPart
  | BchDecPart
  | ParityPart
  | RotatePart
  | InvertPart
  | ClosestValuePart
  | RangeCheckPart;

/** Every mechanism by the word for it, in the order of reading: cells, codes, transforms, screens. */
export const MECHANISMS: {
  readonly [Use in MemoryPart['use']]: MemoryMechanism<Extract<MemoryPart, { use: Use }>>;
} = {
  harden,
  secded,
  'bch-dec': bchDec,
  parity,
  rotate,
  invert,
  'closest-value': closestValue,
  'range-check': rangeCheck,
};

/** The mechanism of a part. */
export function mechanismOf<Part extends MemoryPart>(part: Part): MemoryMechanism<Part> {
  return MECHANISMS[part.use] as unknown as MemoryMechanism<Part>;
}
