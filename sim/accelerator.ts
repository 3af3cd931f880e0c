import { extname } from 'node:path';
import { z } from 'zod';
import {
  didYouMean,
  InputError,
  parseFrequency,
  parseJson,
  readFileChecked,
} from '../core/index.js';
import type { WeightMemory } from './interfaces.js';
import { defineWeightMemory } from './memory.js';

import { DATAFLOWS, type SystolicArray } from './systolic-array.js';

/** A simulated accelerator. */
export interface Accelerator {
  readonly name: string;
  readonly array: SystolicArray;
  /** Hertz; undefined where only cycles are of interest. */
  readonly clock?: number;
  /** `fits-network`: the smallest default memory that holds the network (see `defaultResidentMemory`). */
  readonly weightMemory: WeightMemory | 'fits-network';
}

/** Accelerators known by name. Cycles do not depend on a clock, so the presets leave it to the user. */
export const ACCELERATOR_PRESETS: readonly Accelerator[] = [
  {
    name: 'edge-16x16',
    array: { rows: 16, columns: 16, dataflow: 'weight-stationary' },
    weightMemory: 'fits-network',
  },
  {
    // Gemmini's default array and scratchpad (Genc et al., DAC 2021); the whole scratchpad holds weights.
    name: 'gemmini-16x16',
    array: { rows: 16, columns: 16, dataflow: 'weight-stationary' },
    weightMemory: { banks: 4, rows: 4096, wordBits: 128, columnMux: 1 },
  },
];

export const DEFAULT_ACCELERATOR = 'edge-16x16';

const positiveInteger = z.int().positive();

const arraySchema = z.strictObject({
  rows: positiveInteger,
  columns: positiveInteger,
  dataflow: z.enum(DATAFLOWS),
});

const memorySchema = z.strictObject({
  banks: positiveInteger,
  rows: positiveInteger,
  wordBits: positiveInteger,
  columnMux: positiveInteger,
});

const acceleratorSchema = z.strictObject({
  name: z.string().min(1),
  array: arraySchema,
  clock: z.string().optional(),
  weightMemory: z.union([z.literal('fits-network'), memorySchema], {
    error: 'expected "fits-network" or an object with banks, rows, wordBits and columnMux',
  }),
});

const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(acceleratorSchema.shape),
  array: Object.keys(arraySchema.shape),
  weightMemory: Object.keys(memorySchema.shape),
};

/**
 * A preset by its name, or an accelerator from a JSON file (recognised by the extension `.json`).
 * @throws InputError when there is no such preset, or the file is missing or not a valid configuration.
 */
export function loadAccelerator(nameOrFile: string): Accelerator {
  if (extname(nameOrFile) === '.json') {
    return parseAccelerator(new TextDecoder().decode(readFileChecked(nameOrFile)), nameOrFile);
  }
  const preset = ACCELERATOR_PRESETS.find(({ name }) => name === nameOrFile);
  if (preset === undefined) {
    const names = ACCELERATOR_PRESETS.map(({ name }) => name);
    throw new InputError(
      `Unknown accelerator "${nameOrFile}"${didYouMean(nameOrFile, names)}: give one of ${names.join(', ')} or a .json file.`,
    );
  }
  return preset;
}

/**
 * An accelerator from JSON: `name`, `array` {`rows`, `columns`, `dataflow`}, optionally `clock` ("1GHz") and
 * `weightMemory` ("fits-network" or {`banks`, `rows`, `wordBits`, `columnMux`}).
 * @param file the name to use in messages
 * @throws InputError naming the file and the key.
 */
export function parseAccelerator(json: string, file: string): Accelerator {
  const result = acceleratorSchema.safeParse(parseJson(json, file));
  if (!result.success) throw new InputError(`${file}: ${describeIssue(result.error.issues[0])}.`);
  const { clock, weightMemory, ...accelerator } = result.data;
  return inFile(file, () => ({
    ...accelerator,
    ...(clock !== undefined && { clock: parseFrequency(clock) }),
    weightMemory: weightMemory === 'fits-network' ? weightMemory : defineWeightMemory(weightMemory),
  }));
}

/** Names the file in errors about the meaning of its values. */
function inFile<T>(file: string, interpret: () => T): T {
  try {
    return interpret();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${file}: ${error.message}`, { cause: error });
  }
}

type Issue = z.core.$ZodIssue;

/** One clause about the first thing that is wrong. */
function describeIssue(issue: Issue, parents: readonly PropertyKey[] = []): string {
  const path = [...parents, ...issue.path];
  const place = path.join('.');
  if (issue.code === 'invalid_union') {
    const nearest = issue.errors.flat().find(isInsideObject);
    if (nearest !== undefined) return describeIssue(nearest, path);
  }
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    const where = place === '' ? '' : ` in ${place}`;
    return `unknown key "${key}"${where}${didYouMean(key, KNOWN_KEYS[place])}`;
  }
  return place === '' ? issue.message : `${place}: ${issue.message}`;
}

/** Whether an alternative of a union got past the type of the value, and failed at one of its keys. */
function isInsideObject(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys';
}
