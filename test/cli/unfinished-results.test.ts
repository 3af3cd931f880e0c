import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openResults, type ResultRows, salvageRows } from '../../campaign/index.js';
import { packageRoot } from '../../core/index.js';
import { makeStore, OPTIONS } from '../campaign/store/small-study.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const files = writeTinyNetwork(newFolder());

/** Run a command line as a shell does. */
function inShell(command: string): number | null {
  const main = join(packageRoot(), 'dist', 'cli', 'main.js');
  const program = `bitcell() { '${process.execPath}' '${main}' "$@"; }\n${command}`;
  return spawnSync('bash', ['-c', program], { stdio: 'ignore' }).status;
}

test('results of a killed study say what is missing, and their command finishes it', async () => {
  const out = join(newFolder(), "it's $here");
  await bitcell(
    [
      ...['run', '--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'],
      ...['--rates', '1e-4,1e-3', '--maps', '40', '--images', '100', '--threads', '1'],
      ...['--out', out],
    ],
    {
      onStart(child) {
        const timer = setInterval(() => {
          if (!existsSync(join(out, 'study.duckdb'))) return;
          clearInterval(timer);
          child.kill('SIGKILL');
        }, 2);
        child.on('close', () => clearInterval(timer));
      },
    },
  );
  const { complete, missing, continue: command } = await bitcellJson(['results', out]);
  expect(complete).toBe(false);
  // Killed when the store was made: both rates and both mitigations have few maps or none.
  expect(missing).toHaveLength(4);
  for (const point of missing as { maps: object }[]) {
    expect(point.maps).toEqual({ saved: expect.any(Number), planned: 40 });
  }
  const text = await bitcell(['results', out]);
  expect(text.status).toBe(0);
  expect(text.stdout).toContain('The study is not finished: 0 of 4 points are complete.');
  expect(text.stdout).toMatch(/^int8 +1e-3 +clip +\d+ of 40$/m);
  expect(text.stdout).toContain(`Continue with: ${command}\n`);
  expect(command).toContain(`--maps 40 --images 100 --thresholds ${files.thresholds} --out `);
  expect(inShell(String(command))).toBe(0);
  const finished = await bitcellJson(['results', out]);
  expect(finished.complete).toBe(true);
  expect(finished).not.toHaveProperty('missing');
  expect(finished.points).toHaveLength(4);
}, 120_000);

test('results of a study without any trial name all its points', async () => {
  const out = join(newFolder(), 'results');
  await makeStore(out, 0);
  const { complete, points, missing } = await bitcellJson(['results', out]);
  expect({ complete, points }).toEqual({ complete: false, points: [] });
  expect(missing).toEqual(
    ['none', 'clip'].map((mitigation) => ({
      ...{ model: 'alexnet', format: 'int8', accelerator: 'edge-16x16', faultModel: 'flip' },
      ...{
        storage: 'weights',
        scope: 'all',
        mitigation,
        rate: 1e-3,
        maps: { saved: 0, planned: 8 },
      },
    })),
  );
});

test('a study that options cannot say leaves its file to be named', async () => {
  const out = join(newFolder(), 'results');
  const faults = [{ model: 'rows', faults: 'stuck-at-0' }];
  await makeStore(out, 0, { configuration: { ...OPTIONS.configuration, faults } });
  const { continue: command } = await bitcellJson(['results', out]);
  expect(command).toBe(`bitcell run STUDY.yaml --out ${out} --resume`);
});

test('a wrong byte in any block is told or changes nothing, and the rest is salvaged', async () => {
  const out = join(newFolder(), 'results');
  const file = join(out, 'study.duckdb');
  await makeStore(out, 3);
  const whole = readFileSync(file);
  const trials = await trialsOf(out);
  const salvaged = { all: 0, none: 0 };
  let readable: Buffer | undefined;
  for (let block = 0; 12_288 + block * 262_144 < whole.length; block += 1) {
    const bytes = Buffer.from(whole);
    bytes[12_288 + block * 262_144 + 100] ^= 255;
    writeFileSync(file, bytes);
    const found = await trialsOf(out).catch((error: Error) => error);
    if (!(found instanceof Error)) {
      expect(found).toEqual(trials);
      continue;
    }
    expect(found.message).toContain(`${file} is damaged: `);
    try {
      const { rows, lost } = await salvageRows(out, 'trial');
      expect({ rows, lost }).toEqual({ rows: trials, lost: [] });
      salvaged.all += 1;
      readable ??= bytes;
    } catch (error) {
      expect((error as Error).message).toContain(`nothing can be read of ${file}: `);
      salvaged.none += 1;
    }
  }
  expect(salvaged.all).toBeGreaterThan(1);
  expect(salvaged.none).toBeGreaterThan(1);

  writeFileSync(file, readable ?? whole);
  expect(await refusal(['results', out, '--csv'])).toContain(`"bitcell results ${out} --salvage"`);
  const { status, stdout, stderr } = await bitcell(['results', out, '--salvage']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: 'nothing is lost\n' });
  expect(stdout.split('\n')[1]).toMatch(/^0,alexnet,int8,/);
}, 120_000);

async function trialsOf(folder: string): Promise<ResultRows['rows']> {
  const stored = await openResults(folder);
  try {
    return (await stored.rows('trial', {})).rows;
  } finally {
    stored.close();
  }
}
