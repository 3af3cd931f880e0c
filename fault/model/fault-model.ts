import { z } from 'zod';
import { didYouMean, firstIssue, foundAndExpected, InputError, valueAt } from '../../core/index.js';
import { FAULT_KINDS } from '../fault-kind.js';

/** What faulty cells do; `stuck-at` is stuck-at-0 or stuck-at-1, drawn for each cell. */
export const MODEL_FAULTS = [...FAULT_KINDS, 'stuck-at'] as const;

const anObject = { error: 'an object' };
const share = z.number({ error: 'a number from 0 to 1' }).min(0).max(1);
const aboveZero = z.number({ error: 'a number above 0' }).positive();
const count = z.int({ error: 'a positive whole number' }).positive();
const wholeNumber = z.int({ error: 'a whole number from 0' }).nonnegative();
const distinct = <T>(values: readonly T[]) => new Set(values).size === values.length;

const regionSchema = z.union(
  [z.enum(['bank', 'row', 'column']), z.strictObject({ rows: count, columns: count })],
  { error: 'bank, row, column, or {rows, columns}' },
);

const sharesSchema = z
  .array(z.strictObject({ rate: share.gt(0), share }, anObject), {
    error: 'a list of {rate, share}',
  })
  .min(1)
  .readonly()
  .refine(
    (points) =>
      points.every(({ rate, share: part }, index) => {
        if (index === 0) return true;
        const before = points[index - 1];
        const added = rate * part - before.rate * before.share;
        return rate > before.rate && added >= 0 && added <= rate - before.rate;
      }),
    'rates that rise from point to point, and neither rate · share nor rate · (1 − share) that falls',
  );

/** Fields that say where faults lie, for each spatial model. */
const PLACES = {
  uniform: { model: z.literal('uniform') },
  rows: { model: z.literal('rows') },
  columns: { model: z.literal('columns') },
  banks: { model: z.literal('banks') },
  clusters: {
    model: z.literal('clusters'),
    clustering: aboveZero,
    region: regionSchema.default('bank'),
    clusterSize: z.number({ error: 'a number of at least 1' }).min(1).default(1),
    spread: aboveZero.default(1),
  },
  'weak-lines': {
    model: z.literal('weak-lines'),
    clustering: aboveZero,
    background: z
      .strictObject({ clustering: aboveZero, shares: sharesSchema }, anObject)
      .optional(),
    rows: count.optional(),
    rowStride: count.default(1),
    pairDistance: count.optional(),
  },
} as const;

const PLACE_MODELS = [
  'uniform',
  'rows',
  'columns',
  'banks',
  'clusters',
  'weak-lines',
] as const satisfies readonly (keyof typeof PLACES)[];

const placesSchema = z.discriminatedUnion(
  'model',
  [
    z.strictObject(PLACES.uniform),
    z.strictObject(PLACES.rows),
    z.strictObject(PLACES.columns),
    z.strictObject(PLACES.banks),
    z.strictObject(PLACES.clusters),
    z.strictObject(PLACES['weak-lines']),
  ],
  { error: `a model that is one of ${PLACE_MODELS.join(', ')}` },
);

const scopeSchema = z.strictObject(
  {
    banks: z
      .array(wholeNumber, { error: 'a list of banks' })
      .min(1)
      .readonly()
      .refine(distinct, 'banks that differ')
      .optional(),
    bits: z
      .strictObject(
        {
          positions: z
            .array(wholeNumber, { error: 'a list of bit positions' })
            .min(1)
            .readonly()
            .refine(distinct, 'bit positions that differ'),
          // Products of int8 words have 18.
          weightBits: z.union([z.literal(8), z.literal(18), z.literal(32)], {
            error: '8, 18 or 32',
          }),
          columnMux: count,
        },
        anObject,
      )
      .optional(),
  },
  anObject,
);

const COMMON = {
  faults: z.enum(MODEL_FAULTS, { error: `one of ${MODEL_FAULTS.join(', ')}` }).default('flip'),
  stuckAt1Share: share.optional(),
  activeProbability: share.optional(),
  scope: scopeSchema.optional(),
};

const tableSchema = z
  .array(z.strictObject({ voltage: aboveZero, rate: share.gt(0) }, anObject), {
    error: 'a list of {voltage, rate}',
  })
  .min(1)
  .readonly()
  .refine(
    (points) =>
      points.every(
        ({ voltage, rate }, index) =>
          index === 0 || (voltage < points[index - 1].voltage && rate >= points[index - 1].rate),
      ),
    'voltages that fall from point to point, and rates that never do',
  );

/** The fields of each model, for suggestions and for reading files. */
const MODELS = {
  uniform: { ...PLACES.uniform, ...COMMON },
  rows: { ...PLACES.rows, ...COMMON },
  columns: { ...PLACES.columns, ...COMMON },
  banks: { ...PLACES.banks, ...COMMON },
  clusters: { ...PLACES.clusters, ...COMMON },
  'weak-lines': { ...PLACES['weak-lines'], ...COMMON },
  voltage: {
    model: z.literal('voltage'),
    table: tableSchema,
    places: placesSchema.default({ model: 'uniform' }),
    ...COMMON,
  },
} as const;

export const FAULT_MODELS = [...PLACE_MODELS, 'voltage'] as const;

/** The schema of a fault model: defaults filled in, unknown fields refused. */
export const faultModelSchema = z.discriminatedUnion(
  'model',
  [
    z.strictObject(MODELS.uniform),
    z.strictObject(MODELS.rows),
    z.strictObject(MODELS.columns),
    z.strictObject(MODELS.banks),
    z.strictObject(MODELS.clusters),
    z.strictObject(MODELS['weak-lines']),
    z.strictObject(MODELS.voltage),
  ],
  {
    error: ({ code }) =>
      code === 'invalid_union' ? `one of ${FAULT_MODELS.join(', ')}` : 'an object',
  },
);

/** A type with all that is in it read-only. */
export type DeepReadonly<T> = T extends object
  ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
  : T;

/**
 * How the cells of a memory fail. Fields common to all models:
 *
 * - `faults`: what faulty cells do.
 * - `stuckAt1Share`: with `stuck-at`, the probability of stuck-at-1 (undefined: one half).
 * - `activeProbability`: intermittent faults, each active for an image with this probability (see
 *   `activeFaults`; undefined: permanent faults). The map holds all of them.
 * - `scope`: only data cells of these banks and these bit positions of a weight word fail, and the
 *   rate is a share of those cells. `columnMux` and `weightBits` say which columns hold a bit:
 *   column c stores bit ⌊c / columnMux⌋ mod weightBits.
 *
 * Where the faults lie:
 *
 * - `uniform`: every cell with the same probability.
 * - `rows`, `columns`, `banks`: whole word lines, bit lines or banks; the rate is the share of them
 *   that fail. Of `stuck-at` faults all cells of a line have the same kind.
 * - `clusters`: negative-binomial counts for each region (`clustering` is Stapper's α: smaller is more
 *   clustered, infinity would be Poisson). A region is a bank, a row or a column of a bank, or a block of
 *   `rows` × `columns` cells of a bank (smaller at its far edges). A cluster has `clusterSize` faults in
 *   the mean (geometric; 1: every fault has a place of its own), the first is its centre, the others lie
 *   around it at normally distributed distances with the standard deviation `spread` in cells.
 * - `weak-lines`: bit lines of which a few are much worse than the others. A line is a column of a bank, cut
 *   after each `rows` rows (undefined: all rows of the bank) and there divided into `rowStride` lines of every
 *   `rowStride`-th row. With `pairDistance` d, in columns, a line has two columns: of each 2d columns the first d are
 *   paired with the others, and a fault is always in both cells of a pair (a column whose partner the memory lacks
 *   fails alone). The faults (pairs) of a line are Poisson distributed around its cells (pairs) times the rate times
 *   a gamma variate of the mean 1 and the shape `clustering`, which belongs to the line. Of all faults a `share`,
 *   by the rate, follows a second variate of the line with the shape `background.clustering` (see `backgroundRate`).
 * - `voltage`: faults of `places` whose rate follows from the supply voltage (see `rateAtVoltage`).
 *   `table` lists falling voltages in volts with their rates.
 */
export type FaultModel = DeepReadonly<z.infer<typeof faultModelSchema>>;

/** A fault model as a user writes it: fields with a default may be missing. */
export type FaultModelInput = DeepReadonly<z.input<typeof faultModelSchema>>;

/** Where the faults of a model lie, without what they do. */
export type FaultPlaces = DeepReadonly<z.infer<typeof placesSchema>>;

export type FaultScope = NonNullable<FaultModel['scope']>;
export type BackgroundShares = z.infer<typeof sharesSchema>;
export type ClusterRegion = DeepReadonly<z.infer<typeof regionSchema>>;
export type VoltageTable = z.infer<typeof tableSchema>;

/** A fault of a value: where it is, and what was found and expected, as the end of a sentence. */
export interface ModelIssue {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
}

function knownFields(root: unknown, path: readonly PropertyKey[]): readonly string[] {
  const model = FAULT_MODELS.find((name) => name === valueAt(root, ['model']));
  if (path.length === 0) return model === undefined ? [] : Object.keys(MODELS[model]);
  if (path[0] === 'places' && path.length === 1) {
    const places = PLACE_MODELS.find((name) => name === valueAt(root, ['places', 'model']));
    return places === undefined ? [] : Object.keys(PLACES[places]);
  }
  if (path.includes('background')) return ['clustering', 'shares', 'rate', 'share'];
  return ['banks', 'bits', 'positions', 'weightBits', 'columnMux', 'rows', 'columns'];
}

/** The problem of the first thing that is wrong, and its place; undefined when it is a fault model. */
export function faultModelIssue(value: unknown): ModelIssue | undefined {
  const result = faultModelSchema.safeParse(value);
  if (!result.success) {
    const issue = firstIssue(result.error, value);
    const { path, unknownKey } = issue;
    if (unknownKey === undefined) return { path, problem: foundAndExpected(issue) };
    const suggestion = didYouMean(unknownKey, knownFields(value, path.slice(0, -1)));
    return { path, problem: `is an unknown field${suggestion}; remove it` };
  }
  const { faults, stuckAt1Share, scope } = result.data;
  if (stuckAt1Share !== undefined && faults !== 'stuck-at') {
    return {
      path: ['stuckAt1Share'],
      problem: `is given, but faults is "${faults}"; it needs "stuck-at"`,
    };
  }
  const bits = scope?.bits;
  const position = bits?.positions.findIndex((bit) => bit >= bits.weightBits) ?? -1;
  if (bits !== undefined && position >= 0) {
    return {
      path: ['scope', 'bits', 'positions', position],
      problem: `is ${bits.positions[position]}; expected a bit from 0 to ${bits.weightBits - 1}`,
    };
  }
  return undefined;
}

/**
 * Validates a fault model and fills in its defaults.
 *
 * @param where What holds the model, at the start of the message.
 * @throws InputError naming the field, its value and what was expected.
 */
export function parseFaultModel(value: unknown, where: string): FaultModel {
  const issue = faultModelIssue(value);
  if (issue !== undefined) {
    const field = issue.path.length === 0 ? 'the model' : issue.path.join('.');
    throw new InputError(`${where}: ${field} ${issue.problem}.`);
  }
  return faultModelSchema.parse(value);
}
