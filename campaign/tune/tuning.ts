import { z } from 'zod';
import { fieldName, firstIssue, InputError, valueAndProblem, valueAt } from '../../core/index.js';
import { FAULT_KINDS } from '../../fault/index.js';
import { SEARCH_GRANULARITIES } from '../../mitigation/index.js';

/**
 * Fault rates that thresholds are tuned at when none are given. float32: those of a public re-implementation of
 * FT-ClipAct. int8: where a network with int8 words goes from unharmed to broken.
 */
export const TUNING_RATES = {
  float32: [1e-7, 1e-6, 3e-6, 1e-5, 3e-5],
  int8: [1e-3, 3e-3, 1e-2, 2e-2, 3e-2],
} as const;

/**
 * Maps (at most, and before the first look) and images a map of races when none are given. float32: a gain may come
 * from one map in twenty, so many maps of few images. int8: maps are alike, and millions of faults make them dear.
 */
export const RACE_SIZES = {
  float32: { maps: 60, leastMaps: 20, images: 30 },
  int8: { maps: 20, leastMaps: 5, images: 100 },
} as const;

/** Each map draws its images from the first so many training images. */
export const TUNING_POOL = 10_000;

export const FAULTY = ['whole-network', 'tuned-layer'] as const;

/** Maps of all rates together, of each of which something is kept. */
const MOST_CELLS = 1_000_000;

/** What every search has. */
const common = {
  model: z.string().min(1),
  format: z.enum(['int8', 'float32']),
  accelerator: z.string().min(1),
  placement: z.enum(['resident', 'streamed']),
  faults: z.enum([...FAULT_KINDS, 'stuck-at']),
  rates: z
    .array(z.number().gt(0, 'rate 0 is no point of the curve').max(1))
    .min(1)
    .readonly()
    .refine((rates) => new Set(rates).size === rates.length, 'values must differ')
    .transform((rates): readonly number[] => rates.toSorted((a, b) => a - b)),
  /** Fault maps a rate; of a race the most. */
  maps: z.int().min(1).max(1_000_000),
  /** Training images a map. */
  images: z.int().min(1).max(TUNING_POOL),
  /** δ, as a share of the area. */
  smallestGain: z.number().min(0).max(1),
  seed: z.int().min(0),
};

const intervalSearch = z
  .strictObject({
    method: z.literal('interval-search'),
    ...common,
    /** Which weights are faulty while a layer is tuned. */
    faulty: z.enum(FAULTY),
    /** M. */
    leastRounds: z.int().min(1),
    /** N. */
    mostRounds: z.int().min(1).max(100),
  })
  .readonly();

const raceSearch = z
  .strictObject({
    method: z.literal('race'),
    ...common,
    /** Faults strike the whole network: layers are not tuned one by one. */
    faulty: z.literal('whole-network'),
    /** Whether a layer has one real threshold, or each of its channels a share of its own maximum. */
    granularity: z.enum(SEARCH_GRANULARITIES),
    /** Shares of the profile maxima that all layers are given together. */
    factors: z.array(z.number().gt(0).lt(1)).readonly(),
    /** Times that the search goes through the layers. */
    sweeps: z.int().min(0).max(20),
    /** Maps before the first look. */
    leastMaps: z.int().min(2),
    /** A difference is certain beyond so many standard errors. */
    standardErrors: z.number().gt(0).max(10),
  })
  .readonly();

const sweepOfLayers = z
  .strictObject({
    method: z.literal('sweep'),
    ...common,
    /** Which weights are faulty while a layer's thresholds are tried. */
    faulty: z.enum(FAULTY),
    /** Thresholds of each layer. */
    points: z.int().min(1).max(1000),
  })
  .readonly();

const schema = z.discriminatedUnion('method', [intervalSearch, raceSearch, sweepOfLayers]);

/** Everything a search for thresholds, or a sweep over them, depends on, validated, except what it only names. */
export type Tuning = z.infer<typeof schema>;
export type IntervalTuning = z.infer<typeof intervalSearch>;
export type RaceTuning = z.infer<typeof raceSearch>;
export type SweepTuning = z.infer<typeof sweepOfLayers>;

const COMMON_DEFAULTS = {
  model: 'alexnet',
  format: 'int8',
  accelerator: 'edge-16x16',
  placement: 'resident',
  faults: 'flip',
  faulty: 'whole-network',
  images: 100,
  smallestGain: 0.001,
  seed: 1,
} as const;

/** What a user may leave away, by method; `rates` default to TUNING_RATES, sizes of races to RACE_SIZES. */
export const DEFAULT_TUNING = {
  'interval-search': {
    method: 'interval-search',
    ...COMMON_DEFAULTS,
    maps: 10,
    leastRounds: 3,
    mostRounds: 4,
  },
  race: {
    method: 'race',
    ...COMMON_DEFAULTS,
    ...RACE_SIZES[COMMON_DEFAULTS.format],
    granularity: 'layer',
    factors: [0.8, 0.65, 0.5, 0.4, 0.3, 0.2],
    sweeps: 2,
    standardErrors: 2,
  },
  sweep: {
    method: 'sweep',
    ...COMMON_DEFAULTS,
    maps: 10,
    images: 50,
    points: 12,
  },
} as const satisfies {
  readonly 'interval-search': Omit<IntervalTuning, 'rates'>;
  readonly race: Omit<RaceTuning, 'rates'>;
  readonly sweep: Omit<SweepTuning, 'rates'>;
};

/** Methods that come to thresholds. */
export const TUNING_METHODS = ['interval-search', 'race'] as const satisfies Tuning['method'][];

/**
 * Fill in the defaults of a search and validate it.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function parseTuning(options: Readonly<Record<string, unknown>>): Tuning {
  const { method = TUNING_METHODS[0] } = options;
  const defaults = DEFAULT_TUNING[method as Tuning['method']] ?? {};
  const fields: Readonly<Record<string, unknown>> = { ...defaults, ...options };
  const format = fields.format as Tuning['format'];
  const candidate: Readonly<Record<string, unknown>> = {
    ...fields,
    rates: TUNING_RATES[format],
    ...(method === 'race' && RACE_SIZES[format]),
    ...options,
  };
  const result = schema.safeParse(candidate);
  if (!result.success) {
    const { path, message, unknownKey } = firstIssue(result.error, candidate);
    // A list is shown whole, as it was given.
    const option = path.slice(0, 1);
    const problem = valueAndProblem({
      field: fieldName(option),
      value: valueAt(candidate, option),
      message:
        unknownKey === undefined ? message : `the method ${String(method)} has no such option`,
    });
    throw new InputError(`tune: ${problem}`);
  }
  const tuning = result.data;
  if (tuning.method === 'interval-search' && tuning.leastRounds > tuning.mostRounds) {
    throw new InputError(
      `tune: leastRounds = ${tuning.leastRounds} exceeds mostRounds = ${tuning.mostRounds}`,
    );
  }
  if (tuning.maps * tuning.rates.length > MOST_CELLS) {
    throw new InputError(
      `tune: ${tuning.maps} maps at ${tuning.rates.length} rates, expected at most ${MOST_CELLS} together`,
    );
  }
  return tuning;
}
