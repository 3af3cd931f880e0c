import { InputError, parseJson } from '../../core/index.js';
import { pilotMap } from '../points/pilot.js';
import { dieLooks } from '../statistics/index.js';
import { POINT_COLUMNS, type PointKey } from '../study/columns.js';
import type { Database } from './duckdb/database.js';
import { damaged } from './duckdb/errors.js';
import { hasOwnTable, hasTable, requireOwnObjects, requireTablesAlone } from './duckdb/objects.js';
import {
  checkRecords,
  keyOfRecord,
  namedValueSchema,
  type PlanRecord,
  type PointRecord,
  planRecordSchema,
  pointRecordSchema,
  trialGroupSchema,
  versionsSchema,
} from './records.js';
import type { TableDefinition } from './tables.js';
import {
  migratedValues,
  presentRows,
  requiredTables,
  STORE_VERSION,
  STORE_VERSIONS,
  type StoreVersion,
  tablesOf,
} from './versions/index.js';

/** What ran a study, each once. */
export interface KnownVersions {
  /** Checksums of code. */
  readonly code: readonly string[];
  /** What computed its networks' islands; undefined: they have none. */
  readonly islands?: readonly string[];
}

/** What a store says about its study, checked; the trials themselves are not read. */
export interface StoreContents {
  /** The version of its tables. */
  readonly version: StoreVersion;
  /** The rows of `configuration`, by name, as the present version has them. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The rows of `version`, by name; but for the version of the tables as the present version has them. */
  readonly versions: Readonly<Record<string, unknown>> & KnownVersions;
  /** The points that have a trial, in the order of conditions. */
  readonly points: readonly PointRecord[];
  /** The points of the study; undefined in a store that does not say it. */
  readonly plan: readonly PlanRecord[] | undefined;
}

/** The longest texts that are read at all, in bytes. */
const LONGEST_ROW_TEXT = 2 ** 16;
const LONGEST_CONFIGURATION = 2 ** 26;

/** The most images of a study. */
const MOST_DIE_IMAGES = 10_000;

/**
 * Read and check what a store says about its study: that it holds the tables that Bitcell makes and nothing else, that
 * each value can be one, and that trials, points, plan and configuration agree: of each point the maps 0, 1, … once,
 * with the same seed and images, as many as the point counts. The logs of two studies mixed do not agree.
 *
 * @throws InputError naming the file and what is wrong
 */
export async function readContents(database: Database): Promise<StoreContents> {
  const version = await readStoreVersion(database);
  const expected = version ?? STORE_VERSION;
  await requireOwnObjects(database, tablesOf(expected), requiredTables(expected));
  if (version === undefined) {
    throw damaged(database.file, 'it does not say the version of its tables');
  }
  await requireShortTexts(database, tablesOf(version));
  const { configuration, versions } = migratedValues(version, {
    versions: await readNamedValues(database, 'version'),
    configuration: await readNamedValues(database, 'configuration'),
  });
  const [known] = checkRecords(versionsSchema, [versions], {
    file: database.file,
    table: 'version',
  });
  const points = checkRecords(
    pointRecordSchema,
    await rowsOf(database, `${presentRows(version, 'point')} ORDER BY "condition", mitigation`),
    { file: database.file, table: 'point' },
  );
  const plan = await readPlan(database, version);
  const contents = { version, configuration, versions: { ...versions, ...known }, points, plan };
  await requireAgreement(database, contents);
  return contents;
}

async function rowsOf(database: Database, query: string): Promise<readonly object[]> {
  return (await database.read(query)).objects;
}

/** A text of any length would be held in memory several times before its length could be judged. */
async function requireShortTexts(
  database: Database,
  tables: readonly TableDefinition[],
): Promise<void> {
  const { file } = database;
  for (const { name: table, columns } of tables) {
    if (!(await hasTable(database, table))) continue;
    const names = Array.from(columns.matchAll(/(\w+) VARCHAR/g), ([, name]) => name);
    const lengths = names.map((name) => `max(strlen(${name}))::DOUBLE AS ${name}`);
    const [longest] = await rowsOf(database, `SELECT ${lengths.join(', ')} FROM ${table}`);
    for (const [name, length] of Object.entries(longest)) {
      const most = name === 'value' ? LONGEST_CONFIGURATION : LONGEST_ROW_TEXT;
      if (length !== null && length > most) {
        throw new InputError(
          `${file} is not as Bitcell writes a study: table ${table}: ${name} holds a text of ${length} bytes, more than ${most}; use a copy of the study that is untouched`,
        );
      }
    }
  }
}

async function readNamedValues(
  database: Database,
  table: 'configuration' | 'version',
): Promise<Record<string, unknown>> {
  const rows = await rowsOf(database, `SELECT name, value FROM ${table} ORDER BY rowid`);
  const records = checkRecords(namedValueSchema, rows, { file: database.file, table });
  return Object.fromEntries(
    records.map(({ name, value }) => [
      name,
      parseJson(value, `${database.file}, table ${table}, ${name}`),
    ]),
  );
}

/**
 * The version of a store's tables, before anything else in it is judged: a newer one may have other tables.
 *
 * @returns undefined when it does not say it
 * @throws InputError when it is not one that is read
 */
async function readStoreVersion(database: Database): Promise<StoreVersion | undefined> {
  await requireTablesAlone(database);
  const table = tablesOf(STORE_VERSION).find(({ name }) => name === 'version');
  if (!table || !(await hasOwnTable(database, table))) return undefined;
  const query = "SELECT left(value, 20) AS value FROM version WHERE name = 'store'";
  const [row] = (await database.read(query)).objects;
  if (!/^\d+$/.test(String(row?.value))) return undefined;
  const version = Number(row.value);
  const known = STORE_VERSIONS.find((one) => one === version);
  if (known !== undefined) return known;
  const isNewer = version > STORE_VERSION;
  throw new InputError(
    `${database.file} has tables of version ${version}, this Bitcell reads versions ${STORE_VERSIONS[0]} to ${STORE_VERSION}: use the ${isNewer ? 'newer' : 'older'} Bitcell that wrote it, or choose another folder`,
  );
}

async function readPlan(
  database: Database,
  version: StoreVersion,
): Promise<PlanRecord[] | undefined> {
  if (!(await hasTable(database, 'plan'))) return undefined;
  const rows = await rowsOf(
    database,
    `${presentRows(version, 'plan')} ORDER BY "condition", rowid`,
  );
  return checkRecords(planRecordSchema, rows, { file: database.file, table: 'plan' });
}

/**
 * The trials of each point, and apart from them those of pilots, as far as they say the same.
 *
 * @param allowed images that a trial may have; undefined: any
 */
function trialGroups(version: StoreVersion, allowed: readonly number[] | undefined): string {
  const others = allowed ? `count(*) FILTER (images NOT IN (${allowed.join(', ')}))` : '0';
  return `
  SELECT "condition", ${POINT_COLUMNS.map(({ name }) => name).join(', ')}, pilot, seed,
    max(images) AS images, min(images) AS fewest_images, (${others})::INTEGER AS other_images,
    count(*)::INTEGER AS trials, count(DISTINCT map)::INTEGER AS maps, min(map) AS "first", max(map) AS "last"
  FROM (${presentRows(version, 'trial')}) GROUP BY ALL ORDER BY "condition", mitigation, pilot`;
}

/** The images that the trials of a study may have; undefined: a pilot chooses them. */
function allowedImages({ images, dies }: StoreContents['configuration']): number[] | undefined {
  if (typeof images !== 'number') return undefined;
  return canStop(dies) && Number.isInteger(images) && images > 0 && images <= MOST_DIE_IMAGES
    ? dieLooks(images).map((look) => look.images)
    : [images];
}

/** Whether dies of a saved study may end before all of their images. */
function canStop(dies: unknown): boolean {
  return typeof dies === 'object' && dies !== null && !('stop' in dies && dies.stop === 'never');
}

async function requireAgreement(
  database: Database,
  { version, configuration, points, plan }: StoreContents,
): Promise<void> {
  const { file } = database;
  const allowed = allowedImages(configuration);
  const rows = await rowsOf(database, trialGroups(version, allowed));
  const groups = checkRecords(trialGroupSchema, rows, { file, table: 'trial' });
  const disagree = (where: { condition: number; mitigation: string }, what: string) =>
    new InputError(
      `${file} contradicts itself: ${what} (condition ${where.condition}, mitigation ${where.mitigation}); it is damaged, or the log of another study was beside it: use a copy that is whole, or choose another folder`,
    );
  const identify = (row: { condition: number; mitigation: string }) =>
    `${row.condition} ${row.mitigation}`;
  const planned = plan && new Map(plan.map((row) => [identify(row), row]));
  if (planned && planned.size !== plan.length) throw damaged(file, 'its plan holds a point twice');
  const counted = new Map<string, (typeof groups)[number]>();
  const { seed } = configuration;
  const mitigations = storedMitigationNames(configuration);
  for (const group of groups) {
    const { pilot, trials, maps, first, last } = group;
    const start = pilot ? pilotMap(0) : 0;
    if (first !== start || maps !== trials || last - first + 1 !== trials) {
      throw disagree(group, 'its fault maps are not there once each');
    }
    if (Number(group.seed) !== seed)
      throw disagree(group, 'trials have another seed than the study');
    if (!pilot && group.other_images > 0) {
      throw disagree(group, 'trials have other images than the study');
    }
    const isOne = group.images === group.fewest_images || canStop(configuration.dies);
    const id = `${identify(group)} ${pilot}`;
    if (counted.has(id) || !isOne)
      throw disagree(group, 'trials of one point differ in what they are of');
    counted.set(id, group);
  }
  for (const row of [...groups, ...points]) {
    if (!mitigations.includes(row.mitigation)) {
      throw disagree(row, 'its mitigation is not one of the study');
    }
    const expected = planned?.get(identify(row));
    if (planned && !(expected && sameKey(expected, row))) {
      throw disagree(row, 'it is no point of the plan');
    }
  }
  for (const point of points) {
    const group = counted.get(`${identify(point)} false`);
    const most = planned?.get(identify(point))?.maps ?? Number.POSITIVE_INFINITY;
    if (group?.trials !== point.maps || group.images !== point.images || !sameKey(group, point)) {
      throw disagree(point, 'the point does not count the trials that are there');
    }
    if (point.maps > most) throw disagree(point, 'it has more maps than the study asks for');
  }
  const measured = groups.filter(({ pilot }) => !pilot).length;
  if (measured !== points.length) {
    const ids = new Set(points.map(identify));
    const lonely = groups.find((group) => !group.pilot && !ids.has(identify(group)));
    if (lonely) throw disagree(lonely, 'trials have no point');
  }
}

/** The names of a saved study's mitigations, in its order: each is its words, or has a name. */
export function storedMitigationNames({
  mitigations,
}: Readonly<Record<string, unknown>>): readonly string[] {
  if (!Array.isArray(mitigations)) return [];
  return mitigations.map((mitigation: unknown) =>
    String(
      typeof mitigation === 'object' && mitigation !== null && 'name' in mitigation
        ? mitigation.name
        : mitigation,
    ),
  );
}

function sameKey(one: KeyRecord, other: KeyRecord): boolean {
  const [a, b] = [keyOfRecord(one), keyOfRecord(other)];
  return (Object.keys({ ...a, ...b }) as (keyof PointKey)[]).every((name) => a[name] === b[name]);
}

type KeyRecord = Parameters<typeof keyOfRecord>[0];
