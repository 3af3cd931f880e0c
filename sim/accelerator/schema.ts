import { z } from 'zod';
import {
  configurationJsonSchema,
  interpret,
  parseBandwidth,
  parseBytes,
  parseFrequency,
  quantity,
} from '../../core/index.js';
import { ENERGY_TABLES, energyTableSchema, supplySchema } from '../energy/index.js';
import type { Bandwidth, PortBandwidth } from '../hardware/operands.js';
import { DATAFLOWS } from '../hardware/systolic-array.js';
import { defineWeightMemory } from '../memory/weight-memory.js';
import type { Accelerator } from './accelerator.js';

const positiveInteger = z.int().positive();
const count = z.int().nonnegative();

const array = z
  .strictObject({
    rows: positiveInteger,
    columns: positiveInteger,
    dataflow: z.enum(DATAFLOWS).describe('What stays in the processing elements'),
    preload: z
      .boolean()
      .optional()
      .describe(
        'A second weight register: the next weights load behind the current ones (weight-stationary only)',
      ),
  })
  .refine(({ dataflow, preload }) => !preload || dataflow === 'weight-stationary', {
    path: ['preload'],
    error: 'only a weight-stationary array preloads',
  })
  .transform(({ preload, ...rest }) => ({ ...rest, ...(preload && { preload }) }))
  .describe('The systolic array');

const memory = z
  .strictObject({
    banks: positiveInteger,
    rows: positiveInteger.describe('Word lines of a bank, without spares'),
    wordBits: positiveInteger.describe('Data bits of a memory word'),
    columnMux: positiveInteger.describe('Memory words that a row interleaves: 1, 2, 4, 8, 16'),
    spareRows: count.optional().describe('Spare rows of each bank'),
    spareColumns: count.optional().describe('Spare columns of each bank'),
    checkBits: count.optional().describe('Check bits of each memory word'),
  })
  .transform((sizes, context) => interpret(() => defineWeightMemory(sizes), context));

const weightMemory = memory.describe('Organisation of the weight memory');

const MEMORY_EXPECTED =
  'expected "fits-network" or a mapping of banks, rows, wordBits, columnMux and perhaps spareRows, spareColumns, checkBits';

const accumulatorMemory = memory
  .refine(({ wordBits }) => wordBits % 32 === 0 || 32 % wordBits === 0, {
    path: ['wordBits'],
    error: 'partial sums have 32 bits; give a multiple or a divisor of 32',
  })
  .describe('Organisation of the memory of partial sums of a weight- or input-stationary array');

const size = quantity(parseBytes, '64KiB');

const buffers = z
  .strictObject({ input: size, weights: size, output: size })
  .describe('Bytes of the double-buffered SRAM of each operand');

/** Words a cycle, or bytes a second with their unit, which the clock makes bytes a cycle. */
const rate = z.union(
  [
    z.number().positive(),
    quantity(parseBandwidth, '10GB/s').transform((bytesPerSecond) => ({ bytesPerSecond })),
  ],
  {
    error:
      'expected words a cycle (a number above zero) or a bandwidth with its unit, for example 10GB/s',
  },
);

const bandwidth = z
  .strictObject({ input: rate, weights: rate, output: rate })
  .describe('Between each SRAM and the memory behind it; without it, ideal');

/** A table that comes with Bitcell, or the user's figures. */
const energyTable = z
  .union(
    [
      z
        .enum(ENERGY_TABLES.map(({ name }) => name))
        .transform((wanted) => ENERGY_TABLES.find(({ name }) => name === wanted)),
      energyTableSchema,
    ],
    {
      error: `expected ${ENERGY_TABLES.map(({ name }) => `"${name}"`).join(', ')} or an energy table`,
    },
  )
  .describe('What an access to each part takes');

/** The keys of an accelerator's file, and their meaning. */
export const acceleratorSchema = z
  .strictObject({
    name: z.string().min(1),
    array,
    clock: quantity(parseFrequency, '1GHz').optional(),
    weightMemory: z.union([z.literal('fits-network'), weightMemory], { error: MEMORY_EXPECTED }),
    featureMapMemory: z
      .union([z.literal('fits-network'), memory], { error: MEMORY_EXPECTED })
      .describe('Organisation of the memory of inputs and activations; default: fits-network')
      .optional(),
    accumulatorMemory: accumulatorMemory.optional(),
    buffers: buffers.optional(),
    bandwidth: bandwidth.optional(),
    vectorUnit: z
      .strictObject({ lanes: positiveInteger.describe('Operations a cycle') })
      .optional()
      .describe('What computes pooling and element-wise layers'),
    energyTable: energyTable.optional(),
    supply: supplySchema.optional(),
  })
  .refine(({ bandwidth, buffers }) => bandwidth === undefined || buffers !== undefined, {
    path: ['bandwidth'],
    error: 'a finite bandwidth needs buffers to wait for; give "buffers"',
  })
  .refine(
    ({ array: { dataflow }, accumulatorMemory: sums }) =>
      dataflow !== 'output-stationary' || sums === undefined,
    {
      path: ['accumulatorMemory'],
      error: 'the sums of an output-stationary array stay in its elements; leave it away',
    },
  )
  .transform((configuration, context): Accelerator => {
    const { featureMapMemory, accumulatorMemory: sums, ...parts } = configuration;
    const { clock, buffers, bandwidth, vectorUnit, energyTable, supply, ...required } = parts;
    return {
      ...required,
      ...(featureMapMemory && { featureMapMemory }),
      ...(sums && { accumulatorMemory: sums }),
      ...(clock !== undefined && { clock }),
      ...(buffers && { buffers }),
      ...(bandwidth && { bandwidth: atClock(bandwidth, clock, context) }),
      ...(vectorUnit && { vectorUnit }),
      ...(energyTable && { energyTable }),
      ...(supply && { supply }),
    };
  });

/** Schema of accelerator files for editors; `accelerator.schema.json` beside this file is its text. */
export function acceleratorJsonSchema(): string {
  return configurationJsonSchema(acceleratorSchema, 'Bitcell accelerator');
}

/** What each port moves in a cycle; how many words that is depends on the word format of the network. */
function atClock(
  given: z.output<typeof bandwidth>,
  clock: number | undefined,
  context: z.RefinementCtx,
): Bandwidth {
  const ofPort = (operand: keyof Bandwidth): PortBandwidth => {
    const value = given[operand];
    if (typeof value === 'number') return value;
    if (clock !== undefined) return { bytesPerCycle: value.bytesPerSecond / clock };
    context.addIssue({
      code: 'custom',
      path: ['bandwidth', operand],
      message: 'a bandwidth in bytes a second needs a clock; give "clock", or words a cycle',
    });
    return z.NEVER;
  };
  return { input: ofPort('input'), weights: ofPort('weights'), output: ofPort('output') };
}
