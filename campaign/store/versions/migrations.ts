import type { DuckDBConnection } from '@duckdb/node-api';
import { append } from '../duckdb/append.js';
import {
  type CellValue,
  columnNames,
  TABLES,
  type TableDefinition,
  type TableName,
} from '../tables.js';
import { TABLES_7 } from './tables-7.js';

/** Versions of the tables that are read, ascending; the last one is written. */
export const STORE_VERSIONS = [3, 4, 5, 6, 7, 8] as const;

export type StoreVersion = (typeof STORE_VERSIONS)[number];

export const STORE_VERSION = 8 satisfies StoreVersion;

/** The rows of the tables `configuration` and `version`, by name. */
export interface NamedValues {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, unknown>>;
}

/** What leads from one version of the tables to the next. */
export interface Migration {
  /** Tables that a store of this version may lack. */
  readonly optionalTables: readonly TableName[];
  /** Tables of this version, and of those before it, that the next one has with other columns. */
  readonly formerTables?: readonly TableDefinition[];
  /** What rows of those tables say in columns that the next version adds: an SQL expression by the column's name. */
  readonly newColumns?: Readonly<Record<string, string>>;
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

/** Nothing but weights was broken in stores of before. */
const NEW_IN_8 = { storage: "'weights'" };

/** One for each version that is read but not written. */
export const MIGRATIONS: Readonly<Record<Exclude<StoreVersion, typeof STORE_VERSION>, Migration>> =
  {
    3: {
      // The first stores of this version were made without a plan.
      optionalTables: ['plan'],
      migrateValues: codeAmongVersions,
      async migrateTables(connection) {
        await connection.run(`CREATE TABLE IF NOT EXISTS plan (${tableOf(4, 'plan').columns})`);
      },
    },
    4: {
      // What spare lines made of its maps is not known of the trials that are there.
      optionalTables: ['repair', 'remark'],
      migrateValues: (values) => values,
      async migrateTables(connection, { remark }) {
        for (const name of ['repair', 'remark'] as const) {
          await connection.run(`CREATE TABLE IF NOT EXISTS ${name} (${tableOf(5, name).columns})`);
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
        await connection.run(`CREATE TABLE IF NOT EXISTS die (${tableOf(6, 'die').columns})`);
      },
    },
    6: {
      optionalTables: [],
      migrateValues: diesThatRunAllImages,
      async migrateTables() {},
    },
    7: {
      optionalTables: [],
      formerTables: TABLES_7,
      newColumns: NEW_IN_8,
      migrateValues: ({ configuration, versions }) => ({
        configuration: { storages: ['weights'], ...configuration },
        versions,
      }),
      async migrateTables(connection) {
        for (const { name } of TABLES_7) {
          const former = `former_${name}`;
          await connection.run(`ALTER TABLE ${name} RENAME TO ${former}`);
          await connection.run(`CREATE TABLE ${name} (${tableOf(8, name).columns})`);
          await connection.run(
            `INSERT INTO ${name} BY NAME SELECT *, ${NEW_IN_8.storage} AS storage FROM ${former} ORDER BY rowid`,
          );
          await connection.run(`DROP TABLE ${former}`);
        }
      },
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

/** The tables as a store of a version has them. */
export function tablesOf(version: StoreVersion): readonly TableDefinition[] {
  const former = migrationsFrom(version)
    .toReversed()
    .flatMap((step) => step.formerTables ?? []);
  return TABLES.map((table) => former.findLast(({ name }) => name === table.name) ?? table);
}

function tableOf(version: StoreVersion, wanted: TableName): TableDefinition {
  const found = tablesOf(version).find(({ name }) => name === wanted);
  if (!found) throw new Error(`no table ${wanted}`);
  return found;
}

/** A query of all rows of a table, as the present version has them, for a store of a version. */
export function presentRows(version: StoreVersion, table: TableName): string {
  const there = columnNames(tableOf(version, table));
  const added = Object.assign({}, ...migrationsFrom(version).map((step) => step.newColumns));
  const columns = columnNames(tableOf(STORE_VERSION, table)).map((name) =>
    there.includes(name) ? `"${name}"` : `${added[name]} AS "${name}"`,
  );
  return `SELECT ${columns.join(', ')} FROM ${table}`;
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
  // Here, where the table has the columns that these rows have.
  const [[rows]] = (await connection.runAndReadAll('SELECT count(*) FROM plan')).getRows();
  if (rows === 0n) await append(connection, 'plan', planned.plan);
}
