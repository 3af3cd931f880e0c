import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { storedContent } from '../campaign/stored-content.js';
import { bitcell, bitcellJson, newFolder, signalOnce } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const { int8: model, thresholds } = writeTinyNetwork(newFolder());
const network = ['--model', model, '--format', 'int8', '--thresholds', thresholds];

describe('a signal saves what runs, and --resume completes to the same results', () => {
  const images = ['--images', '200', '--maps', '10', '--threads', '1'];
  const run = ['run', ...network, '--rates', '1e-3', '--mitigations', 'none', ...images];
  const sweep = ['sweep', ...network, '--rates', '0.05', '--points', '2', ...images];

  test('run: SIGTERM', async () => {
    const [whole, stopped] = [join(newFolder(), 'whole'), join(newFolder(), "it's stopped")];
    const ended = await bitcell([...run, '--quiet', '--out', stopped], {
      onStart: (child) => signalOnce(child, join(stopped, 'study.duckdb'), 'SIGTERM'),
    });
    const quoted = `'${stopped.replace("'", "'\\''")}'`;
    expect(ended).toEqual({
      status: 143,
      stdout: '',
      stderr: `\nfinishing the running trials; a second signal stops at once\nterminated: continue with --out ${quoted} --resume\n`,
    });
    await Promise.all([
      bitcellJson([...run, '--out', stopped, '--resume']),
      bitcellJson([...run, '--out', whole]),
    ]);
    const [resumed, uninterrupted] = await Promise.all([stopped, whole].map(storedContent));
    expect(resumed).toEqual(uninterrupted);
  });

  test('sweep: SIGHUP', async () => {
    const out = join(newFolder(), 'search');
    const ended = await bitcell([...sweep, '--quiet', '--out', out], {
      onStart: (child) => signalOnce(child, join(out, 'tuning.json'), 'SIGHUP'),
    });
    expect(ended).toEqual({
      status: 129,
      stdout: '',
      stderr: `\nfinishing the running maps; a second signal stops at once\nhung up: continue with --out ${out} --resume\n`,
    });
    const [resumed, uninterrupted] = await Promise.all([
      bitcellJson([...sweep, '--out', out, '--resume']),
      bitcellJson(sweep),
    ]);
    expect(resumed.layers).toEqual(uninterrupted.layers);
  });
});

test('the second signal ends a command at once, with its own status', async () => {
  const out = join(newFolder(), 'results');
  const long = ['--rates', '0', '--mitigations', 'none', '--images', '10000', '--maps', '1'];
  const { status } = await bitcell(['run', ...network, ...long, '--quiet', '--out', out], {
    onStart(child) {
      signalOnce(child, join(out, 'study.duckdb'), 'SIGHUP');
      child.stderr?.once('data', () => child.kill('SIGTERM'));
    },
  });
  expect(status).toBe(143);
  expect((await storedContent(out)).trials).toEqual([]);
});
