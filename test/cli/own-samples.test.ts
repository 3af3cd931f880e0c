import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeNpy } from '../../core/index.js';
import { encodeOnnx, loadCifar10, normalize } from '../../models/index.js';
import { node, plain, reals } from '../models/plain-network.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { type TinyFiles, writeTinyNetwork } from './tiny-network.js';

const SAMPLES = 12;

const folder = newFolder();
const images = join(folder, 'images.npy');
/** A network from maps of 2 × 6 × 9 to maps of 3 × 6 × 9. */
const mapping = join(folder, 'mapping.onnx');
const maps = join(folder, 'maps.npy');
let files: TinyFiles;

beforeAll(() => {
  files = writeTinyNetwork(folder);
  writeNpy(images, {
    shape: [SAMPLES, 3, 32, 32],
    data: normalize(loadCifar10({ split: 'test', limit: SAMPLES })),
  });
  const { graph, ...file } = plain;
  const value = { elementType: 'float32', dims: ['N', 2, 6, 9] } as const;
  const model = {
    ...file,
    graph: {
      ...graph,
      inputs: [{ ...value, name: 'x' }],
      outputs: [{ ...value, name: 'y', dims: ['N', 3, 6, 9] }],
      initializers: [reals('w', 3, 2, 1, 1)],
      nodes: [node('Conv', ['x', 'w'], 'y')],
    },
  };
  writeFileSync(mapping, encodeOnnx(model));
  const data = Float32Array.from({ length: SAMPLES * 108 }, (_, index) => Math.sin(index));
  writeNpy(maps, { shape: [SAMPLES, 2, 6, 9], data });
});

interface Point {
  readonly rate: number;
  readonly mitigation: string;
  readonly images: number;
  readonly sdc: { readonly share: number };
  readonly accuracy: { readonly mean: number };
  readonly agreement?: { readonly mean: number };
}

interface Result {
  readonly metric?: string;
  readonly networks: readonly { readonly task: object }[];
  readonly points: readonly Point[];
}

async function run(...options: string[]): Promise<Result> {
  const result = await bitcellJson(['run', '--maps', '3', ...options]);
  return result as unknown as Result;
}

test('without labels, what comes out right is what agrees with the fault-free network', async () => {
  const { metric, points } = await run('--model', files.int8, '--input', images);
  expect(metric).toBe('agreement');
  for (const point of points) {
    expect(point.agreement).toEqual(point.accuracy);
    if (point.rate === 0 && point.mitigation === 'none') expect(point.accuracy.mean).toBe(1);
    if (point.mitigation === 'none') {
      expect(point.accuracy.mean).toBeCloseTo(1 - point.sdc.share, 12);
    }
  }
});

test('a tenth of the samples serves to profile clips, and nothing is measured on it', async () => {
  const clipped = await run('--model', files.int8, '--input', images, '--mitigations', 'none,clip');
  const plainRun = await run('--model', files.int8, '--input', images, '--mitigations', 'none');
  expect(clipped.points.map((point) => point.images)).toContain(SAMPLES - 1);
  expect(plainRun.points.map((point) => point.images)).toContain(SAMPLES);
});

test('of outputs that are no scores, each value has to agree', async () => {
  const { points } = await run(
    ...['--model', mapping, '--input', maps, '--mitigations', 'none'],
    ...['--rates', '0,0.1', '--image-choice', 'fixed'],
  );
  const [clean, broken] = points;
  expect(clean.accuracy.mean).toBe(1);
  expect(broken.accuracy.mean).toBeLessThan(1);
});

test('a tolerance is taken from its option, and said with the network', async () => {
  const { networks, points } = await run(
    ...['--model', mapping, '--input', maps, '--mitigations', 'none'],
    ...['--rates', '0.1', '--tolerance', '1e9,0.5', '--output-name', 'y'],
  );
  expect(networks[0].task).toEqual({
    ...{ kind: 'regression', tolerance: { absolute: 1e9, relative: 0.5 } },
    ...{ start: 0, length: 162 },
  });
  expect(points[0].accuracy.mean).toBeGreaterThan(0);
});

test('a store of own samples says where they are from, continues and prints agreement', async () => {
  const out = join(newFolder(), 'study');
  const options = [
    ...['run', '--model', files.int8, '--input', images, '--maps', '2', '--top-k', '3'],
    ...['--out', out],
  ];
  const first = await bitcell(options);
  expect(first).toMatchObject({ status: 0 });
  expect(first.stdout).toMatch(/right: classification: .*fault-free.* 3 largest of 10 scores/);
  expect(first.stdout).toContain('Agreement with the fault-free network');
  const saved = await bitcell(['results', out]);
  expect(saved.stdout).toContain('Agreement with the fault-free network');
  expect(saved.stdout).toContain('topK = 3');
  const { configuration } = await bitcellJson(['results', out]);
  expect(configuration).toMatchObject({ inputs: [{ file: images }], topK: 3 });
  expect(await bitcell([...options, '--resume'])).toMatchObject({ status: 0 });
  expect(
    await refusal(['run', '--model', files.int8, '--maps', '2', '--out', out, '--resume']),
  ).toMatch(/data|inputs/);
});

test('verify compares on own samples', async () => {
  const { images: count, cases } = await bitcellJson([
    ...['verify', '--model', files.int8, '--input', images],
  ]);
  expect(count).toBe(SAMPLES);
  expect(cases).not.toHaveLength(0);
});

test.each([
  ['of another shape', ['--model', 'int8', '--input', 'maps'], /12 × 2 × 6 × 9.*3 × 32 × 32/],
  ['for an unknown input', ['--model', 'int8', '--input', 'nose=images'], /nose.*--input/],
  [
    'too few',
    ['--model', 'int8', '--input', 'images', '--images', '13'],
    /--images 13.*12 samples/,
  ],
  [
    'with tolerances that are none',
    ['--model', 'int8', '--input', 'images', '--tolerance', '1,2,3'],
    /--tolerance.*A or A,R/,
  ],
  [
    'with an unfitting task',
    ['--model', 'int8', '--input', 'images', '--top-k', '11'],
    /--top-k 11.*10 classes/,
  ],
  [
    'beside a data set',
    ['--model', 'int8', '--input', 'images', '--data', '.'],
    /--data or by --input/,
  ],
])('samples %s are refused', async (_, options, message) => {
  const paths: Readonly<Record<string, string>> = {
    ...{ int8: files.int8, maps, images },
    'nose=images': `nose=${images}`,
  };
  const words = options.map((word) => paths[word] ?? word);
  expect(await refusal(['run', ...words, '--mitigations', 'none'])).toMatch(message);
});
