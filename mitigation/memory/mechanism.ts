import { z } from 'zod';
import type { PriceFigures } from '../price/figures.js';
import type { PartPrice } from '../price/price.js';
import type { SpareLines } from './spare-allocation/must-repair.js';
import type {
  CellCopies,
  ParameterForm,
  PlacedWeights,
  WeightScreen,
  WordCode,
  WordMasking,
  WordTransform,
} from './stages.js';

/** Parameters that every part has: where it stands. */
export const PLACE = {
  layers: z
    .array(z.string().min(1).max(500))
    .min(1)
    .max(1000)
    .refine((names) => new Set(names).size === names.length, 'expected each layer once')
    .optional()
    .describe('the layers whose weights it protects; default: all'),
  banks: z
    .array(z.int().min(0))
    .min(1)
    .max(100_000)
    .refine((numbers) => new Set(numbers).size === numbers.length, 'expected each bank once')
    .optional()
    .describe('the banks that it stands in; default: all'),
};

export const PLACE_FORMS = { layers: 'words', banks: 'numbers' } as const;

/** Where a part stands: undefined is everywhere. */
export interface PartPlace {
  readonly layers?: readonly string[] | undefined;
  readonly banks?: readonly number[] | undefined;
}

/** What a part does to a word: of each there is one in a mitigation. */
export type PartGroup = 'repair' | 'masking' | 'cells' | 'code' | 'transform' | 'order' | 'screen';

/**
 * A remedy in the weight memory. What it does is one stage, or more, of how a memory word is written and read:
 * transformed, encoded, stored, decoded, transformed back, screened.
 */
export interface MemoryMechanism<Part extends PartPlace> {
  /** What it does, in a sentence. */
  readonly summary: string;
  /** Of one part, as a user may give it. */
  readonly schema: z.ZodType<Part>;
  /** How its parameters are written in words, in canonical order, its place last. */
  readonly parameters: Readonly<Record<string, ParameterForm>>;
  /** What its parameters are where nothing is said, as far as that is one thing. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Two mechanisms of one group cannot stand together. */
  readonly group: PartGroup;
  /** Whether it is chosen for the faulty cells of a die, which a test must have found. */
  readonly knowsMap: boolean;
  /**
   * What a part takes, in each word where it stands.
   *
   * @throws InputError when it does not fit the network or its memory
   */
  price(part: Part, place: PlacedWeights, figures: PriceFigures): PartPrice;
  /** Spare rows and columns of each bank. */
  spareLines?(part: Part, place: PlacedWeights): SpareLines;
  masking?(part: Part, place: PlacedWeights): WordMasking;
  /** Bits of a weight whose cells never fail. */
  hardenedBits?(part: Part, place: PlacedWeights): number;
  copies?(part: Part, place: PlacedWeights): CellCopies;
  transform?(part: Part, place: PlacedWeights): WordTransform;
  code?(part: Part, place: PlacedWeights): WordCode;
  screen?(part: Part, place: PlacedWeights): WeightScreen;
}
