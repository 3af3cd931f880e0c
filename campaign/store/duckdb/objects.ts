import { InputError } from '../../../core/index.js';
import type { TableDefinition, TableName } from '../tables.js';
import type { Database } from './database.js';
import { damaged } from './errors.js';

/**
 * Everything in a file that somebody made and that is no table. Macros of a file stand before DuckDB's own functions,
 * so the functions asked here are named in full, and nothing else is called.
 */
const OTHER_OBJECTS = `
  SELECT 'view' AS kind, view_name AS name FROM system.main.duckdb_views() WHERE NOT internal
  UNION ALL SELECT 'macro', function_name FROM system.main.duckdb_functions() WHERE NOT internal
  UNION ALL SELECT 'type', type_name FROM system.main.duckdb_types() WHERE NOT internal
  UNION ALL SELECT 'schema', schema_name FROM system.main.duckdb_schemas() WHERE NOT internal
  UNION ALL SELECT 'sequence', sequence_name FROM system.main.duckdb_sequences()
  UNION ALL SELECT 'index', index_name FROM system.main.duckdb_indexes()`;

const TABLE_DEFINITIONS =
  'SELECT table_name, sql FROM system.main.duckdb_tables() WHERE NOT internal AND NOT temporary';

const EXPECTED_DEFINITIONS =
  'SELECT table_name, sql FROM system.main.duckdb_tables() WHERE temporary';

/** Stands before the name of a table that is made to compare with. */
const EXPECTED = 'expected_';

/**
 * Check that a file holds nothing but tables: what is in a table's place may give anything.
 *
 * @throws InputError naming the first thing that is none
 */
export async function requireTablesAlone(database: Database): Promise<void> {
  const [other] = (await database.read(OTHER_OBJECTS)).objects;
  if (!other) return;
  throw foreign(database.file, `a ${other.kind} ${quote(other.name)}, which Bitcell did not make`);
}

/**
 * Check that a file holds tables of a study exactly as they are defined, and nothing besides: a default or a generated
 * column computes anything.
 *
 * @param tables all that there may be
 * @param required the tables that must be there
 * @throws InputError naming the first thing that is not so
 */
export async function requireOwnObjects(
  database: Database,
  tables: readonly TableDefinition[],
  required: readonly TableName[],
): Promise<void> {
  const { file } = database;
  await requireTablesAlone(database);
  const expected = await expectedDefinitions(database, tables);
  const found = await definitions(database, TABLE_DEFINITIONS);
  for (const [name, definition] of found) {
    if (!expected.has(name)) {
      throw foreign(file, `a table ${quote(name)}, which Bitcell did not make`);
    }
    if (definition !== expected.get(name)) {
      throw foreign(
        file,
        `a table ${quote(name)} with other columns or constraints than Bitcell's`,
      );
    }
  }
  if (found.size === 0)
    throw new InputError(`${file} is not a study of Bitcell: choose another folder`);
  const missing = required.find((name) => !found.has(name));
  if (missing) throw damaged(file, `the table ${missing} is missing`);
}

/** Whether a file has a table exactly as it is defined. */
export async function hasOwnTable(database: Database, table: TableDefinition): Promise<boolean> {
  const definition = (await definitions(database, TABLE_DEFINITIONS)).get(table.name);
  if (definition === undefined) return false;
  return definition === (await expectedDefinitions(database, [table])).get(table.name);
}

/** Whether all tables of a file are exactly as they are defined. */
export async function haveDefinitions(
  database: Database,
  tables: readonly TableDefinition[],
): Promise<boolean> {
  const expected = await expectedDefinitions(database, tables);
  const found = await definitions(database, TABLE_DEFINITIONS);
  return [...found].every(([name, definition]) => definition === expected.get(name));
}

/** Whether a file has a table that not all versions of Bitcell made. */
export async function hasTable(database: Database, name: TableName): Promise<boolean> {
  return (await definitions(database, TABLE_DEFINITIONS)).has(name);
}

/** The definitions as this version of DuckDB writes them. */
async function expectedDefinitions(
  database: Database,
  tables: readonly TableDefinition[],
): Promise<Map<string, string>> {
  for (const { name, columns } of tables) {
    await database.read(`CREATE TEMP TABLE ${EXPECTED}${name} (${columns})`);
  }
  const expected = await definitions(database, EXPECTED_DEFINITIONS);
  for (const { name } of tables) await database.read(`DROP TABLE temp.${EXPECTED}${name}`);
  return new Map([...expected].map(([name, sql]) => [name.slice(EXPECTED.length), sql]));
}

/** What stands in the parentheses of each table's definition. */
async function definitions(database: Database, query: string): Promise<Map<string, string>> {
  const { objects } = await database.read(query);
  return new Map(
    objects.map(({ table_name: name, sql }) => [
      String(name),
      String(sql).slice(String(sql).indexOf('(')),
    ]),
  );
}

function foreign(file: string, what: string): InputError {
  return new InputError(
    `${file} is not as Bitcell writes a study: it holds ${what}; remove that with DuckDB, or use a copy of the study that is untouched`,
  );
}

function quote(name: unknown): string {
  return JSON.stringify(String(name).slice(0, 100));
}
