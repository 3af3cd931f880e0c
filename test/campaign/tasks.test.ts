import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { expect, test as single } from 'vitest';
import {
  createTrialRunner,
  parseStudy,
  prepareStudy,
  type StudyInput,
} from '../../campaign/index.js';
import { writeNpy } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { encodeOnnx } from '../../models/index.js';
import { writeTinyNetwork } from '../cli/tiny-network.js';
import { node, plain, reals } from '../models/plain-network.js';

const SAMPLES = 10;

const folder = mkdtempSync(join(tmpdir(), 'bitcell-'));
const files = writeTinyNetwork(folder);
const kernels = loadKernels();

/** A network from maps of 2 × 5 × 4 to maps of the same size, and to a second output. */
const mapping = join(folder, 'mapping.onnx');
const twofold = join(folder, 'twofold.onnx');
const maps = join(folder, 'maps.npy');
const value = { elementType: 'float32', dims: ['N', 2, 5, 4] } as const;
for (const [file, outputs] of [
  [mapping, ['y']],
  [twofold, ['y', 'z']],
] as const) {
  const graph = {
    ...plain.graph,
    inputs: [{ ...value, name: 'x' }],
    outputs: outputs.map((name) => ({ ...value, name })),
    initializers: [reals('w', 2, 2, 1, 1), reals('v', 2, 2, 1, 1)],
    nodes: [
      node('Conv', ['x', 'w'], 'y'),
      ...(outputs.length > 1 ? [node('Conv', ['y', 'v'], 'z')] : []),
    ],
  };
  writeFileSync(file, encodeOnnx({ ...plain, graph }));
}
writeNpy(maps, {
  shape: [SAMPLES, 2, 5, 4],
  data: Float32Array.from({ length: SAMPLES * 40 }, (_, index) => Math.sin(index)),
});
const source = { inputs: [{ file: maps }] };

const ofImages = { model: files.int8, formats: ['int8'] } as const;
const ofMaps = { model: mapping, formats: ['float32'] } as const;

function outcomesOf(input: StudyInput, engine: 'plain' | 'incremental', images = SAMPLES) {
  const study = parseStudy({ mitigations: ['none'], maps: 3, images, ...input });
  const { data } = prepareStudy(study, study.models[0] === files.int8 ? {} : source);
  const run = createTrialRunner(data, kernels, { engine, deltaBytes: 2 ** 24 });
  return data.conditions.flatMap(({ index }) =>
    [0, 1, 2].map((map) => {
      const { outcomes, cleanCorrect } = run({
        ...{ condition: index, map, images, mitigations: ['none'] },
      });
      const [{ correct, sdc, fixed }] = outcomes;
      return { correct, sdc, fixed, cleanCorrect };
    }),
  );
}

const tasks = fc.constantFrom<StudyInput>(
  { ...ofImages, topK: 3, rates: [2e-2] },
  { ...ofMaps, tolerance: 0.05 },
  { ...ofMaps, tolerance: [0, 0.01] },
  { ...ofMaps, task: 'anomaly', anomalyThreshold: 0.4 },
  { ...ofMaps, model: twofold, outputName: 'z', task: 'regression' },
);

test.prop([tasks, fc.constantFrom('fixed', 'drawn'), fc.nat(99)], { numRuns: 10 })(
  'every task judges what can have changed as it judges the plain path',
  (task, imageChoice, seed) => {
    const study: StudyInput = { rates: [0.02], imageChoice, seed, ...task };
    expect(outcomesOf(study, 'incremental')).toEqual(outcomesOf(study, 'plain'));
  },
);

single('more of the largest scores are right of more samples, and the same are changed', () => {
  const found = [1, 2, 5, 10].map((topK) =>
    outcomesOf({ ...ofImages, topK, rates: [1e-2], imageChoice: 'fixed' }, 'incremental'),
  );
  for (const [place, outcomes] of found.entries()) {
    for (const [trial, { correct, cleanCorrect, sdc }] of outcomes.entries()) {
      const before = found[Math.max(0, place - 1)][trial];
      expect(correct).toBeGreaterThanOrEqual(before.correct);
      expect(cleanCorrect).toBeGreaterThanOrEqual(before.cleanCorrect);
      expect(sdc).toBe(before.sdc);
    }
  }
  expect(found[3].map(({ correct }) => correct)).toEqual(found[3].map(() => SAMPLES));
});

single('without faults every sample agrees, whatever the task', () => {
  for (const task of [{ tolerance: 0 }, { task: 'anomaly', anomalyThreshold: 0.4 }] as const) {
    for (const outcome of outcomesOf({ ...ofMaps, ...task, rates: [0] }, 'plain')) {
      expect(outcome).toMatchObject({ correct: SAMPLES, cleanCorrect: SAMPLES, sdc: 0 });
    }
  }
});

single.each<[StudyInput, RegExp]>([
  [{ ...ofImages, topK: 11 }, /--top-k 11.*10 classes/],
  [{ ...ofImages, task: 'regression' }, /labels of CIFAR-10 are classes.*--input/],
  [{ ...ofImages, task: 'anomaly' }, /give --anomaly-threshold/],
  [{ ...ofImages, anomalyThreshold: 1 }, /10 values .*3072 of a sample/],
  [{ ...ofMaps, task: 'classification' }, /one vector of scores.*--task regression/],
  [{ ...ofMaps, topK: 2, tolerance: 1 }, /--top-k and --tolerance.*give one/],
  [{ ...ofMaps, task: 'regression', topK: 2 }, /--top-k is for --task classification/],
  [{ ...ofMaps, outputName: 'q' }, /--output-name q.*its outputs: "?y/],
  [{ ...ofMaps, model: twofold, topK: 2 }, /give --output-name, one of/],
])('what contradicts outputs, labels or itself is refused: %o', (study, message) => {
  expect(() => prepareStudy(parseStudy(study), study.model === files.int8 ? {} : source)).toThrow(
    message,
  );
});

single('a saved study with a task reads back to itself', () => {
  const study = parseStudy({ ...ofMaps, tolerance: [0.5, 0.1], outputName: 'y' });
  expect(parseStudy(JSON.parse(JSON.stringify(study)))).toEqual(study);
});
