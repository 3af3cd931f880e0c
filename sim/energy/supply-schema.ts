import { z } from 'zod';
import { parseVoltage, quantity } from '../../core/index.js';
import { ENERGY_COMPONENTS } from './energy.js';
import { type Supply, SWITCHING_COMPONENTS } from './supply.js';

const factor = z.strictObject({
  voltage: quantity(parseVoltage, '0.6V'),
  factor: z.number().positive().describe('Energy at this voltage, over that at the nominal one'),
});

/** The keys of a supply in an accelerator's file, and their meaning. */
export const supplySchema = z
  .strictObject({
    nominal: quantity(parseVoltage, '1V').describe(
      'The voltage at which the figures of the energy table hold',
    ),
    components: z
      .array(z.enum(ENERGY_COMPONENTS))
      .min(1)
      .optional()
      .describe('What it feeds; default: all on the chip but leakage'),
    factors: z
      .array(factor)
      .min(1)
      .optional()
      .describe('What was measured at other voltages, in place of the square of the voltage'),
  })
  .refine(({ components, factors }) => factors !== undefined || !components?.includes('leakage'), {
    path: ['components'],
    error: 'leakage does not go with the square of the voltage: give what was measured, as factors',
  })
  .refine(
    ({ factors = [] }) => new Set(factors.map(({ voltage }) => voltage)).size === factors.length,
    { path: ['factors'], error: 'a voltage stands there twice' },
  )
  .transform(
    ({ nominal, components = SWITCHING_COMPONENTS, factors }): Supply => ({
      nominal,
      components,
      ...(factors && { factors }),
    }),
  )
  .describe('The supply whose voltage is lowered');
