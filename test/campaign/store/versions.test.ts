import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  openResults,
  prepareStudy,
  type ResultRows,
  readStudyFile,
  runStudy,
  salvageRows,
} from '../../../campaign/index.js';
import { codeChecksum } from '../../../campaign/inputs/checksums.js';
import { STORE_VERSION, STORE_VERSIONS } from '../../../campaign/store/versions/index.js';
import { formatCsv } from '../../../cli/print/csv.js';
import { packageRoot } from '../../../core/index.js';

/**
 * Stores as each version made them of one study, whose files lie beside them: `whole` is finished, `stopped` is not.
 * `trials.csv` is what `bitcell results --table trial --csv` said of the first.
 */
const VERSIONS = join(packageRoot(), 'test', 'campaign', 'store', 'versions');
const OLDER = STORE_VERSIONS.filter((version) => version !== STORE_VERSION);

/** Checksums of the code that made the stores. */
const FIRST_CODE = {
  3: '1cc4b4ef058eec3030ebd0f4a24327a1c13d260c3d7b4606df66bcd1415f234b',
  4: '50a1243aab37241baff68780b443005141f403cbb6e6b906dd1783369e95a1ee',
  5: 'b3f3352a34d0a35e12772abfe968123fec452d8cd73c9dfa4c17ac662ea87b4f',
  6: 'bf7fd4b0aae50bd03fcc2a7c3bf1ac4217db10b193fc4a3b7998cc98a7cf80b0',
  7: 'de99d926de0518cf27e14ac0d624ac0ca486ba2e8c9e6ce8a2efcb1eed12fd67',
} as const;

const before = process.cwd();

// The stores name their network and thresholds as files of the working directory.
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
  const names = [
    'study.yaml',
    'dies.yaml',
    'dies.csv',
    'small.yaml',
    'tiny.onnx',
    'thresholds.json',
  ];
  for (const name of names) {
    copyFileSync(join(VERSIONS, name), join(folder, name));
  }
  process.chdir(folder);
});

afterAll(() => process.chdir(before));

function unpacked(version: number, name: 'whole' | 'stopped' | 'dies'): string {
  const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
  const packed = readFileSync(join(VERSIONS, String(version), `${name}.duckdb.gz`));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'study.duckdb'), gunzipSync(packed));
  return folder;
}

function withoutTimes({ columns, rows }: ResultRows): ResultRows {
  const seconds = columns.indexOf('seconds');
  return {
    columns: columns.toSpliced(seconds, 1),
    rows: rows.map((row) => row.toSpliced(seconds, 1)),
  };
}

/** The time of a trial is its last column. */
function linesWithoutTimes(csv: string): string[] {
  return csv.split('\n').map((line) => line.slice(0, line.lastIndexOf(',')));
}

async function readParquet(file: string): Promise<ResultRows> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${file}')`);
  const rows = { columns: reader.columnNames(), rows: reader.getRowsJson() as ResultRows['rows'] };
  connection.closeSync();
  instance.closeSync();
  return rows;
}

async function savedTrials(folder: string) {
  const stored = await openResults(folder);
  try {
    const { versions, remainder } = stored;
    return { rows: await stored.rows('trial', {}), versions, remainder };
  } finally {
    stored.close();
  }
}

test('there is a store of each older version, and only of those', () => {
  const folders = readdirSync(VERSIONS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => Number(name));
  expect(folders.sort()).toEqual(OLDER);
  expect(STORE_VERSIONS.every((version, at) => version === STORE_VERSIONS[0] + at)).toBe(true);
  expect(STORE_VERSIONS.at(-1)).toBe(STORE_VERSION);
});

describe.each(OLDER)('a store of version %i', (version) => {
  test('is read, and stays as it is', async () => {
    for (const [name, complete] of [
      ['whole', 8],
      ['stopped', 4],
    ] as const) {
      const folder = unpacked(version, name);
      const bytes = readFileSync(join(folder, 'study.duckdb'));
      const { rows, versions, remainder } = await savedTrials(folder);
      expect(versions.store).toBe(version);
      expect(remainder.points).toEqual({ complete, planned: 8 });
      expect(remainder.missing).toHaveLength(8 - complete);
      if (name === 'whole') {
        const expected = readFileSync(join(VERSIONS, 'trials.csv'), 'utf8');
        expect(linesWithoutTimes(formatCsv(rows))).toEqual(linesWithoutTimes(expected));
      }
      expect(readdirSync(folder)).toEqual(['study.duckdb']);
      expect(readFileSync(join(folder, 'study.duckdb')).equals(bytes)).toBe(true);
    }
  });

  test('is read as it was saved where rows are chosen, salvaged or written as Parquet', async () => {
    const folder = unpacked(version, 'whole');
    const expected = readFileSync(join(VERSIONS, 'trials.csv'), 'utf8');
    const salvaged = await salvageRows(folder, 'trial');
    expect(salvaged.lost).toEqual([]);
    expect(linesWithoutTimes(formatCsv(salvaged)).toSorted()).toEqual(
      linesWithoutTimes(expected).toSorted(),
    );
    const stored = await openResults(folder);
    const weights = { storage: ['weights'] };
    expect(stored.points(weights)).toHaveLength(8);
    expect(stored.points({ storage: ['multipliers'] })).toEqual([]);
    expect(new Set(stored.points({}).map(({ storage }) => storage))).toEqual(new Set(['weights']));
    expect(await stored.counts(weights)).toEqual(await stored.counts({}));
    expect(stored.configuration.storages).toEqual(['weights']);
    const file = join(folder, 'trials.parquet');
    await stored.writeParquet('trial', weights, file);
    stored.close();
    const rows = await readParquet(file);
    expect(linesWithoutTimes(formatCsv(rows))).toEqual(linesWithoutTimes(expected));
  });

  test('is continued as one of the present version, to the same trials', async () => {
    const out = unpacked(version, 'stopped');
    const prepared = prepareStudy(readStudyFile('study.yaml', {}));
    const { complete } = await runStudy(prepared, { threads: 1, out, resume: true });
    expect(complete).toBe(true);
    const { rows, versions, remainder } = await savedTrials(out);
    expect(versions.store).toBe(STORE_VERSION);
    expect(versions.code).toEqual([FIRST_CODE[version], codeChecksum()]);
    expect(remainder).toEqual({ points: { complete: 8, planned: 8 }, missing: [] });
    const whole = await savedTrials(unpacked(version, 'whole'));
    expect(withoutTimes(rows)).toEqual(withoutTimes(whole.rows));
  });
});

test('dies of version 7 are read, salvaged and continued as they are', async () => {
  const out = unpacked(7, 'dies');
  const stored = await openResults(out);
  const before = { dies: stored.dies({}), rows: await stored.rows('die', {}) };
  stored.close();
  expect(before.dies).toHaveLength(6);
  expect(await salvageRows(out, 'die')).toMatchObject({ lost: [], columns: before.rows.columns });
  const prepared = prepareStudy(readStudyFile('dies.yaml', {}));
  const again = await runStudy(prepared, { threads: 1, out, resume: true });
  expect(again.dies?.rows).toEqual(before.dies);
  const continued = await openResults(out);
  expect(await continued.rows('die', {})).toEqual(before.rows);
  continued.close();
});

test('dies of version 6 ran all of their images, and are continued so', async () => {
  const out = unpacked(6, 'dies');
  const stored = await openResults(out);
  const before = stored.dies({});
  expect(stored.configuration.dies).toEqual({ from: ['dies.csv'], stop: 'never' });
  expect(new Set(before.map(({ images }) => images))).toEqual(new Set([200]));
  stored.close();
  const settled = readStudyFile('dies.yaml', {});
  await expect(runStudy(prepareStudy(settled), { threads: 1, out, resume: true })).rejects.toThrow(
    'dies.stop "never" is now not given',
  );
  const dies = { from: 'dies.csv', stop: 'never' };
  const prepared = prepareStudy(readStudyFile('dies.yaml', { dies }));
  const again = await runStudy(prepared, { threads: 1, out, resume: true });
  expect(again.dies?.rows).toEqual(before);
  const alone = await runStudy(prepared, { threads: 1 });
  expect(alone.dies?.rows).toEqual(before);
});
