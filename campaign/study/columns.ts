import { z } from 'zod';
import { rateText } from '../../core/index.js';
import { MITIGATIONS, type Mitigation } from '../../mitigation/index.js';
import type { AxisColumn, ValuesOption } from './axes.js';
import type { Condition } from './conditions.js';
import { faultSourceName } from './fault-source.js';

type ColumnValue = string | number | null;

interface ColumnDefinition<Name extends string, Value extends ColumnValue> {
  /** In the store. */
  readonly name: Name;
  readonly type: 'VARCHAR' | 'DOUBLE';
  /** Of a stored value; null: a point may have none. */
  readonly schema: z.ZodType<Value>;
  /** Head of the column in printed tables. */
  readonly title: string;
  /** A value in printed tables. */
  text(value: NonNullable<Value>): string;
  /** The value of a condition with a mitigation. */
  of(condition: Condition, mitigation: Mitigation): Value;
  /** Of `bitcell results`. */
  readonly filter: ValuesOption;
}

function column<const Name extends string, Value extends ColumnValue>(
  definition: ColumnDefinition<Name, Value>,
): ColumnDefinition<Name, Value> {
  return definition;
}

/** A text of a row: the name of a file may be long. */
export const rowText = z.string().max(65_536);

/** The columns that say which point a row is of, by the fields of a point: one at least for each axis. */
const DEFINITIONS = {
  model: column({
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
  }),
  format: column({
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
  }),
  accelerator: column({
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
  }),
  /** A fault model, or a fault map file. */
  faultModel: column({
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
  }),
  scope: column({
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
  }),
  mitigation: column({
    name: 'mitigation',
    type: 'VARCHAR',
    schema: z.enum(MITIGATIONS),
    title: 'mitigation',
    text: (mitigation) => mitigation,
    of: (_, mitigation) => mitigation,
    filter: {
      flag: '--mitigation',
      argument: '<mitigations>',
      description: 'only these',
      values: 'names',
    },
  }),
  rate: column({
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
  }),
  /** In volts, where a voltage says the rate. */
  voltage: column({
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
  }),
} as const satisfies Readonly<Record<AxisColumn, unknown>>;

type Definitions = typeof DEFINITIONS;
type Field = keyof Definitions;
type ValueOf<Name extends Field> = z.output<Definitions[Name]['schema']>;

/** What a point is, in words and numbers: a condition with a mitigation. */
export type PointKey = {
  readonly [Name in Field as null extends ValueOf<Name> ? never : Name]: ValueOf<Name>;
} & {
  readonly [Name in Field as null extends ValueOf<Name> ? Name : never]?:
    | NonNullable<ValueOf<Name>>
    | undefined;
};

export type ColumnName = Definitions[Field]['name'];

export interface PointColumn extends ColumnDefinition<ColumnName, ColumnValue> {
  readonly field: Field;
  readonly nullable: boolean;
}

/** The columns in the order in which rows have them. */
export const POINT_COLUMNS: readonly PointColumn[] = Object.entries(DEFINITIONS).map(
  ([field, definition]) => ({
    field: field as Field,
    nullable: definition.schema.safeParse(null).success,
    ...definition,
  }),
);

/** The values of the columns as they are stored. */
export const COLUMN_SCHEMAS = Object.fromEntries(
  POINT_COLUMNS.map(({ name, schema }) => [name, schema]),
) as { [Name in Field as Definitions[Name]['name']]: Definitions[Name]['schema'] };

/** The key of a condition with a mitigation. */
export function pointKey(condition: Condition, mitigation: Mitigation): PointKey {
  return keyFromColumns((column) => column.of(condition, mitigation));
}

/** The key that has the values of columns. */
export function keyFromColumns(value: (column: PointColumn) => ColumnValue): PointKey {
  const fields = POINT_COLUMNS.map((column) => [column.field, value(column)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== null)) as PointKey;
}

/** The values of a key in the order of the columns. */
export function columnValues(key: PointKey): ColumnValue[] {
  return POINT_COLUMNS.map(({ field }) => key[field] ?? null);
}
