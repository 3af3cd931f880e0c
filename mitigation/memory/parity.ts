import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { linearCodePrice } from './code-price.js';
import { type LinearCode, linearCode } from './linear-code.js';
import {
  type CodeWord,
  codeWordsOf,
  codeWordsOfMemory,
  linearWordCode,
} from './linear-word-code.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';
import type { PlacedWeights } from './stages.js';
import { wordLayout } from './word-layout.js';

/**
 * Even parity bits, which detect an odd number of errors among the data bits of each and its own, and correct none.
 * Interleaved, data bit i belongs to parity bit i mod bits, so that neighbours have different ones; else to parity bit
 * ⌊i · bits / dataBits⌋, so that each has a block of neighbours.
 *
 * @param bits parity bits, at most 16 and at most one for each data bit
 */
export function parityCode(dataBits: number, bits = 1, interleaved = false): LinearCode {
  if (!Number.isInteger(bits) || bits < 1 || bits > dataBits) {
    throw new Error(
      `${bits} parity bits of ${dataBits} data bits: at least 1, at most one for each`,
    );
  }
  const columns = Array.from(
    { length: dataBits },
    (_, bit) => 1 << (interleaved ? bit % bits : Math.floor((bit * bits) / dataBits)),
  );
  const arrangement = interleaved ? 'parity-interleaved' : 'parity-blocks';
  return linearCode(bits === 1 ? 'parity' : arrangement, columns, bits, 0);
}

/** Parity bits of each weight, or of each 64 bits of memory. */
export interface ParityPart extends PartPlace, PartMetadata {
  readonly use: 'parity';
  /** Parity bits of a group; default: 1. */
  readonly bits?: number | undefined;
  /** Default: no. */
  readonly interleaved?: boolean | undefined;
  /** What has parity bits of its own, and becomes zero where they are wrong; default: word. */
  readonly group?: 'weight' | 'word' | undefined;
}

/** Data bits of a group of parity bits that is not a weight. */
const WORD_BITS = 64;

export const parity: MemoryMechanism<ParityPart> = {
  summary: 'parity bits: a weight, or 64 bits of memory, with a wrong one becomes zero',
  group: 'code',
  knowsMap: false,
  parameters: {
    bits: 'number',
    interleaved: 'flag',
    group: 'word',
    ...METADATA_FORMS,
    ...PLACE_FORMS,
  },
  defaults: { bits: 1, interleaved: false, group: 'word', ...METADATA_DEFAULTS },
  schema: z.strictObject({
    use: z.literal('parity'),
    bits: z.int().min(1).max(16).optional().describe('parity bits of a group; default: 1'),
    interleaved: z
      .boolean()
      .optional()
      .describe('neighbours have different parity bits; default: false'),
    group: z
      .enum(['weight', 'word'])
      .optional()
      .describe('what has parity bits of its own: a weight, or 64 bits of memory; default: word'),
    ...METADATA,
    ...PLACE,
  }),
  code: (part, place) => linearWordCode(groupsOf(part, place), 'zero', place),
  price: (part, place, figures) =>
    withMetadata(part, linearCodePrice(groupsOf(part, place)), figures),
};

/** @throws InputError where a group has fewer data bits than parity bits */
function groupsOf(
  { bits = 1, interleaved = false, group = 'word' }: ParityPart,
  placed: PlacedWeights,
): CodeWord[] {
  const codeFor = (dataBits: number) => {
    if (bits <= dataBits) return parityCode(dataBits, bits, interleaved);
    throw new InputError(
      `parity: ${bits} parity bits take a group of at least as many data bits, but one has ${dataBits} on this memory: give bits=${dataBits} or fewer`,
    );
  };
  if (group === 'word') return codeWordsOfMemory(codeFor, WORD_BITS, placed);
  const { placement } = placed;
  return codeWordsOf(codeFor, placement.weightBits, wordLayout(placement).bits);
}
