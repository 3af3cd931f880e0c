import { z } from 'zod';
import { NO_COMPARATOR, NOTHING } from '../price/price.js';
import { MASKING_UNITS, type MaskingUnit } from './mask-units.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { addressBits } from './spares.js';

/** Units of the memory with a faulty cell are read as zero. */
export interface WordMaskingPart extends PartPlace {
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
 * Spare words have no cells in a fault map: they are taken as sound.
 */
export const wordMasking: MemoryMechanism<WordMaskingPart> = {
  summary:
    'words, rows or banks with a faulty cell are read as zero, or are replaced by spare words',
  group: 'masking',
  knowsMap: true,
  parameters: { unit: 'word', spareWords: 'number', ...PLACE_FORMS },
  defaults: { unit: 'word', spareWords: 0 },
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
    ...PLACE,
  }),
  masking: ({ unit = 'word', spareWords = 0 }) => ({ unit, spareWords }),
  price({ unit = 'word', spareWords = 0, banks }, { placement: { memory } }) {
    const bankCount = banks?.length ?? memory.banks;
    const units = { row: bankCount * memory.rows, bank: bankCount };
    const valid =
      unit === 'word'
        ? { hold: 'valid bits of words', perWord: 1 }
        : { hold: `valid bits of ${unit}s`, count: units[unit] };
    // Of each spare word its data, the word that it stands for, and whether it does.
    const spareBits = memory.wordBits + addressBits(memory.rows * memory.columnMux) + 1;
    const spares = { hold: 'spare words', count: bankCount * spareWords * spareBits };
    return spareWords === 0
      ? { ...NOTHING, cells: [valid] }
      : { ...NOTHING, cells: [valid, spares], xorGates: NO_COMPARATOR, levels: NO_COMPARATOR };
  },
};
