import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import {
  descramble,
  type FaultMap,
  faultMapOf,
  loadFaultMap,
  parseFaultModel,
  rateAtVoltage,
  readFaultMap,
  readFaultModel,
  readPermutation,
  writeFaultMap,
} from '../../fault/index.js';

const examples = join(packageRoot(), 'examples', 'fault-maps');
const example = (name: string) => join(examples, name);
const folder = mkdtempSync(join(tmpdir(), 'bitcell-examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The memory of make.sh. */
const geometry = { banks: 2, rows: 8, columns: 64 };
const columnMux = 4;

function expectSameFiles(names: string, map: FaultMap): void {
  const files = names.split(',');
  writeFaultMap(files.map((name) => join(folder, name)).join(','), map, { columnMux });
  for (const name of files) {
    expect(readFileSync(example(name)).equals(readFileSync(join(folder, name))), name).toBe(true);
  }
}

test('the example files are what make.sh makes', () => {
  const clusters = faultMapOf(readFaultModel(example('clusters.yaml')), geometry, 7, 0, 0.02);
  for (const name of ['clusters.json', 'clusters.bfm', 'clusters.csv']) {
    expectSameFiles(name, clusters);
  }
  expectSameFiles('clusters-stuck-at-0.csv,clusters-stuck-at-1.csv', clusters);
  const voltage = readFaultModel(example('voltage.yaml'));
  const rate = voltage.model === 'voltage' ? rateAtVoltage(voltage.table, 0.52) : 0;
  expectSameFiles('undervolted.hex', faultMapOf(voltage, geometry, 7, 0, rate));
  const flips = faultMapOf(parseFaultModel({ model: 'uniform' }, 'test'), geometry, 7, 0, 0.01);
  expectSameFiles('self-test.mbist', flips);
  const log = { ...flips, provenance: { source: 'file', file: 'self-test.mbist' } } as const;
  const permutation = readPermutation(example('permutation.yaml'));
  expectSameFiles('descrambled.json', descramble(log, permutation, columnMux));
});

test('the example files of a map hold the same faults', () => {
  const { cells, kinds } = readFaultMap(example('clusters.json'));
  const pair = ['clusters-stuck-at-0.csv', 'clusters-stuck-at-1.csv'].map(example).join(',');
  for (const file of [example('clusters.bfm'), example('clusters.csv'), pair]) {
    expect(loadFaultMap(file, geometry, { columnMux })).toMatchObject({ cells, kinds });
  }
});
