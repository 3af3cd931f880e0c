import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OnnxModel, OnnxTensor } from '../../models/index.js';
import { buildCase, exposeValues } from './build.js';
import { checkRecipe } from './compare.js';
import { fuzz } from './fuzz.js';
import { runReference } from './onnxruntime.js';
import { recipes } from './recipes.js';
import { FEATURES, type Form } from './support.js';

const CASES: Readonly<Record<Form, number>> = { qdq: 200, qoperator: 200, float32: 60 };
const forms = (Object.keys(FEATURES) as Form[]).filter((form) => FEATURES[form].size > 0);

describe('random graphs give what onnxruntime gives', () => {
  test.each(forms)('%s', async (form) => {
    const { counts, failure } = await fuzz({ form, cases: CASES[form], seed: 3 });
    if (failure) {
      throw new Error(
        `${failure.message} (npm run fuzz:ort -- --form ${form} --seed ${failure.seed} --path ${failure.path})`,
      );
    }
    expect(counts.equal + counts.unfused).toBe(CASES[form]);
    // Most graphs must be compared, and with all the tensors inside them about every second; of the QDQ graphs of
    // int8 activations, which are half of them, onnxruntime leaves most unfused.
    expect(counts.equal).toBeGreaterThan((form === 'qdq' ? 0.55 : 0.8) * CASES[form]);
    if (form !== 'float32') expect(counts.tensors).toBeGreaterThan(1.5 * counts.equal);
  });
});

/** The model with the bits of all weights of its first layer inverted. */
function withOtherWeights(model: OnnxModel): OnnxModel {
  let changed = false;
  const initializers = model.graph.initializers.map((tensor): OnnxTensor => {
    const { elementType, name } = tensor;
    const isByte = elementType === 'int8' || elementType === 'uint8';
    if (changed || !isByte || !/^weight\d+$/.test(name)) return tensor;
    changed = true;
    const data = tensor.data.slice();
    for (const index of data.keys()) data[index] = ~data[index];
    return { ...tensor, data } as OnnxTensor;
  });
  return { ...model, graph: { ...model.graph, initializers } };
}

test('the comparison sees other weights', async () => {
  const counts = { equal: 0, different: 0, refused: 0, unfused: 0 };
  // Among int8 activations only the outputs can be compared.
  const features = new Set([...FEATURES.qdq].filter((feature) => feature !== 'int8-activations'));
  const sample = fc.sample(recipes('qdq', features), { numRuns: 60, seed: 5 });
  for (const recipe of sample) {
    const verdict = await checkRecipe(recipe, features, withOtherWeights);
    counts[verdict.status] += 1;
    if (verdict.status === 'different') {
      expect(verdict.message).toMatch(
        /^tensor "\w+" \(\d+×\d+×\d+\), image \d, channel \d+, position \(\d+, \d+\): Bitcell \d+, onnxruntime \d+$/,
      );
    }
  }
  // The rest saturates either way, or has its single weight in a Constant node.
  expect(counts.different).toBeGreaterThan(counts.equal);
  expect(counts.refused).toBe(0);
});

test('a failure is made small, and its path leads to it again', async () => {
  const options = { form: 'qdq', seed: 5, change: withOtherWeights } as const;
  const { failure } = await fuzz({ ...options, cases: 100 });
  expect(failure?.message).toMatch(/^Error: different: tensor /);
  expect(failure?.recipe.steps.length).toBeLessThan(3);
  const again = await fuzz({ ...options, cases: 1, path: failure!.path });
  expect(again.failure).toEqual(failure);
});

describe('onnxruntime reads every graph that the generator can write', () => {
  test.each(Object.keys(FEATURES) as Form[])('%s', async (form) => {
    const features = FEATURES[form];
    for (const recipe of fc.sample(recipes(form, features), { numRuns: 60, seed: 1 })) {
      const fuzzCase = buildCase(recipe, features);
      const model =
        form === 'float32'
          ? fuzzCase.model
          : exposeValues(fuzzCase, recipe.int8 ? 'int8' : 'uint8');
      const { outputs } = await runReference(model, fuzzCase, form);
      expect(outputs.size).toBe(model.graph.outputs.length);
      for (const { name, dims } of model.graph.outputs) {
        const sizes = dims!.map((size) => (typeof size === 'string' ? fuzzCase.images : size));
        expect(outputs.get(name)!.length).toBe(sizes.reduce((a, b) => a * b, 1));
      }
    }
  });
});
