import fc from 'fast-check';
import { encodeOnnx, type OnnxModel } from '../../models/index.js';
import { buildCase } from './build.js';
import { checkRecipe } from './compare.js';
import { type Recipe, recipes } from './recipes.js';
import { FEATURES, type Form } from './support.js';

export interface FuzzOptions {
  readonly form: Form;
  readonly cases: number;
  readonly seed: number;
  /** Where fast-check found an earlier failure, to run that case again. */
  readonly path?: string | undefined;
  readonly onCase?: (done: number) => void;
  /** What Bitcell gets instead of the graph, to see that a difference is found. */
  readonly change?: (model: OnnxModel) => OnnxModel;
}

/** Graphs by what became of them; `unfused` ones could not be compared and so prove nothing. */
export interface FuzzCounts {
  equal: number;
  unfused: number;
  /** Unfused graphs that Bitcell read all the same. */
  unfusedRead: number;
  values: number;
  tensors: number;
}

export interface FuzzFailure {
  readonly seed: number;
  readonly path: string;
  readonly message: string;
  readonly recipe: Recipe;
  /** The smallest failing graph found. */
  readonly model: Uint8Array;
}

/** Compares random graphs with onnxruntime until one fails, and then looks for a smaller one that fails. */
export async function fuzz({ form, cases, seed, path, onCase, change }: FuzzOptions): Promise<{
  readonly counts: FuzzCounts;
  readonly failure: FuzzFailure | undefined;
}> {
  const features = FEATURES[form];
  const counts: FuzzCounts = { equal: 0, unfused: 0, unfusedRead: 0, values: 0, tensors: 0 };
  let done = 0;
  let failed = false;
  const property = fc.asyncProperty(recipes(form, features), async (recipe) => {
    try {
      const verdict = await checkRecipe(recipe, features, change);
      if (verdict.status === 'refused' || verdict.status === 'different') {
        throw new Error(`${verdict.status}: ${verdict.message}`);
      }
      if (failed) return;
      if (verdict.status === 'unfused') {
        counts.unfused += 1;
        if (!verdict.refused) counts.unfusedRead += 1;
      } else {
        counts.equal += 1;
        counts.values += verdict.values;
        counts.tensors += verdict.tensors;
      }
      done += 1;
      onCase?.(done);
    } catch (error) {
      failed = true;
      throw error;
    }
  });
  const result = await fc.check(property, { numRuns: cases, seed, ...(path && { path }) });
  if (!result.failed) return { counts, failure: undefined };
  const [recipe] = result.counterexample ?? [];
  if (!recipe) throw new Error('no random graph could be made');
  const failure = {
    seed: result.seed,
    path: result.counterexamplePath ?? '',
    message: String(result.errorInstance),
    recipe,
    model: encodeOnnx(buildCase(recipe, features).model),
  };
  return { counts, failure };
}
