import { z } from 'zod';
import type { FaultMap } from '../../fault/index.js';

/**
 * What a part is chosen for where it does not know every faulty cell of the die: those that fail at another supply
 * voltage, at which a test was made, in volts; or a share of them, each known with this probability.
 */
export type Knowledge = { readonly voltage: number } | { readonly share: number };

/** Parameters of a part that is chosen for the faulty cells of a die. */
export const KNOWS = {
  knows: z
    .union(
      [
        z.strictObject({ voltage: z.number().positive() }),
        z.strictObject({ share: z.number().min(0).max(1) }),
      ],
      {
        error:
          'expected {voltage: VOLTS} or {share: PROBABILITY}, in words knows=voltage/0.6 or knows=share/0.95',
      },
    )
    .optional()
    .describe(
      'the faulty cells that it is chosen for, as voltage/0.6 (those that fail at this voltage) or share/0.95 (each with this probability); default: all',
    ),
};

export const KNOWS_FORMS = { knows: 'choice' } as const;

export interface PartKnowledge {
  /** Default: every faulty cell. */
  readonly knows?: Knowledge | undefined;
}

/** The map that a part knows which says this of itself; undefined: one that knows every faulty cell. */
export type KnownMaps = (knows: Knowledge | undefined) => FaultMap;
