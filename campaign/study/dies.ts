import { z } from 'zod';
import { FAULT_FILE_FORMATS, FAULT_KINDS, TILINGS } from '../../fault/index.js';

const text = z.string().min(1);
const coordinate = z.int().min(0);

/** When a die ends. */
export const DIE_STOPS = ['settled', 'never'] as const;

/** The fields of `dies` that are neither its files nor the labels that choose lines. */
const settings = {
  dieLabels: text
    .refine(
      (pattern) => /\{[a-z]+\}/.test(pattern),
      'expected a pattern such as {die}_{voltage}V.csv',
    )
    .describe('labels in the names of files: {die}, {lot}, {wafer}, {x}, {y}, {voltage}'),
  missing: z
    .enum(['clean', 'skip'])
    .describe(
      'dies without a line at a voltage that others have: without a fault, or not measured',
    ),
  mapGeometry: z
    .string()
    .regex(/^\d+[x×]\d+[x×]\d+$/, 'expected BANKSxROWSxCOLUMNS, for example 4x1024x256')
    .describe('the memory that was measured, where it is not that of the accelerator'),
  tile: z.enum(TILINGS).describe('how the measured memory lies in that of the accelerator'),
  offset: z
    .tuple([coordinate, coordinate, coordinate])
    .readonly()
    .describe('bank, row and column at which it begins'),
  format: z.enum(FAULT_FILE_FORMATS).exclude(['matrices']).describe('of the files'),
  kind: z.enum(FAULT_KINDS).describe('what faults do where the files do not say'),
  faultBit: z.literal([0, 1]).describe('the bit that marks a fault'),
  columns: z.array(text).min(1).readonly().describe('names of the columns of tables without names'),
  indexBase: z.literal([0, 1]).describe('first bank, row and column of a table'),
  addressBase: z.literal([10, 16]).describe('base of addresses without 0x'),
  maskBase: z.literal([2, 10, 16]).describe('base of masks and words without 0x'),
  columnMux: z.int().min(1).describe('words that interleave in a row of the measured memory'),
  stop: z
    .enum(DIE_STOPS)
    .describe(
      'when a die ends: settled (default), as soon as its verdicts, and with precision its changes, are known; never, after all of its images',
    ),
};

const optional = z.strictObject(settings).partial().shape;

/** Measured dies, as a study holds them. */
export const diesSchema = z
  .strictObject({
    from: z.array(text).min(1).readonly(),
    select: z.record(text, text).readonly().optional(),
    ...optional,
  })
  .readonly();

/** Measured dies, as users write them. */
export const diesInputSchema = z.strictObject({
  from: z
    .union([text, z.array(text).min(1)])
    .describe('a folder, a pattern of names with * and ?, or a file; or a list of them'),
  select: z
    .record(text, z.union([text, z.number()]))
    .describe('labels that the lines which are read must have')
    .optional(),
  ...optional,
});

/** Where the fault maps of measured dies are, and what their files do not say themselves. */
export type Dies = z.output<typeof diesSchema>;

/** The dies of a study that nobody has looked at, in the form that a study holds. */
export function canonicalDies(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const dies: Record<string, unknown> = { ...given };
  if (typeof dies.from === 'string') dies.from = [dies.from];
  if (typeof dies.select === 'object' && dies.select !== null) {
    dies.select = Object.fromEntries(
      Object.entries(dies.select).map(([name, value]) => [
        name,
        typeof value === 'number' ? String(value) : value,
      ]),
    );
  }
  return dies;
}
