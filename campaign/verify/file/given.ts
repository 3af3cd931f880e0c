import { int8Units } from '../../../mitigation/index.js';
import {
  decodeOnnx,
  encodeOnnx,
  type Int8Network,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
} from '../../../models/index.js';
import type { Datapath } from '../../../sim/index.js';
import { captureRun, countDifferent, inputBatches, outputShape } from '../batches.js';
import { type Comparison, compareLayer, judge } from '../compare.js';
import { isInexact } from '../fusions.js';
import {
  FLOAT_OPERATORS,
  loadReference,
  type OptimizationLevel,
  type Reference,
  UnloadableError,
  unfusedGroups,
} from '../onnxruntime.js';
import { type CaseResult, refusedCase, type VerifyOptions } from '../result.js';

type GivenOptions = Pick<VerifyOptions, 'network' | 'file' | 'workload' | 'images' | 'threads'>;

/**
 * Compare the file that a network was read from with onnxruntime: its outputs, on the file untouched, and its inner
 * tensors, on a copy in which they are outputs, too. Of a file in QDQ form the level `all` has the meaning, and
 * `disabled` may differ by the step rule; in QOperator form both must be equal.
 *
 * @param datapath of the network; left without faults and clips
 */
export async function verifyGiven(
  options: GivenOptions,
  datapath: Datapath,
): Promise<CaseResult[]> {
  const { network, file } = options;
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(int8Units(network, new Map()));
  const model = decodeOnnx(file, network.name);
  const isQdq = model.graph.nodes.some(
    ({ domain, opType }) => domain === '' && FLOAT_OPERATORS.has(opType),
  );
  return [
    await attempt(options, 'all', () => verifyOutputs(options, datapath, 'all', isQdq)),
    await attempt(options, 'disabled', () => verifyOutputs(options, datapath, 'disabled', isQdq)),
    await attempt(options, 'inner tensors as outputs, all', () =>
      verifyInside(options, datapath, model),
    ),
  ];
}

type Found = Omit<CaseResult, 'name' | 'images'>;

/** What onnxruntime makes of a file at one level says nothing of what it means. */
class UncomparableError extends Error {}

/** What onnxruntime itself refuses (it has bugs of its own) is told, not compared. */
async function attempt(
  { images }: GivenOptions,
  what: string,
  compare: () => Promise<Found>,
): Promise<CaseResult> {
  const name = `the file as given, ${what}`;
  try {
    return { name, images, ...(await compare()) };
  } catch (error) {
    if (error instanceof UncomparableError) return refusedCase(name, error.message);
    if (!(error instanceof UnloadableError)) throw error;
    return refusedCase(name, `onnxruntime does not load it: ${error.message}`);
  }
}

async function verifyOutputs(
  { network, file, workload, images, threads }: GivenOptions,
  datapath: Datapath,
  level: OptimizationLevel,
  isQdq: boolean,
): Promise<Found> {
  const unfused = level === 'all' && isQdq ? await unfusedGroups(file) : [];
  const reference = await loadReference(file, level, threads);
  const comparison: Comparison = new Map();
  const fused =
    level === 'disabled' && isQdq ? await loadReference(file, 'all', threads) : undefined;
  const levels: Comparison = new Map();
  const { name } = network.tensors[network.output];
  for (const { inputs, first, count } of inputBatches(workload, images, datapath.batch)) {
    const { outputs: ours } = captureRun(datapath, inputs, count);
    const theirs = await finalOutput(reference, network, inputs, count);
    const compared = {
      ...{ layer: `${name} (output)`, order: network.layers.length, theirs },
      ...{ shape: outputShape(ours, count), firstImage: first, images: count },
    };
    compareLayer(comparison, { ...compared, ours });
    if (!fused) continue;
    const other = await finalOutput(fused, network, inputs, count);
    compareLayer(levels, { ...compared, ours: other });
  }
  await reference.release();
  await fused?.release();
  if (judge(levels, () => 'step').mismatches > 0) {
    throw new UncomparableError(
      'onnxruntime itself gives other results at this level than at "all"',
    );
  }
  const allowsSteps =
    isQdq && (level === 'disabled' || unfused.some(isInexact) || network.unfused !== undefined);
  return {
    layers: 1,
    ...judge(comparison, () => (allowsSteps ? 'step' : 'exact')),
    exposingChanges: 0,
    unfused,
  };
}

async function finalOutput(
  reference: Reference,
  network: Int8Network,
  inputs: Float32Array,
  count: number,
): Promise<Uint8Array | Float32Array> {
  const { shape } = network.tensors[network.input];
  const { name } = network.tensors[network.output];
  const outputs = await reference.run(inputs, shape, count);
  const output = outputs.get(name);
  if (!output) throw new Error(`no output ${name}`);
  return output;
}

async function verifyInside(
  { network, file, workload, images, threads }: GivenOptions,
  datapath: Datapath,
  model: OnnxModel,
): Promise<Found> {
  const nodes = quantizingNodes(network, model);
  const exposedFile = encodeOnnx(exposeOutputs(model, nodes.values()));
  const untouched = await loadReference(file, 'all', threads);
  const exposed = await loadReference(exposedFile, 'all', threads);
  const comparison: Comparison = new Map();
  const compared = new Set<number>();
  let exposingChanges = 0;
  for (const { inputs, first, count } of inputBatches(workload, images, datapath.batch)) {
    const { tensors } = captureRun(datapath, inputs, count);
    const { shape: inputShape } = network.tensors[network.input];
    const theirs = await exposed.run(inputs, inputShape, count);
    const shown = theirs.get(network.tensors[network.output].name);
    const final = await finalOutput(untouched, network, inputs, count);
    exposingChanges += shown ? countDifferent(shown, final) : final.length;
    for (const [order, { name, output }] of network.layers.entries()) {
      const our = tensors.get(output);
      const their = theirs.get(nodes.get(output)?.outputs[0] ?? '');
      if (!our || !their) continue;
      compared.add(output);
      const { shape } = network.tensors[output];
      compareLayer(comparison, {
        ...{ layer: name, order, shape, firstImage: first, images: count },
        ...{ ours: our, theirs: their },
      });
    }
  }
  await untouched.release();
  await exposed.release();
  const unfused = await unfusedGroups(exposedFile);
  const allowsSteps = unfused.some(isInexact) || exposingChanges > 0;
  const judged = judge(comparison, () => (allowsSteps ? 'step' : 'exact'));
  return { layers: compared.size, ...judged, exposingChanges, unfused };
}

/** Where the nodes that make integers take the zero point of their output. */
const OUTPUT_ZERO_POINTS: Readonly<Record<string, number>> = {
  QuantizeLinear: 2,
  QLinearConv: 7,
  QLinearMatMul: 7,
  QGemm: 8,
  QLinearAdd: 7,
  QLinearConcat: 1,
  QLinearAveragePool: 4,
  QLinearGlobalAveragePool: 4,
  QLinearLeakyRelu: 4,
};

/** The node of a file that makes each tensor's integers, those of the input excepted. */
function quantizingNodes(
  network: Int8Network,
  { graph }: OnnxModel,
): ReadonlyMap<number, OnnxNode> {
  const byName = new Map<string, OnnxNode>();
  const producers = new Map<string, OnnxNode>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    if (node.opType === 'QuantizeLinear') {
      byName.set(beforeIdentities(node.inputs[0], producers), node);
    } else if (Object.hasOwn(OUTPUT_ZERO_POINTS, node.opType)) {
      byName.set(node.outputs[0].replace(/_quantized$/, ''), node);
    }
  }
  const last = producers.get(beforeIdentities(graph.outputs[0].name, producers));
  const output = producers.get(last?.inputs[0] ?? '');
  return new Map(
    network.tensors.flatMap(({ name }, tensor) => {
      if (tensor === network.input) return [];
      const found = tensor === network.output ? output : byName.get(name);
      return found && Object.hasOwn(OUTPUT_ZERO_POINTS, found.opType) ? [[tensor, found]] : [];
    }),
  );
}

/** The value before nodes that change nothing. */
function beforeIdentities(value: string, producers: ReadonlyMap<string, OnnxNode>): string {
  const node = producers.get(value);
  const isNothing = node?.opType === 'Identity' || node?.opType === 'Dropout';
  return isNothing ? beforeIdentities(node.inputs[0], producers) : value;
}

/** The model with what these nodes make as outputs, too. */
function exposeOutputs(model: OnnxModel, nodes: Iterable<OnnxNode>): OnnxModel {
  const { graph } = model;
  const types = new Map(graph.initializers.map(({ name, elementType }) => [name, elementType]));
  for (const { outputs, attributes } of graph.nodes) {
    const value = attributes.get('value');
    if (value?.type === 'tensor') types.set(outputs[0], value.value.elementType);
  }
  const exposed = [...new Set(nodes)].map(({ opType, inputs, outputs, attributes }): OnnxValue => {
    const zeroPoint = types.get(inputs[OUTPUT_ZERO_POINTS[opType]]);
    const named = attributes.get('output_dtype');
    const isNamedSigned = named?.type === 'int' && named.value === INT8;
    const elementType = (zeroPoint ?? (isNamedSigned ? 'int8' : 'uint8')) as 'int8' | 'uint8';
    return { name: outputs[0], elementType, dims: undefined };
  });
  return { ...model, graph: { ...graph, outputs: [...graph.outputs, ...exposed] } };
}

/** TensorProto.DataType's number of int8. */
const INT8 = 3;
