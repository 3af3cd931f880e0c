import { ModelError } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { encodeOnnx, type Network, type OnnxModel, readNetwork } from '../../models/index.js';
import {
  applyFaultMap,
  createNetworkDatapath,
  placeNetwork,
  storedWords,
} from '../../sim/index.js';
import { buildCase, exposeValues, type FuzzCase, OUTPUT } from './build.js';
import { type StruckCase, strike } from './faults.js';
import type { Value } from './forms.js';
import { runReference } from './onnxruntime.js';
import type { Recipe } from './recipes.js';
import type { Feature } from './support.js';

/** What became of one random graph. */
export type Verdict =
  | { readonly status: 'equal'; readonly values: number; readonly tensors: number }
  /** onnxruntime computes some group in float32, so there is nothing to compare; Bitcell refuses it or names it. */
  | { readonly status: 'unfused'; readonly nodes: readonly string[]; readonly refused: boolean }
  | { readonly status: 'refused'; readonly message: string }
  | { readonly status: 'different'; readonly message: string };

/** Largest difference of float32 results, as a share of the largest value: the two sum in different orders. */
export const FLOAT32_TOLERANCE = 1e-4;

/** Operators whose sums in float32 are not Bitcell's in integers. */
const WEIGHTED = /\((Fused)?(Conv|Gemm|MatMul)\)$/;

type Values = Uint8Array | Int8Array | Float32Array;

interface OurTensor {
  readonly name: string;
  /** image × height × width × channel. */
  readonly values: Values;
}

let kernels: ReturnType<typeof loadKernels> | undefined;

/**
 * Builds the graph of a recipe, and compares what Bitcell and onnxruntime compute: Bitcell with faulty cells,
 * onnxruntime with the faulty words in the file.
 *
 * @param change what Bitcell gets instead of the graph, to see that a difference is found
 */
export async function checkRecipe(
  recipe: Recipe,
  features: ReadonlySet<Feature>,
  change: (model: OnnxModel) => OnnxModel = (model) => model,
): Promise<Verdict> {
  const fuzzCase = buildCase(recipe, features);
  const struck = strike(fuzzCase, recipe.faults);
  const faulty = { ...fuzzCase, model: struck.model };
  const exposed = exposeValues(faulty, recipe.int8 ? 'int8' : 'uint8');
  const isQuantized = recipe.form !== 'float32';
  // As an output, an int8 tensor is not rewritten to uint8.
  const canExpose = isQuantized && !(recipe.form === 'qdq' && recipe.int8);
  const model = recipe.expose && canExpose ? exposed : faulty.model;
  const reference = await runReference(model, fuzzCase, recipe.form);
  const network = readOrRefuse(change(fuzzCase.model));
  if (typeof network === 'string') {
    return reference.unfused.length > 0
      ? { status: 'unfused', nodes: reference.unfused, refused: true }
      : { status: 'refused', message: network };
  }
  const named = network.format === 'int8' ? (network.unfused ?? []) : [];
  const { unfused } = reference;
  const wrong = [
    ...named.filter((label) => !unfused.includes(label)),
    ...unfused.filter((label) => WEIGHTED.test(label) && !named.includes(label)),
  ];
  if (wrong.length > 0) {
    return {
      status: 'different',
      message: `Bitcell and onnxruntime differ in whether ${wrong.join(', ')} runs in float32`,
    };
  }
  if (named.length > 0) return { status: 'unfused', nodes: named, refused: false };
  const ours = run(network, fuzzCase, struck);
  const theirs = reference.outputs.get(OUTPUT) as Float32Array;
  if (!isQuantized) return compareFloat32(ours.outputs, theirs);

  const inside = compareInside(fuzzCase, ours.tensors, reference.outputs);
  if (inside.different) return { status: 'different', message: inside.different };
  const index = firstDifference(ours.outputs, theirs);
  if (index < 0) {
    return {
      status: 'equal',
      values: inside.values + theirs.length,
      tensors: inside.tensors + 1,
    };
  }
  if (!canExpose) {
    return {
      status: 'different',
      message: `output value ${index}: Bitcell ${ours.outputs[index]}, onnxruntime ${theirs[index]}`,
    };
  }
  // The tensors inside may show where it began, if exposing them does not change the fusions.
  const { outputs } = await runReference(exposed, fuzzCase, recipe.form);
  return {
    status: 'different',
    message:
      compareInside(fuzzCase, ours.tensors, outputs).different ??
      `output value ${index}: Bitcell ${ours.outputs[index]}, onnxruntime ${theirs[index]}; no difference inside when all tensors are outputs`,
  };
}

/** The network, or the message with which it is refused. */
function readOrRefuse(model: OnnxModel): Network | string {
  try {
    return readNetwork(encodeOnnx(model), 'random');
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}

function run(
  network: Network,
  { inputs, images }: FuzzCase,
  { map, accelerator }: StruckCase,
): { readonly outputs: Float32Array; readonly tensors: readonly OurTensor[] } {
  kernels ??= loadKernels();
  const datapath = createNetworkDatapath(network, kernels, images);
  const placement = placeNetwork(network, accelerator, 'resident');
  datapath.setDisturbance({ weights: applyFaultMap(map, placement, storedWords(network)) });
  const tensors: OurTensor[] = [];
  const outputs = datapath.run(inputs, images, {
    tensor: (tensor, values) =>
      tensors.push({ name: network.tensors[tensor].name, values: values.slice() }),
  });
  return { outputs, tensors };
}

/** Compares, to the bit, the tensors inside that both sides have; names the first that differs. */
function compareInside(
  { values, images }: FuzzCase,
  tensors: readonly OurTensor[],
  outputs: ReadonlyMap<string, Values>,
): { readonly different?: string; readonly values: number; readonly tensors: number } {
  const ours = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  let compared = 0;
  let found = 0;
  for (const value of values) {
    const names = [value.name, value.name.replace(/_quantized$/, ''), value.origin ?? ''];
    if (value === values[values.length - 1]) names.push(OUTPUT);
    const their = outputs.get(value.name);
    const our = names
      .map((name) => ours.get(name))
      .find((one) => one && their && isReal(one) === isReal(their));
    if (!our || !their) continue;
    found += 1;
    compared += their.length;
    const place = firstDifference(channelsFirst(asStored(our, their), value, images), their);
    if (place < 0) continue;
    const { channels, height, width } = value.shape;
    const length = channels * height * width;
    const channel = Math.floor(place / (height * width)) % channels;
    const y = Math.floor(place / width) % height;
    return {
      different: `tensor "${value.name}" (${channels}×${height}×${width}), image ${Math.floor(place / length)}, channel ${channel}, position (${y}, ${place % width}): Bitcell ${channelsFirst(our, value, images)[place]}, onnxruntime ${their[place]}`,
      values: compared,
      tensors: found,
    };
  }
  return { values: compared, tensors: found };
}

function isReal(values: Values): boolean {
  return values instanceof Float32Array;
}

/** Bitcell keeps int8 tensors as uint8, 128 more. */
function asStored(our: Values, their: Values): Values {
  return their instanceof Int8Array ? Int8Array.from(our, (value) => value - 128) : our;
}

function channelsFirst(values: Values, { shape }: Value, images: number): Values {
  const { channels, height, width } = shape;
  const positions = height * width;
  const length = channels * positions;
  return values.map((_, index) => {
    const image = Math.floor(index / length);
    const channel = Math.floor((index % length) / positions);
    return index >= images * length
      ? 0
      : values[image * length + (index % positions) * channels + channel];
  });
}

function firstDifference(ours: Values, theirs: Values): number {
  if (ours.length < theirs.length) return ours.length;
  return theirs.findIndex((value, index) => !Object.is(value, ours[index]));
}

function compareFloat32(ours: Float32Array, theirs: Float32Array): Verdict {
  const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  // Below this there may be nothing but rounding errors of what cancels out.
  const tolerance = Math.max(largest, 1e-4) * FLOAT32_TOLERANCE;
  const index = theirs.findIndex(
    (value, at) => Number.isFinite(value) && !(Math.abs(value - ours[at]) <= tolerance),
  );
  if (index < 0) return { status: 'equal', values: theirs.length, tensors: 1 };
  return {
    status: 'different',
    message: `output value ${index}: Bitcell ${ours[index]}, onnxruntime ${theirs[index]}, tolerance ${tolerance}`,
  };
}
