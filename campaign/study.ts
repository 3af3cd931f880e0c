import { z } from 'zod';
import { InputError } from '../core/index.js';
import { FAULT_KINDS } from '../fault/index.js';
import { MITIGATIONS } from '../mitigation/index.js';

/** Fault rates used when none are given: where each word format goes from unharmed to broken. */
export const DEFAULT_RATES = {
  float32: [0, 1e-7, 1e-6, 1e-5],
  int8: [0, 1e-4, 1e-3, 1e-2],
} as const;

/** Accuracy may fall by this much below the clean one before a chip counts as lost. */
export const YIELD_WITHIN = 0.02;

const unique = <T>(values: readonly T[]) => new Set(values).size === values.length;
const listOf = <T extends z.ZodType>(item: T) =>
  z.array(item).min(1).readonly().refine(unique, 'values must differ');

const fields = {
  model: z.string().min(1),
  formats: listOf(z.enum(['float32', 'int8'])),
  rates: listOf(z.number().min(0).max(1)).optional(),
  faults: z.enum([...FAULT_KINDS, 'stuck-at']),
  faultMap: z.string().optional(),
  placement: z.enum(['resident', 'streamed']),
  accelerator: z.string().min(1),
  mitigations: listOf(z.enum(MITIGATIONS)),
  thresholds: z.string().optional(),
  maps: z.int().min(1).max(1_000_000),
  images: z.int().min(1).max(10_000),
  seed: z.int().min(0),
};

const schema = z.strictObject(fields).readonly();

/** Everything a study's result depends on, validated. `rates` missing: DEFAULT_RATES of each format. */
export type Study = z.infer<typeof schema>;

/** Names of the fields of a study. */
export const STUDY_FIELDS: readonly string[] = Object.keys(fields);

/** What a user may leave away. */
export const DEFAULT_STUDY = {
  model: 'alexnet',
  formats: ['float32', 'int8'],
  faults: 'flip',
  placement: 'resident',
  accelerator: 'edge-16x16',
  mitigations: ['none', 'clip'],
  maps: 12,
  images: 150,
  seed: 1,
} as const satisfies Study;

/**
 * Fill in the defaults of a study and validate it. A study of one given fault map has one map.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function parseStudy(options: Readonly<Record<string, unknown>>): Study {
  const maps = options.faultMap === undefined ? DEFAULT_STUDY.maps : 1;
  const candidate: Record<string, unknown> = { ...DEFAULT_STUDY, maps, ...options };
  const result = schema.safeParse(candidate);
  if (!result.success) {
    const [issue] = result.error.issues;
    const field = issue.path.join('.');
    const value = issue.path.reduce<unknown>(
      (object, key) => (object as Record<PropertyKey, unknown> | undefined)?.[key],
      candidate,
    );
    throw new InputError(
      `study: ${field || 'options'} = ${JSON.stringify(value)}: ${issue.message}`,
    );
  }
  const study = result.data;
  if (study.faultMap !== undefined && study.rates !== undefined) {
    throw new InputError('study: give either a fault map or rates: a map has its own rate');
  }
  if (study.faultMap !== undefined && study.maps !== 1) {
    throw new InputError(`study: maps = ${study.maps}, but a given fault map is one map`);
  }
  return study;
}

/** The fault rates of one word format. */
export function ratesOf(study: Study, format: Study['formats'][number]): readonly number[] {
  return study.rates ?? DEFAULT_RATES[format];
}
