import { z } from 'zod';
import { linearCodePrice } from './code-price.js';
import { type LinearCode, linearCode, shortenedCode } from './linear-code.js';
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

/** 57 for eight weights that keep their check bits in themselves. */
export type SecdedDataBits = 16 | 32 | 57 | 64;

/**
 * Of each check bit the data bits that it sums, by the number of data bits. The masks are those of the lowRISC
 * OpenTitan files hw/ip/prim/rtl/prim_secded_*_enc.sv (the plain variant): (72,64) and (39,32) of commit 45ca0472,
 * (22,16) of prim_secded_pkg.sv and (64,57) of prim_secded_inv_64_57_enc. Older files there have other masks.
 */
const MASKS: Readonly<Record<SecdedDataBits, readonly bigint[]>> = {
  16: [0x496en, 0xf20bn, 0x8ed8n, 0x7714n, 0xaca5n, 0x11f3n],
  32: [0x2606bd25n, 0xdeba8050n, 0x413d89aan, 0x31234ed1n, 0xc2c1323bn, 0x2dcc624cn, 0x98505586n],
  57: [
    0x103fff800007fffn,
    0x17c1ff801ff801fn,
    0x1bde1f87e0781e1n,
    0x1deee3b8e388e22n,
    0x1ef76cdb2c93244n,
    0x1f7bb56d5525488n,
    0x1fbdda769a46910n,
  ],
  64: [
    0xb9000000001fffffn,
    0x5e00000fffe0003fn,
    0x67003ff003e007c1n,
    0xcd0fc0f03c207842n,
    0xb671c711c4438884n,
    0xb5b65926488c9108n,
    0xcbdaaa4a91152210n,
    0x7aed348d221a4420n,
  ],
};

/**
 * A Hsiao code, which corrects one error and detects two: all columns of H are different and have an odd number of
 * ones. (22,16), (39,32) and (72,64) for words of memory, (64,57) for words that keep check bits in themselves.
 * Three errors are taken for one, or detected.
 */
export function secdedCode(dataBits: SecdedDataBits): LinearCode {
  const masks = MASKS[dataBits];
  const columns = Array.from({ length: dataBits }, (_, bit) =>
    masks.reduce(
      (column, mask, check) => column | (Number((mask >> BigInt(bit)) & 1n) << check),
      0,
    ),
  );
  return linearCode('secded', columns, masks.length, 1);
}

/** The next larger code of 16, 32 or 64 data bits, shortened to so many. */
export function shortenedSecded(dataBits: number): LinearCode {
  const whole = secdedCode(dataBits <= 16 ? 16 : dataBits <= 32 ? 32 : 64);
  return dataBits === whole.dataBits ? whole : shortenedCode('secded', whole, dataBits, 1);
}

/** SEC-DED on parts of memory words. */
export interface SecdedPart extends PartPlace, PartMetadata {
  readonly use: 'secded';
  /** Data bits of a code word, at most; default: 64. */
  readonly dataBits?: 16 | 32 | 64 | undefined;
  /** Default: keep. */
  readonly onDetect?: OnDetect | undefined;
}

export const secded: MemoryMechanism<SecdedPart> = {
  summary: 'a Hsiao code: one error of a code word is corrected, two are detected',
  group: 'code',
  knowsMap: false,
  parameters: { dataBits: 'number', onDetect: 'word', ...METADATA_FORMS, ...PLACE_FORMS },
  defaults: { dataBits: 64, onDetect: 'keep', ...METADATA_DEFAULTS },
  schema: z.strictObject({
    use: z.literal('secded'),
    dataBits: z
      .union([z.literal(16), z.literal(32), z.literal(64)], { error: 'expected 16, 32 or 64' })
      .optional()
      .describe('data bits of a code word; default: 64, or fewer where a memory word has no more'),
    onDetect: onDetectSchema,
    ...METADATA,
    ...PLACE,
  }),
  code: (part, place) =>
    linearWordCode(
      codeWordsOfMemory(shortenedSecded, dataBitsOf(part, place), place),
      part.onDetect ?? 'keep',
      place,
    ),
  price(part, place, figures) {
    const codeWords = codeWordsOfMemory(shortenedSecded, dataBitsOf(part, place), place);
    return withMetadata(part, linearCodePrice(codeWords), figures);
  },
};
