import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../core/index.js';
import { OPERATORS } from '../models/operators/index.js';

/** Each folder with those it may import from: the ones above it, and no sibling of the second row. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  workload: ['core'],
  kernels: ['core'],
  models: ['core', 'kernels'],
  fault: ['core'],
  sim: ['core', 'models', 'kernels', 'fault'],
  mitigation: ['core', 'models', 'kernels', 'fault', 'sim'],
  campaign: ['core', 'workload', 'models', 'kernels', 'fault', 'sim', 'mitigation'],
  report: ['core', 'workload', 'campaign'],
  cli: [
    'core',
    'workload',
    'models',
    'kernels',
    'fault',
    'sim',
    'mitigation',
    'campaign',
    'report',
  ],
  testing: ['core', 'workload', 'models', 'kernels', 'fault', 'sim', 'mitigation', 'campaign'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return /(?<!\.d)\.(?:ts|mjs)$/.test(path) ? [path] : [];
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

/** What tests import from behind a face, and why no face has it. */
const BEHIND_FACES = [
  // Types and constants of the values of a graph, most of which no network shows.
  'models/graph/graph.js',
  'models/graph/prepare/prepare.js',
  // A fast path, compared with its slow reference where both can be seen.
  'campaign/tune/kept-values.js',
  'campaign/tune/layer-runner.js',
  'campaign/tune/layer-variants.js',
  'campaign/tune/scored-runs.js',
  'fault/fault-list.js',
  'fault/generate/fault-order.js',
  // Which weights of an operator on the host an accelerator would hold: a rule that no face needs.
  'models/islands/held-weights.js',
  // The mathematics of a fast kernel: its transforms, the bound that it is proven by, the channels beyond which it gives way.
  'kernels/reference/winograd.js',
  'kernels/wasm/int8/bounds.js',
  'kernels/wasm/int8/plan.js',
  // From how many images on kernels in C choose another algorithm.
  'kernels/native/plan.js',
  // What is written for compiled kernels, compared with the classes by which they read it.
  'kernels/layouts.js',
  // The library of compiled kernels, called as no kernel calls it.
  'kernels/native/library.js',
  // The order that defines a float32 sum, in which tests add by themselves.
  'kernels/reference/window.js',
  // Exact moments and tails, compared with a count of all cases; the face has the p-value that is made of them.
  'fault/inspect/pair-moments.js',
  'fault/inspect/pairs.js',
  // An order of nodes, for any graph: models have few islands.
  'models/graph/prepare/prepare.js',
  'models/islands/extract.js',
  'models/islands/held-weights.js',
  'models/islands/schedule.js',
  // All operators that are read, to be compared with the table of a page.
  'models/operators/index.js',
  // A package that is not installed, or in another version.
  'sim/islands/binding.js',
  // Who runs which trial, in any order of answers: with threads, a test would not choose the order.
  'campaign/execute/collector.js',
  // The fault map of a trial, for the slow reference of a search.
  'campaign/study/fault-source.js',
  // What threads share is memory, which no result shows.
  'campaign/inputs/shared-network.js',
  // Blocks of a layer that no test has the time for as a whole.
  'mitigation/memory/channel-order/assign-channels.js',
  // The text of a column of the store, for any set of images.
  'campaign/trial/sample-set.js',
  // The transient faults of one image, whatever study they are drawn for.
  'campaign/trial/transient-faults.js',
  // A comparison with a file that is not the network's own: a difference, which the face must not be able to make.
  'campaign/verify/compare.js',
  'campaign/verify/file/given.js',
  // All of it is in campaign/index.js, which loads DuckDB and all the rest for arithmetic alone.
  'campaign/statistics/index.js',
  // The seam where writing is made to fail, and a file whose writing is.
  'core/file-system.js',
  'campaign/tune/state.js',
  // What stores are compared with: the checksum of the code that runs, and the statements of a migration.
  'campaign/inputs/checksums.js',
  'campaign/store/versions/index.js',
  // One trial with its context, and an error inside a thread, which no study can be made to have.
  'campaign/trial/trial-runner.js',
  'campaign/execute/threads.js',
  // cli/ has no face: texts that it reads and prints, without a process for each.
  'cli/input/environment.js',
  'cli/input/options.js',
  'cli/print/csv.js',
  'cli/print/price-table.js',
  'cli/print/progress.js',
  'cli/print/report-error.js',
];

test('tests, benchmarks and examples import faces, and what is listed', () => {
  const faces = [...Object.keys(ALLOWED), 'campaign/verify'].map((folder) => `${folder}/index.js`);
  const found = ['test', 'bench', 'examples']
    .flatMap(importsOf)
    .filter(({ target }) => target.startsWith('.'))
    .map((one) => ({ ...one, path: resolved(one).split(sep).join('/') }))
    .filter(({ path }) => path.split('/')[0] in ALLOWED || path.startsWith('dist/'));
  expect(found.length).toBeGreaterThan(400);
  const behind = found.filter(({ path }) => !faces.includes(path));
  expect(behind.filter(({ path }) => !BEHIND_FACES.includes(path))).toEqual([]);
  const used = new Set(behind.map(({ path }) => path));
  expect(BEHIND_FACES.filter((path) => !used.has(path))).toEqual([]);
});

test('report/ sees types only of the results', () => {
  const results = importsOf('report').filter(({ target }) => target.startsWith('../campaign'));
  expect(results.length).toBeGreaterThan(0);
  expect(results.filter((found) => !typeOnly(found))).toEqual([]);
});

test('only campaign/verify and sim/islands load onnxruntime', () => {
  const loaders = Object.keys(ALLOWED)
    .flatMap((folder) => sourceFiles(join(packageRoot(), folder)))
    .filter((file) => /'onnxruntime-/.test(readFileSync(file, 'utf8')))
    .map((file) => relative(packageRoot(), file).split(sep).slice(0, 2).join('/'));
  expect([...new Set(loaders)].sort()).toEqual(['campaign/verify', 'sim/islands']);
});

/** Beside the files of core/: a file that is locked, a copy in a folder of its own, standard output. */
const OTHER_WRITERS = ['core/file-lock.ts', 'campaign/store/salvage.ts', 'cli/print/output.ts'];

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

/** Files of a folder that ask for a kind of layer by its word. */
function askingForKinds(folder: string): string[] {
  const kinds = Object.keys(OPERATORS).join('|');
  const compared = new RegExp(`\\bkind\\s*[!=]==\\s*'(?:${kinds})'`);
  const inSwitch = new RegExp(`switch \\([^)]*\\bkind\\)[^}]*?case '(?:${kinds})'`);
  return sourceFiles(join(packageRoot(), folder))
    .filter((file) => {
      const text = readFileSync(file, 'utf8');
      return compared.test(text) || inSwitch.test(text);
    })
    .map((file) => relative(packageRoot(), file));
}

test('models/ alone knows kinds of layers by their words, so that an operator is one file and one line', () => {
  expect(askingForKinds('models')).toEqual(
    expect.arrayContaining(['models/network.ts', 'models/import/fusion.ts']),
  );
  const others = Object.keys(ALLOWED).filter((folder) => folder !== 'models');
  expect(others.filter((folder) => folder !== 'testing').flatMap(askingForKinds)).toEqual([]);
});

/** Files that import one another in circles, types included: each group of which every member leads to every other. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  // Tarjan's strongly connected components.
  const visit = (file: string) => {
    index.set(file, index.size);
    lowest.set(file, index.get(file)!);
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (path.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== index.get(file)) return;
    const group = path.splice(path.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return found;
}

test('circles are found', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['a']],
    ['c', ['d']],
    ['d', ['e']],
    ['e', ['c', 'f']],
    ['f', []],
  ]);
  expect(circles(graph)).toEqual([
    ['c', 'd', 'e'],
    ['a', 'b'],
  ]);
});

test('no files import one another in a circle, not even types', () => {
  const graph = new Map<string, string[]>();
  for (const folder of Object.keys(ALLOWED)) {
    for (const found of importsOf(folder)) {
      if (!found.target.startsWith('.')) continue;
      const target = resolved(found).replace(/\.js$/, '.ts');
      graph.set(found.file, [...(graph.get(found.file) ?? []), target]);
    }
  }
  expect(graph.size).toBeGreaterThan(300);
  expect(circles(graph)).toEqual([]);
});

/** Of each room of a folder (a sub-folder, or a file directly in it that is not its face) the rooms that it imports. */
function roomsOf(folder: string): Map<string, string[]> {
  const roomOf = (path: string) => path.split(sep)[1].replace(/\.[jt]s$/, '');
  const rooms = new Map<string, Set<string>>();
  for (const file of sourceFiles(join(packageRoot(), folder))) {
    rooms.set(roomOf(relative(packageRoot(), file)), new Set());
  }
  rooms.delete('index');
  for (const found of importsOf(folder)) {
    if (!found.target.startsWith('.') || !resolved(found).startsWith(folder + sep)) continue;
    const [from, to] = [roomOf(found.file), roomOf(resolved(found))];
    if (from !== to) rooms.get(from)?.add(to);
  }
  return new Map([...rooms].map(([room, imported]) => [room, [...imported]]));
}

/** What can be drawn on one page: the most rooms, and the most pairs of which one imports the other. */
const PAGES = [
  { folder: 'campaign', rooms: 14, arrows: 45 },
  { folder: 'sim', rooms: 13, arrows: 35 },
];

for (const folder of Object.keys(ALLOWED)) {
  test(`the rooms of ${folder}/ stand in an order in which imports run downwards, those of types too`, () => {
    const rooms = roomsOf(folder);
    expect(rooms.size).toBeGreaterThan(1);
    expect(circles(rooms)).toEqual([]);
  });
}

for (const { folder, rooms: mostRooms, arrows: mostArrows } of PAGES) {
  test(`${folder}/ can be drawn: at most ${mostRooms} rooms and ${mostArrows} arrows between them`, () => {
    const rooms = roomsOf(folder);
    const arrows = [...rooms.values()].flat().length;
    expect(arrows).toBeGreaterThan(rooms.size);
    expect(rooms.size).toBeLessThanOrEqual(mostRooms);
    expect(arrows).toBeLessThanOrEqual(mostArrows);
  });
}

/** Folders of which a newcomer reads one file at a time: tables whose files implement one interface, and two more. */
const LARGE_FOLDERS = [
  'core',
  'cli/commands',
  'models',
  'mitigation/memory',
  'fault/formats',
  'fault/generate',
  'campaign/tune',
  'models/operators',
  'kernels/elementwise',
];

test('no folder has more entries than can be taken in at a glance', () => {
  const folders = Object.keys(ALLOWED).flatMap((folder) => [
    folder,
    ...sourceFiles(join(packageRoot(), folder)).map((file) =>
      dirname(relative(packageRoot(), file)),
    ),
  ]);
  const large = [...new Set(folders)].filter((folder) => {
    const entries = readdirSync(join(packageRoot(), folder));
    return entries.filter((name) => name !== 'index.ts' && !name.endsWith('.json')).length > 12;
  });
  expect(large.sort()).toEqual(LARGE_FOLDERS.filter((folder) => large.includes(folder)).sort());
});
