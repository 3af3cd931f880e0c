import { z } from 'zod';
import type { PriceFigures } from '../price/figures.js';
import type { OrMissing } from '../price/missing.js';
import type { AddedCells, PartPrice } from '../price/price.js';

/** Whether the cells that a part adds to the memory fail as its data cells do. */
export type Metadata = 'failing' | 'reliable';

/** Parameters of a part that adds cells to the memory. */
export const METADATA = {
  metadata: z
    .enum(['failing', 'reliable'])
    .optional()
    .describe(
      'whether the cells that it adds to the memory fail as data cells do; reliable ones count as cellFactor cells; default: failing',
    ),
};

export const METADATA_FORMS = { metadata: 'word' } as const;

export const METADATA_DEFAULTS = { metadata: 'failing' } as const;

export interface PartMetadata {
  /** Default: failing. */
  readonly metadata?: Metadata | undefined;
}

export const NO_FACTOR =
  'no opened source says how many cells a hardened cell counts as: a prices file can, as cellFactor';

export const NO_HARDENED_ENERGY = 'no opened source gives the energy of reading a hardened cell';

/**
 * The price of a part whose added cells are hardened where they are to be reliable; `failing` are the cells that stand
 * as they are: registers.
 */
export function withMetadata(
  { metadata }: PartMetadata,
  price: PartPrice & { readonly cells: readonly AddedCells[] },
  { cellFactor }: PriceFigures,
  registers: readonly AddedCells[] = [],
): PartPrice {
  if (metadata !== 'reliable') return { ...price, cells: [...price.cells, ...registers] };
  const hardened: OrMissing<readonly AddedCells[]> = cellFactor
    ? [...price.cells.map((cells) => hardenedCells(cells, cellFactor.value)), ...registers]
    : { notGiven: [NO_FACTOR] };
  return { ...price, cells: hardened, energy: { notGiven: [NO_HARDENED_ENERGY] } };
}

function hardenedCells(cells: AddedCells, factor: number): AddedCells {
  return 'perWord' in cells
    ? { hold: cells.hold, perWord: factor * cells.perWord }
    : { hold: cells.hold, count: factor * cells.count };
}
