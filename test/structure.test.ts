import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../core/index.js';

/** Each folder with those it may import from: the ones above it, and no sibling of the second row. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  models: ['core'],
  kernels: ['core'],
  fault: ['core'],
  sim: ['core', 'models', 'kernels', 'fault'],
  mitigation: ['core', 'models', 'kernels', 'fault', 'sim'],
  campaign: ['core', 'models', 'kernels', 'fault', 'sim', 'mitigation'],
  report: ['core', 'campaign'],
  cli: ['core', 'models', 'kernels', 'fault', 'sim', 'mitigation', 'campaign', 'report'],
  testing: ['core', 'models', 'kernels', 'fault', 'sim', 'mitigation', 'campaign'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

function importsOf(folder: string): Import[] {
  return sourceFiles(join(packageRoot(), folder)).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      ([, target]) => ({ file: relative(packageRoot(), file), target }),
    ),
  );
}

/** What `import type` and `export type` take leaves no trace in the compiled file. */
function typeOnly({ file, target }: Import): boolean {
  const text = readFileSync(join(packageRoot(), file), 'utf8');
  const statement = new RegExp(`\\b(import|export)\\b([^;]*?)from '${target}'`).exec(text);
  return statement?.[2].trimStart().startsWith('type ') ?? false;
}

/** `folder/rest` of a relative import, from the package's root. */
function resolved({ file, target }: Import): string {
  return relative(packageRoot(), join(packageRoot(), dirname(file), target));
}

for (const [folder, allowed] of Object.entries(ALLOWED)) {
  const relativeImports = importsOf(folder).filter(({ target }) => target.startsWith('.'));

  test(`${folder}/ imports only from folders above it, through their face`, () => {
    const crossing = relativeImports.filter((found) => resolved(found).split(sep)[0] !== folder);
    const wrong = crossing.filter((found) => {
      const [other] = resolved(found).split(sep);
      const face = [`${other}${sep}index.js`, join('campaign', 'verify', 'index.js')];
      return !allowed.includes(other) || !face.includes(resolved(found));
    });
    expect(wrong).toEqual([]);
  });
}

test('report/ sees types only of the results', () => {
  const results = importsOf('report').filter(({ target }) => target.startsWith('../campaign'));
  expect(results.length).toBeGreaterThan(0);
  expect(results.filter((found) => !typeOnly(found))).toEqual([]);
});

test('only campaign/verify imports onnxruntime', () => {
  const importers = Object.keys(ALLOWED)
    .flatMap(importsOf)
    .filter(({ target }) => target.startsWith('onnxruntime'))
    .map(({ file }) => file);
  expect(importers.length).toBeGreaterThan(0);
  for (const file of importers) expect(file).toMatch(/^campaign[\\/]verify[\\/]/);
});

/** Beside the files of core/: a file that is locked, a copy in a folder of its own, standard output. */
const OTHER_WRITERS = ['core/file-lock.ts', 'campaign/store/salvage.ts', 'cli/output.ts'];

test('files of our own are written by core/ alone', () => {
  const writing =
    /\b(?:writeFile|appendFile|createWriteStream|rename|copyFile|truncate)(?:Sync)?\b/;
  const files = Object.keys(ALLOWED).flatMap((folder) => sourceFiles(join(packageRoot(), folder)));
  const writers = files
    .filter((file) => writing.test(readFileSync(file, 'utf8')))
    .map((file) => relative(packageRoot(), file));
  const expected = ['core/file-system.ts', 'core/write-files.ts', ...OTHER_WRITERS];
  expect(writers.sort()).toEqual(expected.sort());
});
