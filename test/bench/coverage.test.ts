import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';

function coverage(...args: readonly string[]) {
  return promisify(execFile)(process.execPath, [
    join(packageRoot(), 'bench/coverage.mjs'),
    ...args,
  ]);
}

interface Row {
  readonly method: string;
  readonly coverage: number;
  readonly maps: number;
}

interface PilotRow extends Row {
  readonly mapCost: number;
  readonly images: number;
  readonly imageRuns: number;
}

interface Result {
  readonly fixed: readonly Row[];
  readonly precision: readonly Row[];
  readonly pilots: readonly PilotRow[];
  readonly crossed: readonly Row[];
}

test('bench/coverage.mjs counts what maps and images cost, and its intervals cover', async () => {
  // As JSON a figure that is not finite is null.
  const result = JSON.parse((await coverage('--repetitions', '3', '--json')).stdout) as Result;
  const rows = [...result.fixed, ...result.precision, ...result.pilots, ...result.crossed];
  for (const row of rows) {
    expect(row.coverage).toBeGreaterThanOrEqual(0);
    expect(row.maps).toBeGreaterThan(1);
  }
  const honest = result.precision.filter(({ method }) => method === 'precisionRule');
  const covered = honest.reduce((sum, row) => sum + row.coverage, 0) / honest.length;
  expect(covered).toBeGreaterThan(0.8);

  expect(result.pilots).toHaveLength(30);
  for (const { method, mapCost, maps, images, imageRuns } of result.pilots) {
    expect(images).toBeGreaterThanOrEqual(5);
    expect(images).toBeLessThanOrEqual(500);
    // 25 images in two batches, of 1.3 images more each, with and without faults.
    const ofFixed = maps * (mapCost + 2 * (25 + 2 * 1.3));
    if (method === 'fixed') expect(imageRuns / ofFixed).toBeCloseTo(1, 9);
    // At least five images, and a pilot of 250.
    else expect(imageRuns).toBeGreaterThan(maps * (mapCost + 2 * (5 + 1.3)) + 2 * 250);
  }
});

test.each([
  [['--repetitions', '0'], '--repetitions 0: expected a whole number, at least 1'],
  [['--repetitions', '1e3'], '--repetitions 1e3: expected a whole number'],
  [['--seed', '-1'], '--seed'],
])('bench/coverage.mjs refuses %j', async (args, message) => {
  await expect(coverage(...args)).rejects.toThrow(message);
});
