import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';

const MINUTES = 60_000;
const BENCH = join(packageRoot(), 'bench');

/** The quick forms; those that are not here need no more than the flag. */
const ARGUMENTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'kernels.mjs': [['vgg16', 'mobilenetv2']],
  'onnxruntime.mjs': [['vgg16', '--threads', '2', '--batches', '1', '--formats', 'int8', '--json']],
  'streaming.mjs': [['--markdown']],
  'studies.mjs': [
    ['single'],
    ['precision', '--format', 'int8', '--threads', '1'],
    ['onnxruntime', '--mitigations', 'clip', '--threads', '1'],
    ['prefixes'],
  ],
  'threads.mjs': [['--threads', '2']],
};

const runs = readdirSync(BENCH)
  .filter((name) => name.endsWith('.mjs') && name !== 'measure.mjs')
  .flatMap((name) => (ARGUMENTS[name] ?? [[]]).map((args) => [name, ...args, '--quick'] as const));

test.each(runs.map((run) => ({ run, name: run.join(' ') })))(
  'node bench/$name prints finite figures alone',
  async ({ run: [name, ...args] }) => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(BENCH, name), ...args]);
    expect(stdout).toMatch(/\d/);
    expect(stdout).not.toMatch(/\b(?:NaN|Infinity|undefined)\b|\[object /);
  },
  5 * MINUTES,
);

test('benchmarks import faces of the package, as users do', () => {
  const files = readdirSync(BENCH, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.mjs'))) {
    const imports = readFileSync(join(BENCH, file), 'utf8').matchAll(/(?:from|import\() ?'(.+?)'/g);
    for (const [, target] of imports) expect(target, file).not.toMatch(/^\.\.\/.*\bdist\b/);
  }
});

const { measurement, requireFigures } = await import(join(BENCH, 'measure.mjs'));
const figures = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });

property.prop([figures])('a measurement has a median among its samples', (samples) => {
  const { median } = measurement('time', 's', samples);
  expect(samples).toContain(median);
  const above = samples.filter((sample) => sample > median).length;
  const below = samples.filter((sample) => sample < median).length;
  expect(Math.max(above, below)).toBeLessThanOrEqual(samples.length / 2);
});

property.prop([
  figures,
  figures,
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined),
])('a figure that is missing or not finite is refused, however deep', (before, after, wrong) => {
  const samples = [...before, wrong, ...after];
  expect(() => measurement('time', 's', samples)).toThrow(
    `time.samples.${before.length} is ${wrong}, not a figure`,
  );
  expect(() => requireFigures({ points: [{ samples }] })).toThrow('result.points.0.samples');
});
