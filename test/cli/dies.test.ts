import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { bitcell, newFolder } from './command.js';

const MINUTES = 60_000;
const VERSIONS = join(packageRoot(), 'test', 'campaign', 'store', 'versions');

const folder = newFolder();
for (const name of ['tiny.onnx', 'thresholds.json', 'small.yaml']) {
  copyFileSync(join(VERSIONS, name), join(folder, name));
}
writeFileSync(
  join(folder, 'lot.csv'),
  [
    'die,lot,voltage,bank,row,column,kind',
    'A,L1,0.6,,,,',
    'B,L1,0.6,0,1,6,flip',
    ...Array.from({ length: 40 }, (_, bit) => `C,L1,0.6,0,${bit % 16},${bit},flip`),
    '',
  ].join('\n'),
);
const study = [
  ...['--model', 'tiny.onnx', '--thresholds', 'thresholds.json', '--format', 'int8'],
  ...['--accelerator', 'small.yaml', '--placement', 'streamed', '--mitigations', 'none'],
  ...['--images', '500', '--fault-maps', 'lot.csv'],
];

function run(...args: string[]) {
  return bitcell(['run', ...study, ...args], { cwd: folder });
}

test(
  'dies end when they are settled, which run and results tell',
  async () => {
    const { stdout, stderr, status } = await run('--out', 'out', '--quiet');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/die +faults +mitigation +effective +images +accuracy/);
    expect(stdout).toMatch(/A +0 +none +0 +75 /);
    expect(stdout).toMatch(/images, 75 to \d+: a die ends when it is settled/);
    expect(stdout).toMatch(/1 to 3 fault maps × 75 to 500 test images a row/);

    const saved = await bitcell(['results', 'out'], { cwd: folder });
    expect(saved.stdout).toContain(
      stdout.slice(stdout.indexOf('\ndie '), stdout.indexOf('\ntiny')),
    );
    const rows = await bitcell(['results', 'out', '--table', 'die', '--csv'], { cwd: folder });
    const [head, ...lines] = rows.stdout.trim().split('\n');
    const images = head.split(',').indexOf('images');
    expect(lines.map((line) => Number(line.split(',')[images]))[0]).toBe(75);

    // The intervals of all looks hold together, so what was saved may be judged by another requirement.
    const strict = await bitcell(['results', 'out', '--within', '0.1', '--json'], { cwd: folder });
    const { dies } = JSON.parse(strict.stdout);
    expect(dies.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
      'pass',
      'undecided',
      'undecided',
    ]);
    const again = await run('--out', 'out', '--resume', '--quiet');
    expect(again.stdout.replace(/[\d.]+ m?s\.$/m, '')).toBe(stdout.replace(/[\d.]+ m?s\.$/m, ''));
    const other = await run('--out', 'out', '--resume', '--precision', '1');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('precision not given is now 1');
  },
  5 * MINUTES,
);

test(
  'a precision ends dies, and --stop never ends none',
  async () => {
    const [precise, whole] = await Promise.all([
      run('--precision', '1', '--json', '--quiet'),
      run('--stop', 'never', '--json', '--quiet'),
    ]);
    const imagesOf = ({ stdout }: { stdout: string }): number[] =>
      JSON.parse(stdout).dies.map(({ images }: { images: number }) => images);
    expect(imagesOf(precise)).toEqual([75, 500, 500]);
    expect(imagesOf(whole)).toEqual([500, 500, 500]);
    expect(JSON.parse(precise.stdout).points[0]).not.toHaveProperty('precisionReached');
    const plan = await run('--dry-run');
    expect(plan.stdout).toContain('at most about 2,000 image runs');
    const all = await run('--dry-run', '--stop', 'never');
    expect(all.stdout).toMatch(/trials, 2,000 image runs/);
  },
  5 * MINUTES,
);
