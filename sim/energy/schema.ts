import { z } from 'zod';
import {
  configurationJsonSchema,
  parseArea,
  parseBytes,
  parseEnergy,
  parsePower,
  quantity,
} from '../../core/index.js';
import type { EnergyTable } from './table.js';

const energy = quantity(parseEnergy, '1.5pJ').optional();
const area = quantity(parseArea, '0.25mm2').optional();
const accessBits = z.int().positive().describe('Bits that one access reads or writes');

/** The keys of an energy table's file, and their meaning. */
export const energyTableSchema = z
  .strictObject({
    name: z.string().min(1),
    source: z.string().optional().describe('Where the figures come from'),
    sram: z
      .array(
        z.strictObject({
          upTo: quantity(parseBytes, '128KiB'),
          accessBits,
          read: energy,
          write: energy,
          area,
        }),
      )
      .describe('SRAMs by size: each takes the figures of the smallest class that holds it'),
    registerFile: z
      .strictObject({ read: energy, write: energy, area })
      .optional()
      .describe('The registers of a processing element that hold what stays in it, per access'),
    memory: z
      .strictObject({ accessBits, read: energy, write: energy })
      .optional()
      .describe('The memory behind the SRAMs'),
    mac: z
      .strictObject({ int8: energy, float32: energy, area })
      .optional()
      .describe('One multiply-accumulate; the area of one processing element'),
    leakage: quantity(parsePower, '5mW').optional().describe('Of the whole accelerator'),
  })
  .transform(
    ({ sram, ...rest }): EnergyTable => ({
      ...rest,
      sram: [...sram].sort((a, b) => a.upTo - b.upTo),
    }),
  );

/** Schema of energy tables for editors; `energy-table.schema.json` beside this file is its text. */
export function energyTableJsonSchema(): string {
  return configurationJsonSchema(energyTableSchema, 'Bitcell energy table');
}
