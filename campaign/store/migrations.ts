import type { DuckDBConnection } from '@duckdb/node-api';
import { append } from './duckdb/append.js';
import { type CellValue, TABLES, type TableName } from './tables.js';

/** Versions of the tables that are read, ascending; the last one is written. */
export const STORE_VERSIONS = [3, 4, 5, 6, 7] as const;

export type StoreVersion = (typeof STORE_VERSIONS)[number];

export const STORE_VERSION = 7 satisfies StoreVersion;

/** The rows of the tables `configuration` and `version`, by name. */
export interface NamedValues {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, unknown>>;
}

/** What leads from one version of the tables to the next. */
export interface Migration {
  /** Tables that a store of this version may lack. */
  readonly optionalTables: readonly TableName[];
  /** What the next version says instead of the values of this one: not trusted. */
  migrateValues(values: NamedValues): NamedValues;
  /**
   * Change the tables to those of the next version, within a transaction.
   *
   * @param planned rows as the study that is continued says them
   */
  migrateTables(connection: DuckDBConnection, planned: PlannedRows): Promise<void>;
}

/** Rows that a study has before its first trial. */
export type PlannedRows = Readonly<Record<'plan' | 'remark', readonly CellValue[][]>>;

/** One for each version that is read but not written. */
export const MIGRATIONS: Readonly<Record<Exclude<StoreVersion, typeof STORE_VERSION>, Migration>> =
  {
    3: {
      // The first stores of this version were made without a plan.
      optionalTables: ['plan'],
      migrateValues: codeAmongVersions,
      async migrateTables(connection, { plan }) {
        const { columns } = tableOf('plan');
        await connection.run(`CREATE TABLE IF NOT EXISTS plan (${columns})`);
        const [[rows]] = (await connection.runAndReadAll('SELECT count(*) FROM plan')).getRows();
        if (rows === 0n) await append(connection, 'plan', plan);
      },
    },
    4: {
      // What spare lines made of its maps is not known of the trials that are there.
      optionalTables: ['repair', 'remark'],
      migrateValues: (values) => values,
      async migrateTables(connection, { remark }) {
        for (const name of ['repair', 'remark'] as const) {
          await connection.run(`CREATE TABLE IF NOT EXISTS ${name} (${tableOf(name).columns})`);
        }
        await connection.run('DELETE FROM remark');
        await append(connection, 'remark', remark);
      },
    },
    5: {
      // No study of these stores is of dies.
      optionalTables: ['die'],
      migrateValues: (values) => values,
      async migrateTables(connection) {
        await connection.run(`CREATE TABLE IF NOT EXISTS die (${tableOf('die').columns})`);
      },
    },
    6: {
      optionalTables: [],
      migrateValues: diesThatRunAllImages,
      async migrateTables() {},
    },
  };

/** Dies of these stores ran all of their images, and are judged by the interval of one look. */
function diesThatRunAllImages({ configuration, versions }: NamedValues): NamedValues {
  const { dies } = configuration;
  if (typeof dies !== 'object' || dies === null) return { configuration, versions };
  return { configuration: { ...configuration, dies: { ...dies, stop: 'never' } }, versions };
}

/**
 * The checksum of the code stood among those that a study must not change; now it is the first of a list of those that
 * ran it.
 */
function codeAmongVersions({ configuration, versions }: NamedValues): NamedValues {
  const { code, ...checksums } = Object(configuration.checksums);
  return {
    configuration: {
      ...configuration,
      ...(configuration.checksums !== undefined && { checksums }),
    },
    versions: { ...versions, code: code === undefined ? [] : [code] },
  };
}

/** The migrations that a store of a version still needs, in their order. */
function migrationsFrom(version: StoreVersion): Migration[] {
  return STORE_VERSIONS.filter((one) => one >= version).flatMap((one) =>
    one === STORE_VERSION ? [] : [MIGRATIONS[one]],
  );
}

/** Tables that a store of a version must have. */
export function requiredTables(version: StoreVersion): TableName[] {
  const optional = new Set(migrationsFrom(version).flatMap((step) => step.optionalTables));
  return TABLES.map(({ name }) => name).filter((name) => !optional.has(name));
}

/** The values of a store of a version as the version that is written has them; but the version itself stays. */
export function migratedValues(version: StoreVersion, values: NamedValues): NamedValues {
  return migrationsFrom(version).reduce((before, step) => step.migrateValues(before), values);
}

/**
 * Make the tables of a store of an older version those of the version that is written, within a transaction.
 *
 * @param planned rows as the study that is continued says them
 */
export async function migrateTables(
  connection: DuckDBConnection,
  version: StoreVersion,
  planned: PlannedRows,
): Promise<void> {
  for (const step of migrationsFrom(version)) await step.migrateTables(connection, planned);
}

function tableOf(name: TableName) {
  const found = TABLES.find((table) => table.name === name);
  if (!found) throw new Error(`no table ${name}`);
  return found;
}
