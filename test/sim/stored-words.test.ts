import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { loadKernels } from '../../kernels/index.js';
import {
  arrayLayers,
  decodeOnnx,
  encodeOnnx,
  type Int8Network,
  type Network,
  readNetwork,
  writeClipped,
  writeFloat32,
  writeQOperator,
} from '../../models/index.js';
import {
  applyFaultMap,
  canFollowChanges,
  cellsOfWeight,
  createDeltaRunner,
  createNetworkDatapath,
  createRecording,
  differingLayers,
  networkWeights,
  placeNetwork,
  recordRun,
  runFrom,
  runPerImage,
  storedWords,
  type WeightPatches,
  withWords,
} from '../../sim/index.js';
import { buildCase, type FuzzCase, OUTPUT } from '../fuzz/build.js';
import { strike } from '../fuzz/faults.js';
import { runReference } from '../fuzz/onnxruntime.js';
import { type Recipe, recipes } from '../fuzz/recipes.js';
import type { Feature, Form } from '../fuzz/support.js';

const kernels = loadKernels();

/** Small networks with weights that two layers read. */
function sharingRecipes(form: Form): fc.Arbitrary<Recipe> {
  const features = new Set<Feature>([
    'conv',
    'gemm',
    'relu',
    'reshape',
    'concat',
    'shared-weights',
  ]);
  if (form === 'qoperator') features.add('uint8-weights').add('weight-zero-points');
  return recipes(form, features).filter(({ steps }) => steps.length < 4 && steps[0].op === 'twin');
}

const forms = fc.constantFrom<Form>('qoperator', 'float32').chain(sharingRecipes);

interface Struck {
  readonly fuzzCase: FuzzCase;
  readonly network: Network;
  readonly patches: WeightPatches;
}

function struck(recipe: Recipe, placement: 'resident' | 'streamed' = 'resident'): Struck {
  const fuzzCase = buildCase(recipe, new Set<Feature>(['conv', 'gemm', 'reshape']));
  const network = readNetwork(encodeOnnx(fuzzCase.model), 'random');
  const { map, accelerator } = strike(fuzzCase, recipe.faults);
  const { weightMemory: memory } = accelerator;
  const halves = memory !== 'fits-network' && memory.rows % 2 === 0 ? placement : 'resident';
  const placed = placeNetwork(network, accelerator, halves);
  return { fuzzCase, network, patches: applyFaultMap(map, placed, storedWords(network)) };
}

function outputsOf(network: Network, { inputs, images }: FuzzCase): Float32Array {
  return createNetworkDatapath(network, kernels, images).run(inputs, images);
}

describe('networks that share weights, and uint8 weights', () => {
  test.prop([forms, fc.constantFrom('resident' as const, 'streamed' as const)], { numRuns: 20 })(
    'give under faults what the network with the faulty words gives, in every kind of run',
    (recipe, kind) => {
      const { fuzzCase, network, patches } = struck(recipe, kind);
      const { inputs, images } = fuzzCase;
      const faulty = withWords(network as Int8Network, patches);
      expect(storedWords(faulty)).toEqual(wordsWith(storedWords(network), patches));
      const expected = outputsOf(faulty, fuzzCase);
      const clean = outputsOf(network, fuzzCase);

      const datapath = createNetworkDatapath(network, kernels, images);
      const recording = createRecording(network, images, 2 ** 24);
      const numbers = Uint32Array.from({ length: images }, (_, image) => image);
      expect(recordRun(datapath, recording, inputs, numbers)).toEqual(clean);
      datapath.setDisturbance({ weights: patches });
      expect(datapath.run(inputs, images)).toEqual(expected);
      const differing = differingLayers(network, { weights: patches });
      if (differing) {
        expect(runFrom(datapath, recording, numbers, differing, () => inputs)).toEqual(expected);
      }
      expect(runPerImage(datapath, inputs, images, () => ({ weights: patches }))).toEqual(expected);
      expect(datapath.run(inputs, images)).toEqual(clean);
      if (canFollowChanges(network)) {
        const units = new Map();
        const delta = createDeltaRunner(network, datapath, kernels, images, units);
        delta.record(inputs, images);
        expect(delta.run(patches)).toEqual(expected);
      }
    },
  );

  test.prop([sharingRecipes('qoperator')], { numRuns: 15 })(
    'are exported with the words they have, which onnxruntime computes with',
    async (recipe) => {
      const { fuzzCase, network: read, patches } = struck(recipe);
      const network = read as Int8Network;
      const faulty = withWords(network, patches);
      const expected = outputsOf(faulty, fuzzCase);
      const file = writeQOperator(faulty);
      const again = readNetwork(file, 'again');
      expect(networkWeights(again)).toBe(networkWeights(network));
      // onnxruntime has no kernels for int8 activations with uint8 weights; the generator draws none either.
      expect(storedWords(again as Int8Network)).toEqual(storedWords(faulty));
      const files = [file];
      const layers = arrayLayers(network);
      if (layers.every(({ zeroPoints }) => new Set(zeroPoints).size === 1)) {
        const clips = layers.map(({ name, shape }) => {
          const thresholds = new Int32Array(shape.output.channels).fill(2 ** 31 - 1);
          return [name, { position: 'accumulator', mode: 'clamp', thresholds }] as const;
        });
        files.push(writeClipped(faulty, new Map(clips)));
      }
      for (const written of files) expect(await reference(written, fuzzCase)).toEqual(expected);
    },
  );

  test.prop([sharingRecipes('float32')], { numRuns: 10 })(
    'are written once in float32, too',
    (recipe) => {
      const { network, patches } = struck(recipe);
      if (network.format !== 'float32') throw new Error('not float32');
      const faulty = withWords(network, patches);
      const again = readNetwork(writeFloat32(faulty), 'again');
      expect(networkWeights(again)).toBe(networkWeights(network));
      if (again.format === 'float32') expect(storedWords(again)).toEqual(storedWords(faulty));
    },
  );

  test.prop([forms], { numRuns: 15 })('lie in one set of cells', (recipe) => {
    const { network } = struck(recipe);
    const stored = networkWeights(network);
    const words = storedWords(network);
    expect(stored).toBeLessThan(words.length);
    const bits = network.format === 'int8' ? 8 : 32;
    const rows = Math.ceil((stored * bits) / 32);
    const placement = placeNetwork(
      network,
      {
        name: 'exact',
        array: { rows: 4, columns: 4, dataflow: 'weight-stationary' },
        weightMemory: { banks: 1, rows, wordBits: 32, columnMux: 1 },
      },
      'resident',
    );
    expect(placement.weights).toBe(words.length);
    let found = 0;
    for (let slot = 0; slot < (rows * 32) / bits; slot += 1) {
      const weights = Array.from({ length: placement.occupancy(slot) }, (_, occurrence) =>
        placement.weightAt(slot, occurrence),
      );
      expect(weights).toEqual(weights.toSorted((one, other) => one - other));
      expect(weights.map(placement.slotOf)).toEqual(weights.map(() => slot));
      expect(weights.length > 0).toBe(slot < stored);
      expect(new Set(weights.map((weight) => words[weight])).size).toBe(slot < stored ? 1 : 0);
      found += weights.length;
    }
    expect(found).toBe(words.length);
    expect(cellsOfWeight(placement, words.length - 1)).toHaveLength(bits);
  });
});

/** Bits are compared, since NaN has many. */
function wordsWith(words: Uint8Array | Uint32Array, patches: WeightPatches) {
  const faulty = words.slice();
  for (const [index, weight] of patches.weights.entries()) faulty[weight] = patches.words[index];
  return faulty;
}

async function reference(file: Uint8Array, fuzzCase: FuzzCase): Promise<Float32Array> {
  const { outputs } = await runReference(decodeOnnx(file, 'written'), fuzzCase, 'qoperator');
  return outputs.get(OUTPUT) as Float32Array;
}
