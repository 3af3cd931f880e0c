import { z } from 'zod';
import { NO_COMPARATOR, NOTHING } from '../price/price.js';
import { KNOWS, KNOWS_FORMS, type PartKnowledge } from './knowledge.js';
import { MASKING_UNITS, type MaskingUnit } from './mask-units.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';
import { addressBits } from './spares.js';

/** Units of the memory with a faulty cell are read as zero. */
export interface WordMaskingPart extends PartPlace, PartMetadata, PartKnowledge {
  readonly use: 'word-masking';
  /** Default: word. */
  readonly unit?: MaskingUnit | undefined;
  /** Words of each bank, without faulty cells, that stand for faulty ones; default: 0. */
  readonly spareWords?: number | undefined;
}

/**
 * Word masking, as of B. Reagen et al., "Minerva: Enabling Low-Power, Highly-Accurate Deep Neural Network Accelerators",
 * ISCA 2016 (not read; as others describe it), there of words in which a fault is detected as they are read; here of
 * units that a test found, with a valid bit each. Rows and banks are coarser: they need fewer valid bits, and lose more.
 * A valid bit is a check bit, of the word or of the first word of its unit; spare words are words of spare rows, and one
 * with a faulty cell is not used. Which words they stand for is kept in registers, which are taken as sound.
 */
export const wordMasking: MemoryMechanism<WordMaskingPart> = {
  summary:
    'words, rows or banks with a faulty cell are read as zero, or are replaced by spare words',
  group: 'masking',
  knowsMap: true,
  parameters: {
    unit: 'word',
    spareWords: 'number',
    ...METADATA_FORMS,
    ...KNOWS_FORMS,
    ...PLACE_FORMS,
  },
  defaults: { unit: 'word', spareWords: 0, ...METADATA_DEFAULTS },
  schema: z.strictObject({
    use: z.literal('word-masking'),
    unit: z
      .enum(MASKING_UNITS)
      .optional()
      .describe('what is masked as a whole where a cell of it is faulty; default: word'),
    spareWords: z
      .int()
      .min(0)
      .max(1_000_000)
      .optional()
      .describe(
        'words of each bank that replace faulty ones, which are then not masked; default: 0',
      ),
    ...METADATA,
    ...KNOWS,
    ...PLACE,
  }),
  masking: ({ unit = 'word', spareWords = 0 }) => ({ checkBits: 1, unit, spareWords }),
  price(part, { placement: { memory } }, figures) {
    const { unit = 'word', spareWords = 0, banks } = part;
    const bankCount = banks?.length ?? memory.banks;
    const units = { row: bankCount * memory.rows, bank: bankCount };
    const valid =
      unit === 'word'
        ? { hold: 'valid bits of words', perWord: 1 }
        : { hold: `valid bits of ${unit}s`, count: units[unit] };
    if (spareWords === 0) return withMetadata(part, { ...NOTHING, cells: [valid] }, figures);
    const count = bankCount * spareWords;
    const spares = { hold: 'spare words', count: count * memory.wordBits };
    const cells = [valid, spares];
    const price = { ...NOTHING, cells, xorGates: NO_COMPARATOR, levels: NO_COMPARATOR };
    // Of each spare word the one that it stands for, and whether it does.
    const addresses = count * (addressBits(memory.rows * memory.columnMux) + 1);
    return withMetadata(part, price, figures, [{ hold: 'masked words', count: addresses }]);
  },
};
