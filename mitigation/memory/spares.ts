import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { NO_COMPARATOR, NOTHING } from '../price/price.js';
import { KNOWS, KNOWS_FORMS, type PartKnowledge } from './knowledge.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import {
  METADATA,
  METADATA_DEFAULTS,
  METADATA_FORMS,
  type PartMetadata,
  withMetadata,
} from './metadata.js';
import type { SpareLines } from './spare-allocation/must-repair.js';
import type { PlacedWeights } from './stages.js';

/** Spare rows and columns in the place of faulty ones. */
export interface SparesPart extends PartPlace, PartMetadata, PartKnowledge {
  readonly use: 'spares';
  /** Spare rows of each bank; default: those that the accelerator has. */
  readonly rows?: number | undefined;
  /** Spare columns of each bank; default: those that the accelerator has. */
  readonly columns?: number | undefined;
}

const MOST_LINES = 100_000;

/**
 * Spare lines, chosen for each bank from a test of all its cells (`repairBank` says how). Where a place leaves words out,
 * their faults are no reason to replace a line, but a line that is replaced is right in all its words.
 */
export const spares: MemoryMechanism<SparesPart> = {
  summary: 'spare rows and columns of each bank replace those with faulty cells',
  group: 'repair',
  knowsMap: true,
  parameters: {
    rows: 'number',
    columns: 'number',
    ...METADATA_FORMS,
    ...KNOWS_FORMS,
    ...PLACE_FORMS,
  },
  defaults: METADATA_DEFAULTS,
  schema: z.strictObject({
    use: z.literal('spares'),
    rows: z
      .int()
      .min(0)
      .max(MOST_LINES)
      .optional()
      .describe('spare rows of each bank; default: those of the accelerator'),
    columns: z
      .int()
      .min(0)
      .max(MOST_LINES)
      .optional()
      .describe('spare columns of each bank; default: those of the accelerator'),
    ...METADATA,
    ...KNOWS,
    ...PLACE,
  }),
  spareLines: spareLinesOf,
  price(part, placed, figures) {
    const { memory } = placed.placement;
    const own = placed.ownMemory ?? memory;
    const { rows, columns } = spareLinesOf(part, placed);
    const bank = {
      rows: memory.rows,
      columns: (memory.wordBits + (own.checkBits ?? 0)) * memory.columnMux,
    };
    const banks = part.banks?.length ?? memory.banks;
    const lines = rows * bank.columns + columns * bank.rows + rows * columns;
    // Of each line the one that it stands for, and whether it does.
    const fuses = rows * (addressBits(bank.rows) + 1) + columns * (addressBits(bank.columns) + 1);
    const price = {
      ...NOTHING,
      cells: [{ hold: 'spare lines', count: banks * lines }],
      xorGates: NO_COMPARATOR,
      levels: NO_COMPARATOR,
    };
    const registers = [{ hold: 'lines that are replaced', count: banks * fuses }];
    return withMetadata(part, price, figures, registers);
  },
};

function spareLinesOf(part: SparesPart, { placement, ownMemory }: PlacedWeights): SpareLines {
  const { memory } = placement;
  const own = ownMemory ?? memory;
  const lines = {
    rows: part.rows ?? own.spareRows ?? 0,
    columns: part.columns ?? own.spareColumns ?? 0,
  };
  if (lines.rows + lines.columns === 0) {
    throw new InputError(
      'spares: the accelerator has no spare rows or columns; give the number of them, as in spares:rows=2:columns=2',
    );
  }
  const bank = { rows: memory.rows, columns: memory.wordBits * memory.columnMux };
  for (const name of ['rows', 'columns'] as const) {
    if (lines[name] <= bank[name]) continue;
    throw new InputError(
      `spares: there is no room for ${lines[name]} spare ${name} beside the ${bank[name]} of a bank; give at most as many`,
    );
  }
  return lines;
}

/** Bits that tell so many places apart. */
export function addressBits(places: number): number {
  return Math.ceil(Math.log2(places));
}
