import { z } from 'zod';
import { firstIssue, InputError, shownValue, valueAndProblem } from '../../core/index.js';
import { faultModelSchema, parseFaultModel } from '../../fault/index.js';
import {
  CLIP_POSITIONS,
  GRANULARITIES,
  type Mitigation,
  mitigationInput,
  mitigationInputSchema,
  mitigationSchema,
  NO_MITIGATION,
  type PartDefaults,
  withoutDefaults,
} from '../../mitigation/index.js';
import { FAULTS_PATTERN } from './fault-source.js';
import { SCOPE_PATTERN } from './scope.js';

/** Fault rates used when none are given: where each word format goes from unharmed to broken. */
export const DEFAULT_RATES = {
  float32: [0, 1e-7, 1e-6, 1e-5],
  int8: [0, 1e-4, 1e-3, 1e-2],
} as const;

/** The most maps that a point may have. */
export const MOST_MAPS = 1_000_000;

/** Accuracy may fall by this much below the clean one before a chip counts as lost. */
export const YIELD_WITHIN = 0.02;

const WORDS_FOR_FAULTS =
  'flip, stuck-at, stuck-at-0, stuck-at-1, a preset such as kc705-b or stutz-chip-1@0.02744, or a fault-model file (.yaml)';

/** What the axes of a study hold: every combination of their values is run. */
const axes = {
  models: z.string().min(1).describe('alexnet, vgg16 or an ONNX file'),
  formats: z.enum(['float32', 'int8']).describe('stored form of a weight'),
  accelerators: z.string().min(1).describe('a preset or a file'),
  faults: z
    .union([z.string().regex(FAULTS_PATTERN), faultModelSchema], {
      error: ({ input }) => problemOfFaults(input),
    })
    .describe(
      'how cells fail: flip, stuck-at-0, stuck-at-1, stuck-at, PRESET, PRESET@VOLTAGE (0.55V), PRESET@RATE, a fault-model file, or a fault model',
    ),
  faultMaps: z.string().min(1).describe('a fault map file, instead of fault models and rates'),
  scopes: z
    .string()
    .regex(
      SCOPE_PATTERN,
      'expected all, layer:NAME, bit:NUMBER or bank:NUMBER (or * for each of them)',
    )
    .describe('the cells that may fail: all, layer:NAME, bit:NUMBER, bank:NUMBER; * is each'),
  rates: z.number().min(0).max(1).describe('share of the cells in scope that are faulty'),
  voltages: z
    .number()
    .gt(0)
    .describe('supply voltages in volts, for fault models that have rates for them'),
  faultCounts: z.int().min(0).describe('faults a map, instead of rates'),
  mitigations: mitigationInputSchema.describe(
    'what protects the network: words such as none, clip or clip:granularity=neuron, a part, or a name with parts',
  ),
};

type Axis = keyof typeof axes;

/** An axis may be called by either name, and be given one value or a list. */
const SINGULAR: Readonly<Partial<Record<Axis, string>>> = {
  models: 'model',
  formats: 'format',
  accelerators: 'accelerator',
  faultMaps: 'faultMap',
  scopes: 'scope',
  rates: 'rate',
  voltages: 'voltage',
  faultCounts: 'faultCount',
  mitigations: 'mitigation',
};

const file = z.string().min(1);

/** The fields that are no axes. */
const settings = {
  placement: z
    .enum(['resident', 'streamed'])
    .describe('whether every weight has cells of its own, or the memory is filled in turns'),
  granularity: z
    .enum(GRANULARITIES)
    .describe(
      'what shares a threshold of clip and clamp; default: what the thresholds have, those of the zoo a channel (int8) or a layer (float32)',
    ),
  clipPosition: z
    .enum(CLIP_POSITIONS)
    .describe('clip accumulators, or (int8 words only) the outputs after requantisation'),
  maps: z
    .int()
    .min(1)
    .max(MOST_MAPS)
    .describe('fault maps a point; with precision, the most that a point may take'),
  images: z
    .union([z.int().min(1).max(10_000), z.literal('pilot')], {
      error: 'expected a whole number from 1 to 10,000, or pilot',
    })
    .describe(
      'test images a fault map; with precision also pilot: chosen by a pilot of a few maps',
    ),
  imageChoice: z
    .enum(['drawn', 'fixed'])
    .describe('test images drawn afresh for each fault map, or the same for all'),
  precision: z
    .number()
    .gt(0)
    .max(50)
    .describe('run each point until its accuracy is known to ± this many percentage points'),
  seed: z.int().min(0).describe('seed of everything random'),
};

const thresholds = 'clip thresholds: a file, or a file for each model; default: the profile maxima';

const unique = <T>(values: readonly T[]) => new Set(values).size === values.length;
const listOf = <T extends z.ZodType>(item: T) =>
  z.array(item).min(1).readonly().refine(unique, 'values must differ');

const schema = z
  .strictObject({
    models: listOf(axes.models),
    formats: listOf(axes.formats),
    accelerators: listOf(axes.accelerators),
    faults: listOf(axes.faults),
    faultMaps: listOf(axes.faultMaps).optional(),
    scopes: listOf(axes.scopes),
    rates: listOf(axes.rates).optional(),
    voltages: listOf(axes.voltages).optional(),
    faultCounts: listOf(axes.faultCounts).optional(),
    mitigations: z.array(mitigationSchema).min(1).readonly(),
    thresholds: z.record(z.string(), file).readonly().optional(),
    ...settings,
    granularity: settings.granularity.optional(),
    precision: settings.precision.optional(),
  })
  .readonly();

/**
 * Everything a study's result depends on, validated, except what it only names: networks, accelerators, fault maps,
 * thresholds, images. `rates` missing: DEFAULT_RATES of each format. `thresholds`: a file by model.
 */
export type Study = z.infer<typeof schema>;

/** What a user may leave away. */
export const DEFAULT_STUDY = {
  models: ['alexnet'],
  formats: ['float32', 'int8'],
  accelerators: ['edge-16x16'],
  faults: ['flip'],
  scopes: ['all'],
  mitigations: [NO_MITIGATION, { name: 'clip', parts: [{ use: 'clip' }] }],
  placement: 'resident',
  clipPosition: 'accumulator',
  maps: 50,
  images: 30,
  imageChoice: 'drawn',
  seed: 1,
} as const satisfies Study;

/** The most maps of a point that is run to a precision, and the images of each: see docs/statistics.md. */
const PRECISION_DEFAULTS = { maps: 10_000, images: 'pilot' } as const;

/** A given fault map is one; its images are all the sample there is. */
const GIVEN_MAP_DEFAULTS = { maps: 1, images: 1000 } as const;

const AXES = Object.keys(axes) as Axis[];

/** Names of the fields of a study, an axis under both of its names. */
export const STUDY_FIELDS: readonly string[] = [
  ...AXES.flatMap((axis) => [SINGULAR[axis] ?? [], axis].flat()),
  'thresholds',
  ...Object.keys(settings),
];

/**
 * Fields of a study under their one name, axes as lists.
 *
 * @throws InputError when an axis is given under both names
 */
export function canonicalFields(
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const fields = { ...options };
  for (const axis of AXES) {
    const singular = SINGULAR[axis];
    if (singular !== undefined && fields[singular] !== undefined) {
      if (fields[axis] !== undefined) {
        throw new InputError(`study: give either ${singular} or ${axis}, not both`);
      }
      fields[axis] = fields[singular];
      delete fields[singular];
    }
    if (fields[axis] !== undefined && !Array.isArray(fields[axis])) fields[axis] = [fields[axis]];
  }
  return fields;
}

/**
 * Fill in the defaults of a study and validate it. A study of given fault maps has one map a point.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function parseStudy(options: Readonly<Record<string, unknown>>): Study {
  const fields = canonicalFields(options);
  const candidate: Record<string, unknown> = {
    ...DEFAULT_STUDY,
    ...sizeDefaults(fields),
    ...fields,
  };
  if (fields.thresholds !== undefined) candidate.thresholds = thresholdsByModel(candidate);
  const given = validate(candidate);
  const defaults = partDefaults(given);
  const study = {
    ...given,
    mitigations: given.mitigations.map((mitigation) => withoutDefaults(mitigation, defaults)),
  };
  requireConsistent(study);
  return study;
}

/**
 * Validate one field of a study, by any of its names.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function validateField(name: string, value: unknown): void {
  const fields = canonicalFields({ [name]: value });
  if (typeof fields.thresholds === 'string') return;
  validate({ ...DEFAULT_STUDY, ...fields });
}

function validate(candidate: Readonly<Record<string, unknown>>): Study {
  const result = schema.safeParse(candidate);
  if (result.success) return result.data;
  throw new InputError(`study: ${valueAndProblem(firstIssue(result.error, candidate))}`);
}

function sizeDefaults({ faultMaps, precision }: Readonly<Record<string, unknown>>): object {
  if (faultMaps !== undefined) return GIVEN_MAP_DEFAULTS;
  return precision === undefined ? {} : PRECISION_DEFAULTS;
}

/** What is wrong with a fault model that is neither a known word nor valid. */
function problemOfFaults(input: unknown): string {
  if (typeof input === 'string') {
    return `expected ${WORDS_FOR_FAULTS}`;
  }
  try {
    parseFaultModel(input, 'a fault model');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return `expected ${WORDS_FOR_FAULTS}`;
}

/** One file is that of the one model. */
function thresholdsByModel({ thresholds, models }: Readonly<Record<string, unknown>>): unknown {
  if (typeof thresholds !== 'string' || !Array.isArray(models)) return thresholds;
  if (models.length > 1) {
    throw new InputError(
      `study: thresholds = ${JSON.stringify(thresholds)} is one file for ${models.length} models: give a file for each model`,
    );
  }
  return { [String(models[0])]: thresholds };
}

/** A study as it may be written to get it back, mitigations in words where these say it. */
export function studyInputOf(
  study: Study,
): Omit<Study, 'mitigations'> & { readonly mitigations: readonly (string | Mitigation)[] } {
  return { ...study, mitigations: study.mitigations.map(mitigationInput) };
}

/** The names of a study's mitigations, which its rows have, in its order. */
export function mitigationNames({ mitigations }: Pick<Study, 'mitigations'>): string[] {
  return mitigations.map(({ name }) => name);
}

/** What a study says for the parts of its mitigations that do not say it themselves. */
export function partDefaults({
  granularity,
  clipPosition,
}: Pick<Study, 'granularity' | 'clipPosition'>): PartDefaults {
  return { granularity, position: clipPosition };
}

function requireConsistent(study: Study): void {
  const { models, faultMaps, rates, voltages, faultCounts, maps, precision, thresholds } = study;
  for (const [name, given] of Object.entries({ rates, voltages, faultCounts })) {
    if (faultMaps !== undefined && given !== undefined) {
      throw new InputError(`study: give either a fault map or ${name}: a map has its own rate`);
    }
  }
  if (rates !== undefined && faultCounts !== undefined) {
    throw new InputError('study: give either rates or faultCounts');
  }
  requireMitigations(study);
  if (precision !== undefined && study.imageChoice === 'fixed') {
    throw new InputError(
      'study: precision needs images that are drawn for each map, not fixed ones',
    );
  }
  if (precision === undefined && study.images === 'pilot') {
    throw new InputError(
      'study: images = "pilot" needs a precision to choose them for: give one, or a number of images',
    );
  }
  if (faultMaps !== undefined && maps !== 1) {
    throw new InputError(`study: maps = ${maps}, but a given fault map is one map`);
  }
  if (faultMaps !== undefined && precision !== undefined) {
    throw new InputError('study: precision needs drawn fault maps, not a given one');
  }
  for (const model of Object.keys(thresholds ?? {})) {
    if (!models.includes(model)) {
      throw new InputError(`study: thresholds are given for ${model}, which is not in models`);
    }
  }
}

function requireMitigations(study: Study): void {
  const { mitigations, clipPosition, formats } = study;
  const names = mitigationNames(study);
  if (!unique(names)) {
    throw new InputError(
      `study: mitigations = ${shownValue(names)}: values must differ, or be named: {name: NAME, parts: […]}`,
    );
  }
  if (!formats.includes('float32')) return;
  const needsInt8 = (what: string) =>
    new InputError(
      `study: ${what} is for int8 words: float32 words have no requantisation; give formats: [int8]`,
    );
  if (clipPosition === 'requantised') throw needsInt8('clipPosition = requantised');
  const requantised = mitigations.find(({ parts }) =>
    parts.some(({ position }) => position === 'requantised'),
  );
  if (requantised) throw needsInt8(`mitigation ${requantised.name}: position = requantised`);
}

/** The fault rates of one word format. */
export function ratesOf(study: Study, format: Study['formats'][number]): readonly number[] {
  return study.rates ?? DEFAULT_RATES[format];
}

/**
 * JSON Schema (draft 2020-12) of a study file, for editors. What a schema cannot say, such as that an axis is
 * given under one name only, is left to `parseStudy`.
 */
export function studyJsonSchema(): object {
  const properties: Record<string, z.ZodType> = {};
  for (const axis of AXES) {
    const item = axes[axis];
    const value = z.union([item, z.array(item).min(1)]).describe(item.description ?? '');
    for (const name of [SINGULAR[axis] ?? [], axis].flat()) properties[name] = value.optional();
  }
  properties.thresholds = z
    .union([file, z.record(z.string(), file)])
    .describe(thresholds)
    .optional();
  for (const [name, field] of Object.entries(settings)) properties[name] = field.optional();
  return {
    ...z.toJSONSchema(z.strictObject(properties), { io: 'input' }),
    title: 'Bitcell study',
  };
}
