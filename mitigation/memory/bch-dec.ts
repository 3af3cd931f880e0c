import { z } from 'zod';
import { linearCodePrice } from './code-price.js';
import { type LinearCode, linearCode } from './linear-code.js';
import {
  codeWordsOfMemory,
  dataBitsOf,
  linearWordCode,
  type OnDetect,
  onDetectSchema,
} from './linear-word-code.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';

const DATA_BITS = [8, 16, 32, 64, 128] as const;

export type BchDataBits = (typeof DATA_BITS)[number];

/**
 * Generator polynomials by the number of data bits, bit i the coefficient of x^i: the product of the minimal
 * polynomials of α and α³ in GF(2^m), m = 5, 6, 7, 8, in octal as textbooks list them. m is the smallest whose code
 * has room for the data, as for 8 and for 16 bits that of m = 5 is.
 */
const GENERATORS: Readonly<Record<BchDataBits, number>> = {
  8: 0o3551,
  16: 0o3551,
  32: 0o12471,
  64: 0o41567,
  128: 0o267543,
};

/**
 * A double-error-correcting BCH code, shortened to this number of data bits: (18,8) to (144,128), and those between
 * from the next larger one.
 *
 * @param dataBits 1 to 128
 */
export function bchDecCode(dataBits: number): LinearCode {
  const next = DATA_BITS.find((bits) => bits >= dataBits) ?? 128;
  return shortenedBch(GENERATORS[next], dataBits);
}

/**
 * The code of all multiples of a generator polynomial, shortened: data bit i is the coefficient of x^(r + i), check
 * bit j that of x^j of the remainder; r is the degree. Errors of up to two bits are corrected; a syndrome that only
 * errors in the places left away have is detected.
 *
 * @param generator of a double-error-correcting code of at least `dataBits` data bits, bit i the coefficient of x^i
 */
export function shortenedBch(generator: number, dataBits: number): LinearCode {
  const degree = 31 - Math.clz32(generator);
  const columns: number[] = [];
  let remainder = generator ^ (1 << degree);
  for (let bit = 0; bit < dataBits; bit++) {
    columns.push(remainder);
    remainder <<= 1;
    if (remainder >>> degree) remainder ^= generator;
  }
  return linearCode('bch', columns, degree, 2);
}

/** A DEC BCH code on parts of memory words. */
export interface BchDecPart extends PartPlace, PartMetadata {
  readonly use: 'bch-dec';
  /** Data bits of a code word, at most; default: 64. */
  readonly dataBits?: BchDataBits | undefined;
  /** Default: keep. */
  readonly onDetect?: OnDetect | undefined;
}

export const bchDec: MemoryMechanism<BchDecPart> = {
  summary: 'a BCH code: two errors of a code word are corrected',
  group: 'code',
  knowsMap: false,
  parameters: { dataBits: 'number', onDetect: 'word', ...METADATA_FORMS, ...PLACE_FORMS },
  defaults: { dataBits: 64, onDetect: 'keep', ...METADATA_DEFAULTS },
  schema: z.strictObject({
    use: z.literal('bch-dec'),
    dataBits: z
      .union(
        DATA_BITS.map((bits) => z.literal(bits)),
        {
          error: 'expected 8, 16, 32, 64 or 128',
        },
      )
      .optional()
      .describe('data bits of a code word; default: 64, or fewer where a memory word has no more'),
    onDetect: onDetectSchema,
    ...METADATA,
    ...PLACE,
  }),
  code: (part, place) =>
    linearWordCode(
      codeWordsOfMemory(bchDecCode, dataBitsOf(part, place), place),
      part.onDetect ?? 'keep',
      place,
    ),
  price(part, place, figures) {
    const codeWords = codeWordsOfMemory(bchDecCode, dataBitsOf(part, place), place);
    return withMetadata(part, linearCodePrice(codeWords), figures);
  },
};
