import { z } from 'zod';
import {
  configurationJsonSchema,
  interpret,
  parseArea,
  parseConfiguration,
  parseDelay,
  parseEnergy,
  readTextChecked,
} from '../../core/index.js';

/** A number, and where it comes from. */
export interface PriceFigure {
  readonly value: number;
  readonly source: string;
}

/** What parts of a die take, as a user knows it; a figure that is missing is not given. */
export interface PriceFigures {
  /** Cells that a hardened cell counts as. */
  readonly cellFactor?: PriceFigure | undefined;
  /** Square metres of a memory cell. */
  readonly cellArea?: PriceFigure | undefined;
  /** Joules of reading one bit of the weight memory. */
  readonly readEnergy?: PriceFigure | undefined;
  /** Square metres of a 2-input XOR gate. */
  readonly xorGateArea?: PriceFigure | undefined;
  /** Seconds of a 2-input XOR gate. */
  readonly xorGateDelay?: PriceFigure | undefined;
}

const source = z
  .string({ error: 'expected the text of where the figure comes from' })
  .trim()
  .min(1, 'expected where the figure comes from')
  .describe('where the figure comes from');

const NOT_A_NUMBER = 'expected a number';

const NO_FIGURE = 'expected a figure: {value: …, unit: …, source: …}';

function figure(parse: (text: string) => number, unit: string, description: string) {
  return z
    .strictObject(
      {
        value: z.number({ error: NOT_A_NUMBER }),
        unit: z
          .string({ error: `expected a unit, for example ${unit}` })
          .meta({ examples: [unit] }),
        source,
      },
      NO_FIGURE,
    )
    .describe(description)
    .transform(
      (given, context): PriceFigure => ({
        value: interpret(() => parse(`${given.value}${given.unit}`), context),
        source: given.source,
      }),
    )
    .optional();
}

const CELLS = 'cells';

/** The keys of a prices file: each figure with its unit and its source. */
const priceFiguresSchema = z.strictObject(
  {
    cellFactor: z
      .strictObject(
        {
          value: z.number({ error: NOT_A_NUMBER }).min(1, 'expected at least 1 cell'),
          unit: z.literal(CELLS, { error: `expected the unit ${CELLS}` }),
          source,
        },
        NO_FIGURE,
      )
      .describe('cells that a hardened cell counts as')
      .transform(({ value, source }): PriceFigure => ({ value, source }))
      .optional(),
    cellArea: figure(parseArea, 'um2', 'area of a memory cell'),
    readEnergy: figure(parseEnergy, 'fJ', 'energy of reading one bit of the weight memory'),
    xorGateArea: figure(parseArea, 'um2', 'area of a 2-input XOR gate'),
    xorGateDelay: figure(parseDelay, 'ps', 'delay of a 2-input XOR gate'),
  },
  'expected figures by their names, such as cellArea: {value: …, unit: …, source: …}',
);

/** JSON Schema (draft 2020-12) of a prices file, for editors. */
export function priceFiguresJsonSchema(): string {
  return configurationJsonSchema(priceFiguresSchema, 'Bitcell prices');
}

/**
 * Figures from a file (YAML; JSON is YAML, too).
 *
 * @throws InputError naming file, place and key: also of a figure without unit or source
 */
export function loadPriceFigures(file: string): PriceFigures {
  return parseConfiguration(priceFiguresSchema, readTextChecked(file), file);
}
