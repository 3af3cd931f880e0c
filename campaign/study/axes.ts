import { z } from 'zod';
import { mitigationInputSchema, mitigationSchema, NO_MITIGATION } from '../../mitigation/index.js';
import { faultsSchema } from './fault-source.js';
import { SCOPE_PATTERN } from './scope.js';
import { storagesSchema, WEIGHTS_ALONE } from './storages.js';

/** How an option of the command line gives values: separated by commas, unless it says otherwise. */
export type OptionValues =
  | 'names'
  /** Names that may have a comma in them. */
  | 'files'
  | 'mitigations'
  | 'rates'
  /** In volts. */
  | 'voltages'
  | 'counts';

/** An option of the command line that gives values of an axis. */
export interface ValuesOption {
  /** `--rates` */
  readonly flag: string;
  /** `<rates>` */
  readonly argument: string;
  readonly description: string;
  readonly values: OptionValues;
}

/** What an axis is, by which everything else of it is made. */
export interface AxisDefinition {
  /** The name of an axis that is given one value. */
  readonly singular?: string;
  /** Of one value, which a study holds as it comes out. */
  readonly item: z.ZodType;
  /** What users write, where `item` does not say it: for editors. */
  readonly input?: z.ZodType;
  /** The field of a point that shows the value (see `columns.ts`). Of axes with the same one the last that is given counts. */
  readonly column: string;
  /** The values of a study that gives none; missing: such a study has none. */
  readonly default?: readonly unknown[];
  /** Of `bitcell run`. */
  readonly option: ValuesOption;
}

/** The axes of a study, whose values are run in every combination. */
const DEFINITIONS = {
  models: {
    singular: 'model',
    item: z.string().min(1).describe('alexnet, vgg16 or an ONNX file'),
    column: 'model',
    default: ['alexnet'],
    option: {
      flag: '--model',
      argument: '<models>',
      description: 'alexnet, vgg16 or an ONNX file (default: alexnet)',
      values: 'names',
    },
  },
  formats: {
    singular: 'format',
    item: z.enum(['float32', 'int8']).describe('stored form of a weight'),
    column: 'format',
    default: ['float32', 'int8'],
    option: {
      flag: '--format',
      argument: '<formats>',
      description: 'word formats: int8, float32 (default: both)',
      values: 'names',
    },
  },
  accelerators: {
    singular: 'accelerator',
    item: z
      .string()
      .min(1)
      .describe('a preset, a file, or a SCALE-Sim FILE.cfg@BANKSxROWSxWORDBITSxCOLUMNMUX'),
    column: 'accelerator',
    default: ['edge-16x16'],
    option: {
      flag: '--accelerator',
      argument: '<accelerators>',
      description:
        'presets, files, or SCALE-Sim FILE.cfg@BANKSxROWSxWORDBITSxCOLUMNMUX (default: edge-16x16)',
      values: 'names',
    },
  },
  storages: {
    singular: 'storage',
    item: storagesSchema,
    input: z
      .string()
      .describe(
        'what is broken: weights, weight-registers, inputs, activations, accumulators, multipliers; several at once with + between them',
      ),
    column: 'storage',
    default: [WEIGHTS_ALONE],
    option: {
      flag: '--storage',
      argument: '<storages>',
      description:
        'what is broken: weights, weight-registers, inputs, activations, accumulators, multipliers; A+B breaks both at once (default: weights)',
      values: 'names',
    },
  },
  faults: {
    item: faultsSchema.describe(
      'how cells fail: flip, stuck-at-0, stuck-at-1, stuck-at, PRESET, PRESET@VOLTAGE (0.55V), PRESET@RATE, a fault-model file, or a fault model',
    ),
    column: 'faultModel',
    default: ['flip'],
    option: {
      flag: '--faults',
      argument: '<models>',
      description:
        'flip, stuck-at-0, stuck-at-1, stuck-at, a preset (kc705-b), its state (kc705-b@0.55V, stutz-chip-1@0.02744) or a fault-model file (default: flip)',
      values: 'names',
    },
  },
  faultMaps: {
    singular: 'faultMap',
    item: z.string().min(1).describe('a fault map file, instead of fault models and rates'),
    column: 'faultModel',
    option: {
      flag: '--fault-map',
      argument: '<file>',
      description:
        'a given fault map instead of drawn ones, of several storages with a column storage; repeat it for more; a pair of 0/1 matrices is STUCK0.csv,STUCK1.csv',
      values: 'files',
    },
  },
  scopes: {
    singular: 'scope',
    item: z
      .string()
      .regex(
        SCOPE_PATTERN,
        'expected all, layer:NAME, bit:NUMBER or bank:NUMBER (or * for each of them)',
      )
      .describe('the cells that may fail: all, layer:NAME, bit:NUMBER, bank:NUMBER; * is each'),
    column: 'scope',
    default: ['all'],
    option: {
      flag: '--scope',
      argument: '<scopes>',
      description:
        'cells that may fail: all, layer:NAME, bit:NUMBER, bank:NUMBER; * for each (default: all)',
      values: 'names',
    },
  },
  rates: {
    singular: 'rate',
    item: z.number().min(0).max(1).describe('share of the cells in scope that are faulty'),
    column: 'rate',
    option: {
      flag: '--rates',
      argument: '<rates>',
      description: 'fault rates, 0…1',
      values: 'rates',
    },
  },
  voltages: {
    singular: 'voltage',
    item: z
      .number()
      .gt(0)
      .describe('supply voltages in volts, for fault models that have rates for them'),
    column: 'voltage',
    option: {
      flag: '--voltages',
      argument: '<volts>',
      description: 'for fault models with rates for voltages',
      values: 'voltages',
    },
  },
  faultCounts: {
    singular: 'faultCount',
    item: z.int().min(0).describe('faults a map, instead of rates'),
    column: 'rate',
    option: {
      flag: '--fault-counts',
      argument: '<numbers>',
      description: 'faults a map, instead of rates',
      values: 'counts',
    },
  },
  mitigations: {
    singular: 'mitigation',
    item: mitigationSchema,
    input: mitigationInputSchema.describe(
      'what protects the network: words such as none, clip or clip:granularity=neuron, a part, or a name with parts',
    ),
    column: 'mitigation',
    default: [NO_MITIGATION, { name: 'clip', parts: [{ use: 'clip' }] }],
    option: {
      flag: '--mitigations',
      argument: '<list>',
      description:
        'none, clip, clamp, clip-tuned, with parameters such as clip:granularity=neuron or clip:layers=conv1/fc2 (default: none,clip)',
      values: 'mitigations',
    },
  },
} as const satisfies Readonly<Record<string, AxisDefinition>>;

type Definitions = typeof DEFINITIONS;

/** An axis by the name of its field in a resolved study. */
export type AxisName = keyof typeof DEFINITIONS;

/** The fields of a point that axes show in. */
export type AxisColumn = (typeof DEFINITIONS)[AxisName]['column'];

export interface Axis extends AxisDefinition {
  readonly name: AxisName;
  readonly column: AxisColumn;
}

/** The axes in the order of a study. */
export const STUDY_AXES: readonly Axis[] = Object.entries(DEFINITIONS).map(
  ([name, definition]) => ({ name: name as AxisName, ...definition }),
);

type ItemOf<Name extends AxisName> = Definitions[Name]['item'];
type InputOf<Name extends AxisName> = Definitions[Name] extends {
  readonly input: infer Input extends z.ZodType;
}
  ? Input
  : ItemOf<Name>;
type AxisWithDefault = {
  [Name in AxisName]: Definitions[Name] extends { readonly default: unknown } ? Name : never;
}[AxisName];

type ListOf<Item extends z.ZodType> = z.ZodReadonly<z.ZodArray<Item>>;

/** By content: a value may be an object. */
export function areDistinct(values: readonly unknown[]): boolean {
  return new Set(values.map((value) => JSON.stringify(value))).size === values.length;
}

/** The axes of a resolved study: a list each. */
export const AXIS_LISTS = Object.fromEntries(
  STUDY_AXES.map((axis) => {
    const list = z.array(axis.item).min(1).readonly().refine(areDistinct, 'values must differ');
    return [axis.name, axis.default ? list : list.optional()];
  }),
) as {
  [Name in AxisName]: Name extends AxisWithDefault
    ? ListOf<ItemOf<Name>>
    : z.ZodOptional<ListOf<ItemOf<Name>>>;
};

/** The axes as users may give them: by either name, one value or a list, or not at all. */
export const AXIS_INPUTS = Object.fromEntries(
  STUDY_AXES.flatMap(({ name, singular, item, input = item }) => {
    const value = z.union([input, z.array(input).min(1)]).describe(input.description ?? '');
    const names = singular === undefined ? [name] : [singular, name];
    return names.map((field) => [field, value.optional()]);
  }),
) as {
  [Name in AxisName as Name | SingularOf<Name>]: z.ZodOptional<
    z.ZodUnion<[InputOf<Name>, z.ZodArray<InputOf<Name>>]>
  >;
};

type SingularOf<Name extends AxisName> = Definitions[Name] extends {
  readonly singular: infer Singular extends string;
}
  ? Singular
  : never;

/** The values of the axes that a user may leave away. */
export const AXIS_DEFAULTS = Object.fromEntries(
  STUDY_AXES.flatMap((axis) => (axis.default ? [[axis.name, axis.default]] : [])),
) as { readonly [Name in AxisWithDefault]: Definitions[Name]['default'] };
