import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { featureCount, ModelError } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  decodeOnnx,
  encodeOnnx,
  inputsOf,
  type Network,
  type OnnxModel,
  quantizedName,
  readNetwork,
  writeFloat32,
  writeQOperator,
} from '../../models/index.js';
import {
  createNetworkDatapath,
  placeFeatureMaps,
  type ReadThrough,
  readMasked,
  valueHits,
  valueMasks,
} from '../../sim/index.js';
import { xorshift } from '../../testing/index.js';
import { randomMap } from '../sim/placed-feature-maps.js';
import { drawOf } from '../sim/storage-networks.js';
import { buildCase, type FuzzCase } from './build.js';
import { FLOAT32_TOLERANCE } from './compare.js';
import { type Recipe, recipes } from './recipes.js';
import { FEATURES } from './support.js';

/** Random networks of each format; the claim of 1,000 takes minutes. */
const CASES = Number(process.env.BITCELL_TEST_FEATURE_MAPS ?? 25);

const kernels = loadKernels();

type Values = Uint8Array | Int8Array | Float32Array;

/** Values of a tensor as onnxruntime has them: channels first, int8 as int8. */
interface Given {
  readonly tensor: number;
  readonly values: Values;
}

/** The name that a tensor has in the file of its network. */
function nameOf({ format, tensors }: Network, tensor: number): string {
  return format === 'int8' ? quantizedName(tensors[tensor]) : tensors[tensor].name;
}

function elementTypeOf({ format, tensors }: Network, tensor: number) {
  if (format === 'float32') return 'float32';
  return tensors[tensor].quantization?.signed ? 'int8' : 'uint8';
}

/** The graph cut at some tensors, whose values are then given, with another one as a further output. */
function cutModel(
  model: OnnxModel,
  network: Network,
  given: readonly number[],
  shown: number | undefined,
): OnnxModel {
  const { graph } = model;
  const names = given.map((tensor) => nameOf(network, tensor));
  const value = (tensor: number) => ({
    ...{ name: nameOf(network, tensor), elementType: elementTypeOf(network, tensor) },
    dims: undefined,
  });
  const inputNames = graph.inputs.map(({ name }) => name);
  const outputNames = graph.outputs.map(({ name }) => name);
  const further = (tensors: readonly number[], taken: readonly string[]) =>
    tensors.filter((tensor) => !taken.includes(nameOf(network, tensor))).map(value);
  return {
    ...model,
    graph: {
      ...graph,
      nodes: graph.nodes.filter(({ outputs }) => !outputs.some((name) => names.includes(name))),
      inputs: [...graph.inputs, ...further(given, inputNames)] as typeof graph.inputs,
      outputs: [
        ...graph.outputs,
        ...further(shown === undefined ? [] : [shown], outputNames),
      ] as typeof graph.outputs,
    },
  };
}

interface Run {
  readonly network: Network;
  readonly model: OnnxModel;
  readonly fuzzCase: FuzzCase;
}

/** One session on the cut graph: the values of the outputs by name. */
async function runCut(
  { network, model, fuzzCase: { inputs, images } }: Run,
  given: readonly Given[],
  shown: number | undefined,
): Promise<ReadonlyMap<string, Values>> {
  const cut = cutModel(
    model,
    network,
    given.map(({ tensor }) => tensor),
    shown,
  );
  const session = await InferenceSession.create(encodeOnnx(cut), {
    ...{ intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 },
    graphOptimizationLevel: 'disabled',
  });
  try {
    const [input] = model.graph.inputs;
    const dimsOf = (tensor: number) => {
      const { channels, height, width } = network.tensors[tensor].shape;
      return isVector(network, tensor, input.dims?.length === 2)
        ? [images, channels]
        : [images, channels, height, width];
    };
    const feeds: Record<string, Tensor> = {
      [input.name]: new Tensor('float32', inputs, dimsOf(network.input)),
    };
    for (const { tensor, values } of given) {
      const type = elementTypeOf(network, tensor);
      feeds[nameOf(network, tensor)] = new Tensor(type, values, dimsOf(tensor));
    }
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, { data }]) => [name, data as Values]));
  } finally {
    await session.release();
  }
}

/** Whether a tensor has two dimensions in the file: it is a flattened one, or made of such by fully connected layers. */
function isVector(network: Network, tensor: number, isInputVector: boolean): boolean {
  if (tensor === network.input) return isInputVector;
  const layer = network.layers.find(({ output }) => output === tensor);
  if (!layer) throw new Error('a tensor that no layer writes');
  if (layer.kind === 'flatten' || layer.kind === 'fully-connected') return true;
  const source = inputsOf(layer)[0];
  return isVector(network, source, isInputVector);
}

/** From channels first to channels last, as Bitcell keeps them, or back. */
function reordered<V extends Values>(
  values: V,
  network: Network,
  tensor: number,
  toChannelsLast: boolean,
): V {
  const { channels, height, width } = network.tensors[tensor].shape;
  const length = channels * height * width;
  const copy = values.slice() as V;
  for (const first of values.keys()) {
    const image = Math.floor(first / length);
    const channel = Math.floor((first % length) / (height * width));
    const last = image * length + (first % (height * width)) * channels + channel;
    if (toChannelsLast) copy[last] = values[first];
    else copy[first] = values[last];
  }
  return copy;
}

/** What is read of values that onnxruntime computed. */
function patched(
  values: Values,
  { network, fuzzCase: { images } }: Run,
  tensor: number,
  read: ReadThrough,
): Values {
  const ordered = reordered(values, network, tensor, true);
  const stored = ordered instanceof Int8Array ? Uint8Array.from(ordered, (v) => v + 128) : ordered;
  const words =
    stored instanceof Uint8Array ? stored : new Uint32Array(stored.buffer, stored.byteOffset);
  const length = featureCount(network.tensors[tensor].shape);
  for (let image = 0; image < images; image += 1) {
    read(words.subarray(image * length, (image + 1) * length));
  }
  const back = ordered instanceof Int8Array ? Int8Array.from(stored, (v) => v - 128) : stored;
  return reordered(back, network, tensor, false);
}

/** A network in a file of Bitcell's own; undefined: it has no form there, or is refused itself. */
function readAndWrite(bytes: Uint8Array): { network: Network; file: Uint8Array } | undefined {
  try {
    const network = readNetwork(bytes, 'random');
    return {
      network,
      file: network.format === 'int8' ? writeQOperator(network) : writeFloat32(network),
    };
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

/** A random network, and faults in its input and activations; undefined: there is no file of it. */
function faultyRun(recipe: Recipe, form: 'qoperator' | 'float32') {
  const fuzzCase = buildCase(recipe, FEATURES[form]);
  const read = readAndWrite(encodeOnnx(fuzzCase.model));
  if (read === undefined) return undefined;
  const { network, file } = read;
  const run: Run = { network, fuzzCase, model: decodeOnnx(file, 'random') };
  const random = xorshift(recipe.seed);
  const memory = { banks: 2, rows: 8, wordBits: 64, columnMux: 2 };
  const maps = placeFeatureMaps(network, memory, 'streamed');
  const all = randomMap(maps.geometry, random);
  // A tensor of which nobody reads anything needs no faults; few of the others have them.
  const share = drawOf(random)(1, 3);
  const tensors = maps.tensors.filter(() => random() < share / 4);
  // float32 values keep their exponents: sums of enormous values depend on their order.
  const kept = new Set(
    [...valueHits(all, maps, maps.tensors)]
      .filter(({ bit }) => network.format === 'int8' || bit < 23 || bit === 31)
      .map(({ fault }) => fault),
  );
  const faults = [...all.cells.keys()].filter((fault) => kept.has(fault));
  const map = {
    ...all,
    cells: Float64Array.from(faults, (fault) => all.cells[fault]),
    kinds: Uint8Array.from(faults, (fault) => all.kinds[fault]),
  };
  const masks = valueMasks(map, network, maps, tensors);
  const reads = new Map([...masks].map(([tensor, its]) => [tensor, readMasked(its)]));
  // In the order in which they are written.
  const struck = tensors.map(({ tensor }) => tensor).filter((tensor) => reads.has(tensor));
  return { run, reads, struck };
}

/** All tensors and the outputs of a datapath. */
function computed(
  { network, fuzzCase: { inputs, images } }: Run,
  tensors: ReadonlyMap<number, ReadThrough>,
) {
  const datapath = createNetworkDatapath(network, kernels, images);
  datapath.setDisturbance({ tensors });
  const seen = new Map<number, Values>();
  const outputs = datapath.run(inputs, images, {
    tensor: (tensor, values) => {
      const length = featureCount(network.tensors[tensor].shape) * images;
      const own = reordered(values.slice(0, length), network, tensor, false);
      const { quantization } = network.tensors[tensor];
      seen.set(tensor, quantization?.signed ? Int8Array.from(own, (v) => v - 128) : own);
    },
  });
  return { seen, outputs };
}

test(
  'faulty inputs and activations of int8 networks are those of onnxruntime, values patched between sessions',
  async () => {
    let tensors = 0;
    await fc.assert(
      fc.asyncProperty(recipes('qoperator', FEATURES.qoperator), async (recipe) => {
        const found = faultyRun(recipe, 'qoperator');
        fc.pre(found !== undefined && found.struck.length > 0);
        const { run, reads, struck } = found;
        const ours = computed(run, reads);
        const given: Given[] = [];
        for (const tensor of struck) {
          const shown = await runCut(run, given, tensor);
          const their = shown.get(nameOf(run.network, tensor));
          const read = reads.get(tensor);
          if (!their || !read) throw new Error(`tensor ${tensor} was not shown`);
          const values = patched(their, run, tensor, read);
          expect(Array.from(ours.seen.get(tensor) ?? [])).toEqual(Array.from(values));
          given.push({ tensor, values });
          tensors += 1;
        }
        const outputs = await runCut(run, given, undefined);
        const { name } = run.network.tensors[run.network.output];
        expect(Array.from(ours.outputs)).toEqual(Array.from(outputs.get(name) ?? []));
      }),
      { numRuns: CASES },
    );
    expect(tensors).toBeGreaterThanOrEqual(CASES);
  },
  60_000 + 1000 * CASES,
);

test(
  'faulty inputs and activations of float32 networks are those of onnxruntime, within its rounding',
  async () => {
    await fc.assert(
      fc.asyncProperty(recipes('float32', FEATURES.float32), async (recipe) => {
        const found = faultyRun(recipe, 'float32');
        fc.pre(found !== undefined && found.struck.length > 0);
        const { run, reads, struck } = found;
        const ours = computed(run, reads);
        const sound = computed(run, new Map());
        const given = struck.map((tensor) => {
          const values = ours.seen.get(tensor);
          if (!values) throw new Error(`tensor ${tensor} was not seen`);
          return { tensor, values };
        });
        // The first of them is of sound ones alone.
        const [first] = struck;
        const read = reads.get(first);
        const before = sound.seen.get(first);
        if (!read || !before) throw new Error(`tensor ${first} was not seen`);
        expect(Array.from(given[0].values)).toEqual(Array.from(patched(before, run, first, read)));
        const shown = await runCut(run, [], first);
        expectClose(before, shown.get(nameOf(run.network, first)), sound.seen);
        const outputs = await runCut(run, given, undefined);
        const { name } = run.network.tensors[run.network.output];
        expectClose(ours.outputs, outputs.get(name), ours.seen);
      }),
      { numRuns: CASES },
    );
  },
  60_000 + 1000 * CASES,
);

/**
 * Equal but for rounding, of which sums have as much as their summands: where these cancel, what is left of them is small,
 * so that the values of all tensors count, not those of the result alone.
 */
function expectClose(
  ours: Values,
  theirs: Values | undefined,
  tensors: ReadonlyMap<number, Values>,
): void {
  let largest = 1e-30;
  for (const values of tensors.values()) {
    for (const value of values) largest = Math.max(largest, Math.abs(value));
  }
  const tolerance = largest * FLOAT32_TOLERANCE;
  const differing = ours.findIndex(
    (value, index) => !(Math.abs(value - (theirs?.[index] ?? Number.NaN)) <= tolerance),
  );
  expect(ours.length).toBe(theirs?.length);
  if (differing >= 0) expect(ours[differing], `value ${differing}`).toBe(theirs?.[differing]);
}
