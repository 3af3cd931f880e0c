import { z } from 'zod';
import { InputError } from '../../core/index.js';
import { FAULT_KINDS } from '../../fault/index.js';

/**
 * Fault rates that thresholds are tuned at when none are given. float32: those of a public re-implementation of
 * FT-ClipAct. int8: where a network with int8 words goes from unharmed to broken.
 */
export const TUNING_RATES = {
  float32: [1e-7, 1e-6, 3e-6, 1e-5, 3e-5],
  int8: [1e-3, 3e-3, 1e-2, 2e-2, 3e-2],
} as const;

/** Each map draws its images from the first so many training images. */
export const TUNING_POOL = 10_000;

export const FAULTY = ['whole-network', 'tuned-layer'] as const;

const schema = z
  .strictObject({
    model: z.string().min(1),
    format: z.enum(['int8', 'float32']),
    accelerator: z.string().min(1),
    placement: z.enum(['resident', 'streamed']),
    faults: z.enum([...FAULT_KINDS, 'stuck-at']),
    /** Which weights are faulty while a layer is tuned. */
    faulty: z.enum(FAULTY),
    rates: z
      .array(z.number().gt(0, 'rate 0 is no point of the curve').max(1))
      .min(1)
      .readonly()
      .refine((rates) => new Set(rates).size === rates.length, 'values must differ')
      .transform((rates): readonly number[] => rates.toSorted((a, b) => a - b)),
    /** Fault maps a rate. */
    maps: z.int().min(1).max(1_000_000),
    /** Training images a map. */
    images: z.int().min(1).max(TUNING_POOL),
    /** δ, as a share of the area. */
    smallestGain: z.number().min(0).max(1),
    /** M. */
    leastRounds: z.int().min(1),
    /** N. */
    mostRounds: z.int().min(1).max(100),
    seed: z.int().min(0),
  })
  .readonly();

/** Everything a search for thresholds depends on, validated, except what it only names. */
export type Tuning = z.infer<typeof schema>;

/** What a user may leave away; `rates` default to TUNING_RATES. */
export const DEFAULT_TUNING = {
  model: 'alexnet',
  format: 'int8',
  accelerator: 'edge-16x16',
  placement: 'resident',
  faults: 'flip',
  faulty: 'whole-network',
  maps: 10,
  images: 100,
  smallestGain: 0.001,
  leastRounds: 3,
  mostRounds: 4,
  seed: 1,
} as const satisfies Omit<Tuning, 'rates'>;

/**
 * Fill in the defaults of a search and validate it.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function parseTuning(options: Readonly<Record<string, unknown>>): Tuning {
  const fields = { ...DEFAULT_TUNING, ...options };
  const candidate: Readonly<Record<string, unknown>> = {
    rates: TUNING_RATES[fields.format],
    ...fields,
  };
  const result = schema.safeParse(candidate);
  if (!result.success) {
    const [{ path, message }] = result.error.issues;
    const [field] = path.map(String);
    throw new InputError(
      `tune: ${field ?? 'options'} = ${JSON.stringify(field === undefined ? candidate : candidate[field])}: ${message}`,
    );
  }
  if (result.data.leastRounds > result.data.mostRounds) {
    throw new InputError(
      `tune: leastRounds = ${result.data.leastRounds} exceeds mostRounds = ${result.data.mostRounds}`,
    );
  }
  return result.data;
}
