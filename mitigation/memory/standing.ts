import type { StorageName } from '../../sim/index.js';
import type { MemoryPart } from './mechanisms.js';

/** The mechanisms that may stand in a memory whose words are not known before: all others are made for weights. */
const IN_FEATURE_MAPS: Readonly<Record<MemoryPart['use'], boolean>> = {
  spares: true,
  'word-masking': false,
  harden: true,
  tmr: true,
  secded: true,
  'bch-dec': true,
  parity: true,
  mset: false,
  cep: false,
  'in-place-ecc': false,
  rotate: false,
  invert: false,
  'closest-value': false,
  reorder: false,
  'range-check': false,
};

/** Whether a part may stand in a storage: all may in the weight memory, none in registers. */
export function standsIn({ use }: MemoryPart, storage: StorageName): boolean {
  switch (storage) {
    case 'weights':
      return true;
    case 'inputs':
    case 'activations':
      return IN_FEATURE_MAPS[use];
    case 'weight-registers':
    case 'accumulators':
    case 'multipliers':
      return false;
  }
}
