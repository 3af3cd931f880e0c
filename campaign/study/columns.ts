import { z } from 'zod';
import { rateText } from '../../core/index.js';
import type { WordFormat } from '../../models/index.js';
import type { AxisColumn, ValuesOption } from './axes.js';
import type { Condition } from './conditions.js';
import { faultSourceName } from './fault-source.js';

/** What a point is, in words and numbers: a condition with a mitigation. */
export interface PointKey {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  /** What is broken; several at once with + between them. */
  readonly storage: string;
  /** A fault model, a fault map file, or where the maps of dies are. */
  readonly faultModel: string;
  readonly scope: string;
  readonly mitigation: string;
  readonly rate: number;
  /** In volts, where a voltage says the rate. */
  readonly voltage?: number | undefined;
}

/** A column that says which point a row is of. */
export interface PointColumn<Value extends string | number | null = string | number | null> {
  readonly field: keyof PointKey;
  /** In the store. */
  readonly name: ColumnName;
  readonly type: 'VARCHAR' | 'DOUBLE';
  /** Whether a point may have no value: null in the store. */
  readonly nullable: boolean;
  /** Of a stored value. */
  readonly schema: z.ZodType<Value>;
  /** Head of the column in printed tables. */
  readonly title: string;
  /** A value in printed tables. */
  text(value: NonNullable<Value>): string;
  /** The value of a condition with a mitigation. */
  of(condition: Condition, mitigation: string): Value;
  /** Of `bitcell results`. */
  readonly filter: ValuesOption;
}

type StoredValue<Field extends keyof PointKey> =
  | NonNullable<PointKey[Field]>
  | (undefined extends PointKey[Field] ? null : never);

type ColumnDefinitions = {
  readonly [Field in AxisColumn]: Omit<
    PointColumn<StoredValue<Field>>,
    'field' | 'name' | 'nullable'
  > & { readonly name: string };
};

/** A text of a row: the name of a file may be long. */
export const rowText = z.string().max(65_536);

/** The columns by the fields of a point: at least one for each axis. */
const DEFINITIONS = {
  model: {
    name: 'model',
    type: 'VARCHAR',
    schema: rowText,
    title: 'model',
    text: (model) => model,
    of: ({ model }) => model,
    filter: {
      flag: '--model',
      argument: '<models>',
      description: 'only these',
      values: 'names',
    },
  },
  format: {
    name: 'format',
    type: 'VARCHAR',
    schema: z.enum(['float32', 'int8']),
    title: 'words',
    text: (format) => format,
    of: ({ format }) => format,
    filter: {
      flag: '--format',
      argument: '<formats>',
      description: 'only these word formats',
      values: 'names',
    },
  },
  accelerator: {
    name: 'accelerator',
    type: 'VARCHAR',
    schema: rowText,
    title: 'accelerator',
    text: (accelerator) => accelerator,
    of: ({ accelerator }) => accelerator,
    filter: {
      flag: '--accelerator',
      argument: '<accelerators>',
      description: 'only these',
      values: 'names',
    },
  },
  storage: {
    name: 'storage',
    type: 'VARCHAR',
    schema: rowText,
    title: 'storage',
    text: (storage) => storage,
    of: ({ storage }) => storage,
    filter: {
      flag: '--storage',
      argument: '<storages>',
      description: 'only these',
      values: 'names',
    },
  },
  faultModel: {
    name: 'fault_model',
    type: 'VARCHAR',
    schema: rowText,
    title: 'fault model',
    text: (faultModel) => faultModel,
    of: ({ source }) => faultSourceName(source),
    filter: {
      flag: '--faults',
      argument: '<names>',
      description: 'only these fault models or map files',
      values: 'files',
    },
  },
  scope: {
    name: 'scope',
    type: 'VARCHAR',
    schema: rowText,
    title: 'scope',
    text: (scope) => scope,
    of: ({ scope }) => scope,
    filter: {
      flag: '--scope',
      argument: '<scopes>',
      description: 'only these',
      values: 'names',
    },
  },
  mitigation: {
    name: 'mitigation',
    type: 'VARCHAR',
    schema: rowText,
    title: 'mitigation',
    text: (mitigation) => mitigation,
    of: (_, mitigation) => mitigation,
    filter: {
      flag: '--mitigation',
      argument: '<mitigations>',
      description: 'only these',
      values: 'mitigations',
    },
  },
  rate: {
    name: 'rate',
    type: 'DOUBLE',
    schema: z.number().min(0).max(1),
    title: 'fault rate',
    text: rateText,
    of: ({ rate }) => rate,
    filter: {
      flag: '--rate',
      argument: '<rates>',
      description: 'only these fault rates',
      values: 'rates',
    },
  },
  voltage: {
    name: 'voltage',
    type: 'DOUBLE',
    schema: z.number().nullable(),
    title: 'voltage',
    text: (voltage) => `${voltage} V`,
    of: ({ voltage }) => voltage ?? null,
    filter: {
      flag: '--voltage',
      argument: '<volts>',
      description: 'only these',
      values: 'voltages',
    },
  },
} as const satisfies ColumnDefinitions;

type Definitions = typeof DEFINITIONS;

export type ColumnName = (typeof DEFINITIONS)[AxisColumn]['name'];

/** The columns in the order in which rows have them. */
export const POINT_COLUMNS: readonly PointColumn[] = Object.entries(DEFINITIONS).map(
  ([field, definition]) => ({
    field: field as AxisColumn,
    nullable: definition.schema.safeParse(null).success,
    ...definition,
  }),
);

/** The values of the columns as they are stored. */
export const COLUMN_SCHEMAS = Object.fromEntries(
  POINT_COLUMNS.map(({ name, schema }) => [name, schema]),
) as { [Field in AxisColumn as Definitions[Field]['name']]: Definitions[Field]['schema'] };

/** The key of a condition with a mitigation. */
export function pointKey(condition: Condition, mitigation: string): PointKey {
  return keyFromColumns((column) => column.of(condition, mitigation));
}

/** The key that has the values of columns. */
export function keyFromColumns(value: (column: PointColumn) => string | number | null): PointKey {
  const fields = POINT_COLUMNS.map((column) => [column.field, value(column)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== null)) as unknown as PointKey;
}

/** The values of a key in the order of the columns. */
export function columnValues(key: PointKey): (string | number | null)[] {
  return POINT_COLUMNS.map(({ field }) => key[field] ?? null);
}
