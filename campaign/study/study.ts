import { z } from 'zod';
import { firstIssue, InputError, shownValue, valueAndProblem } from '../../core/index.js';
import type { DeepReadonly } from '../../fault/index.js';
import {
  CLIP_POSITIONS,
  GRANULARITIES,
  type Mitigation,
  memoryPartsOf,
  mitigationInput,
  type PartDefaults,
  standsIn,
  withoutDefaults,
} from '../../mitigation/index.js';
import { AXIS_DEFAULTS, AXIS_INPUTS, AXIS_LISTS, areDistinct, STUDY_AXES } from './axes.js';
import { canonicalDies, diesInputSchema, diesSchema } from './dies.js';
import { hasCount, isExhaustive, isTransient } from './fault-source.js';
import { storagesOf, WEIGHTS_ALONE } from './storages.js';
import { TASK_FIELDS } from './task-fields.js';

/** Fault rates used when none are given: where each word format goes from unharmed to broken. */
export const DEFAULT_RATES = {
  float32: [0, 1e-7, 1e-6, 1e-5],
  int8: [0, 1e-4, 1e-3, 1e-2],
} as const;

/** The most maps that a point may have. */
export const MOST_MAPS = 1_000_000;

/** What is asked of the maps (chips) of a point. */
export interface Requirement {
  /** Percentage points that a good map may lose against the fault-free, unprotected network on the same images. */
  readonly within: number;
  /** Share of the maps that have to be good. */
  readonly yield: number;
}

/** The requirement of a study that gives none. */
export const DEFAULT_REQUIREMENT: Requirement = { within: 2, yield: 0.9 };

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
      'test images a fault map, with dies the most of one; with precision also pilot: chosen by a pilot of a few maps',
    ),
  imageChoice: z
    .enum(['drawn', 'fixed'])
    .describe('test images drawn afresh for each fault map, or the same for all'),
  precision: z
    .number()
    .gt(0)
    .max(50)
    .describe(
      'run each point until its accuracy is known to ± this many percentage points; with dies, each die until its change is, too',
    ),
  within: z
    .number()
    .gt(0)
    .max(100)
    .describe(
      'percentage points that a good map may lose against the fault-free, unprotected network',
    ),
  yield: z.number().gt(0).max(1).describe('share of the maps that have to be good'),
  seed: z.int().min(0).describe('seed of everything random'),
};

const thresholdsOfModels = z.record(z.string(), file);

const schema = z
  .strictObject({
    ...AXIS_LISTS,
    dies: diesSchema.optional(),
    thresholds: thresholdsOfModels.readonly().optional(),
    ...settings,
    ...z.strictObject(TASK_FIELDS).partial().shape,
    granularity: settings.granularity.optional(),
    precision: settings.precision.optional(),
  })
  .readonly();

const inputSchema = z.strictObject({
  ...AXIS_INPUTS,
  dies: diesInputSchema
    .describe('fault maps of measured dies, instead of fault models and rates')
    .optional(),
  thresholds: z
    .union([file, thresholdsOfModels])
    .describe('clip thresholds: a file, or a file for each model; default: the profile maxima')
    .optional(),
  ...z.strictObject({ ...settings, ...TASK_FIELDS }).partial().shape,
});

/**
 * A study as a user gives it: an axis under its singular or its plural name, as one value or a list, and nothing that
 * the defaults say. `thresholds`: of one model its file.
 */
export type StudyInput = DeepReadonly<z.input<typeof inputSchema>>;

/**
 * Everything a study's result depends on, validated, except what it only names: networks, accelerators, fault maps,
 * thresholds, images. Defaults are filled in and axes are lists, so it reads back to itself: `parseStudy` of a study
 * gives an equal one, also from its JSON. What is missing has no one value: `rates` are DEFAULT_RATES of each format,
 * `granularity` is that of the thresholds. `thresholds`: a file by model.
 */
export type Study = z.output<typeof schema>;

/** What a user may leave away. */
export const DEFAULT_STUDY = {
  ...AXIS_DEFAULTS,
  placement: 'resident',
  clipPosition: 'accumulator',
  maps: 50,
  images: 30,
  imageChoice: 'drawn',
  ...DEFAULT_REQUIREMENT,
  seed: 1,
} as const satisfies Study;

/** The most maps of a point that is run to a precision, and the images of each: see docs/statistics.md. */
const PRECISION_DEFAULTS = { maps: 10_000, images: 'pilot' } as const;

/** A given fault map is one; its images are all the sample there is. */
const GIVEN_MAP_DEFAULTS = { maps: 1, images: 1000 } as const;

/** A die has one map at a voltage; all dies are judged on the same images. */
const DIES_DEFAULTS = { ...GIVEN_MAP_DEFAULTS, imageChoice: 'fixed' } as const;

/**
 * The requirement of a saved study. Studies of before they had one say none: theirs is the default.
 *
 * @param configuration of the store: not trusted
 * @throws InputError when it says what no study can
 */
export function savedRequirement({
  within,
  yield: share,
}: Readonly<Record<string, unknown>>): Requirement {
  const study = validate({
    ...DEFAULT_STUDY,
    ...(within !== undefined && { within }),
    ...(share !== undefined && { yield: share }),
  });
  return { within: study.within, yield: study.yield };
}

/** Names of the fields of a study, an axis under both of its names. */
export const STUDY_FIELDS: readonly string[] = Object.keys(inputSchema.shape);

/**
 * Fields of a study under their one name, axes as lists.
 *
 * @throws InputError when an axis is given under both names
 */
export function canonicalFields(
  options: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const fields = { ...options };
  for (const { name: axis, singular } of STUDY_AXES) {
    if (singular !== undefined && fields[singular] !== undefined) {
      if (fields[axis] !== undefined) {
        throw new InputError(`study: give either ${singular} or ${axis}, not both`);
      }
      fields[axis] = fields[singular];
      delete fields[singular];
    }
    if (fields[axis] !== undefined && !Array.isArray(fields[axis])) fields[axis] = [fields[axis]];
  }
  if (fields.dies !== undefined) fields.dies = canonicalDies(fields.dies);
  return fields;
}

/**
 * Fill in the defaults of a study and validate it. A study of given fault maps has one map a point.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function parseStudy(options: StudyInput): Study {
  return parseStudyFields({ ...options });
}

/**
 * `parseStudy` of fields that nobody has looked at: of a file, of a command line, of a store.
 *
 * @throws InputError naming the field, its value and what was expected
 */
export function parseStudyFields(options: Readonly<Record<string, unknown>>): Study {
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
 * The study of a store.
 *
 * @param configuration of the store: not trusted
 * @throws InputError when it is none
 */
export function savedStudy(configuration: Readonly<Record<string, unknown>>): Study {
  const fields = Object.entries(configuration).filter(([name]) => STUDY_FIELDS.includes(name));
  return parseStudyFields(Object.fromEntries(fields));
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

function sizeDefaults({ faultMaps, dies, precision }: Readonly<Record<string, unknown>>): object {
  if (dies !== undefined) return DIES_DEFAULTS;
  if (faultMaps !== undefined) return GIVEN_MAP_DEFAULTS;
  return precision === undefined ? {} : PRECISION_DEFAULTS;
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
  requireStorages(study);
  requireOneMeasurement(study);
  if (precision !== undefined && study.imageChoice === 'fixed' && !study.dies) {
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

/** @throws InputError when a study of dies has what their measurement says or does not allow */
function requireOneMeasurement(study: Study): void {
  const { dies, faultMaps, rates, voltages, faultCounts, faults, scopes, maps } = study;
  if (dies === undefined) return;
  if (faultMaps !== undefined) {
    throw new InputError('study: give either dies (--fault-maps) or fault maps (--fault-map)');
  }
  for (const [name, given] of Object.entries({ rates, voltages, faultCounts })) {
    if (given === undefined) continue;
    const remedy =
      name === 'voltages' ? '; dies.select (--select voltage=…) takes one of them' : '';
    throw new InputError(`study: give either dies or ${name}: dies have their own${remedy}`);
  }
  const { faults: model, scopes: whole } = DEFAULT_STUDY;
  if (JSON.stringify([faults, scopes]) !== JSON.stringify([model, whole])) {
    throw new InputError(
      'study: dies have the faults that were measured, in all cells: leave faults and scopes away',
    );
  }
  if (maps !== 1) {
    throw new InputError(`study: maps = ${maps}, but a die has one map at a voltage`);
  }
  if (study.precision !== undefined && dies.stop === 'never') {
    throw new InputError(
      'study: precision ends dies, but dies.stop = never (--stop never) runs all of their images: give one of them',
    );
  }
  if (study.images === 'pilot') {
    throw new InputError(
      'study: images = "pilot" chooses the images of drawn maps, but those of dies are measured: give a number of images',
    );
  }
  if (study.imageChoice !== 'fixed') {
    throw new InputError('study: dies are compared on the same images: imageChoice = fixed');
  }
}

/** @throws InputError when a storage has what means nothing in it */
function requireStorages(study: Study): void {
  const { storages, mitigations, faultCounts, dies, faults, placement } = study;
  const protecting = mitigations.find((mitigation) => memoryPartsOf(mitigation).length > 0);
  if (protecting && placement === 'streamed' && faults.some(isTransient)) {
    throw new InputError(
      `study: mitigation ${protecting.name}: a transient fault in a streamed memory strikes one of the tiles of a word, which is not simulated with what stands in the memory: give placement: resident, or leave it away`,
    );
  }
  for (const label of storages) {
    if (dies && label !== WEIGHTS_ALONE) {
      throw new InputError(
        `study: dies are of the weight memory, not of storage ${label}: leave storages away, or give one of the maps with --fault-map`,
      );
    }
    if (faults.some(isExhaustive) && storagesOf(label).length > 1) {
      throw new InputError(
        `study: {transient: exhaustive} strikes the places of one storage, but ${label} are broken at once: give one`,
      );
    }
    if ((faultCounts || faults.some(hasCount)) && storagesOf(label).length > 1) {
      throw new InputError(
        `study: numbers of faults are of one storage, but ${label} are broken at once: give rates`,
      );
    }
    for (const mitigation of mitigations) {
      const misfit = memoryPartsOf(mitigation).find((part) =>
        storagesOf(label).every((storage) => !standsIn(part, storage)),
      );
      if (!misfit) continue;
      throw new InputError(
        `study: mitigation ${mitigation.name} cannot protect storage ${label}: ${misfit.use} ${STANDS_IN[groupOf(label)]}; leave it away, or study ${label} without it`,
      );
    }
  }
}

/** Why a part does not stand in a storage. */
const STANDS_IN = {
  registers: 'stands in words of a memory, and these are registers and sums of the array',
  memory: 'is made for the words of weights, which are known before',
};

function groupOf(label: string): keyof typeof STANDS_IN {
  const inMemory: readonly string[] = ['inputs', 'activations'];
  return storagesOf(label).some((storage) => inMemory.includes(storage)) ? 'memory' : 'registers';
}

function requireMitigations(study: Study): void {
  const { mitigations, clipPosition, formats } = study;
  const names = mitigationNames(study);
  if (!areDistinct(names)) {
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
    parts.some((part) => 'position' in part && part.position === 'requantised'),
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
  return {
    ...z.toJSONSchema(inputSchema, { io: 'input', reused: 'ref' }),
    title: 'Bitcell study',
  };
}
