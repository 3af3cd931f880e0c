import { type BchDecPart, bchDec } from './bch-dec.js';
import { type CepPart, cep } from './cep.js';
import { type ClosestValuePart, closestValue } from './closest-value.js';
import { type HardenPart, harden } from './harden.js';
import { type InPlaceEccPart, inPlaceEcc } from './in-place-ecc.js';
import { type InvertPart, invert } from './invert.js';
import type { MemoryMechanism } from './mechanism.js';
import { type MsetPart, mset } from './mset.js';
import { type ParityPart, parity } from './parity.js';
import { type RangeCheckPart, rangeCheck } from './range-check.js';
import { type ReorderPart, reorder } from './reorder.js';
import { type RotatePart, rotate } from './rotate.js';
import { type SecdedPart, secded } from './secded.js';
import { type SparesPart, spares } from './spares.js';
import { type TmrPart, tmr } from './tmr.js';
import { type WordMaskingPart, wordMasking } from './word-masking.js';

/** What stands in the weight memory; what is left away has the default of its mechanism. */
export type MemoryPart =
  | SparesPart
  | WordMaskingPart
  | HardenPart
  | TmrPart
  | SecdedPart
  | BchDecPart
  | ParityPart
  | MsetPart
  | CepPart
  | InPlaceEccPart
  | RotatePart
  | InvertPart
  | ClosestValuePart
  | ReorderPart
  | RangeCheckPart;

/** Every mechanism by the word for it, in the order of reading: cells, codes, transforms, the order of channels, screens. */
export const MECHANISMS: {
  readonly [Use in MemoryPart['use']]: MemoryMechanism<Extract<MemoryPart, { use: Use }>>;
} = {
  spares,
  'word-masking': wordMasking,
  harden,
  tmr,
  secded,
  'bch-dec': bchDec,
  parity,
  mset,
  cep,
  'in-place-ecc': inPlaceEcc,
  rotate,
  invert,
  'closest-value': closestValue,
  reorder,
  'range-check': rangeCheck,
};

/** The mechanism of a part. */
export function mechanismOf<Part extends MemoryPart>(part: Part): MemoryMechanism<Part> {
  return MECHANISMS[part.use] as unknown as MemoryMechanism<Part>;
}
