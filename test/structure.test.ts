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
  cli: ['core', 'models', 'kernels', 'fault', 'sim', 'mitigation', 'campaign'],
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

test('only campaign/verify imports onnxruntime', () => {
  const importers = Object.keys(ALLOWED)
    .flatMap(importsOf)
    .filter(({ target }) => target.startsWith('onnxruntime'))
    .map(({ file }) => file);
  expect(importers.length).toBeGreaterThan(0);
  for (const file of importers) expect(file).toMatch(/^campaign[\\/]verify[\\/]/);
});
