import { ModelError } from '../../../core/index.js';
import { nodeLabel, type OnnxModel, type OnnxNode, type OnnxTensor } from '../../onnx/index.js';
import { type ImportGraph, isStandard, nodeError, onlyOutput, type TensorType } from '../graph.js';
import { fixedBatch, requireSampleOutputs, sampleShape } from './batch.js';
import { constantValue } from './fold/constant.js';
import { createFolding } from './fold/index.js';
import { moveWeights } from './moved-weights.js';
import { collectUses, neededNodes } from './needed.js';
import { type InputSizes, sampleOf } from './sample.js';
import { outputTypes } from './shapes/index.js';
import { statedTypes } from './stated-types.js';
import { createThrough } from './through.js';
import { checkVersions } from './versions.js';

/**
 * Prepares a graph for import, for one sample. Each value gets its type; what does not depend on the inputs, the shapes
 * of activations included, becomes a constant; nodes that pass a value on, and those that no output depends on, go.
 *
 * @throws ModelError when the form is wrong (operator sets, values made twice or taken before they are made), or a size
 * of an input stays open
 */
export function prepareGraph(
  model: OnnxModel,
  source: string,
  sizes: InputSizes = {},
): ImportGraph {
  const opset = checkVersions(model, source);
  const constants = initializers(model, source);
  // Up to IR version 3, initialisers are listed among the inputs, too.
  const inputs = model.graph.inputs.filter(({ name }) => !constants.has(name));
  if (inputs.length === 0) throw new ModelError(`${source} has no inputs`);
  if (model.graph.outputs.length === 0) throw new ModelError(`${source} has no outputs`);
  const sample = sampleOf(inputs, source, sizes);
  const types = new Map<string, TensorType | undefined>(sample.types);
  const addConstant = (tensor: OnnxTensor) => {
    const { name, elementType, dims } = tensor;
    constants.set(name, tensor);
    types.set(name, { elementType, dims });
  };
  for (const tensor of model.graph.initializers) addConstant(tensor);
  const untyped = new Map<string, string>();
  const scope = { source, opset, constants, types, untyped };
  const through = createThrough(model.graph, scope);
  const stated = statedTypes(model.graph, inputs, sample);
  const fold = createFolding(scope);
  const made = new Set(types.keys());
  const reserved = new Set(model.graph.nodes.flatMap((node) => node.outputs));
  const nodes: OnnxNode[] = [];
  const makers = new Map<string, OnnxNode>();
  const batch = fixedBatch(inputs);

  function fresh(wanted: string): string {
    let name = wanted;
    for (let count = 2; made.has(name) || reserved.has(name); count += 1)
      name = `${wanted}_${count}`;
    made.add(name);
    return name;
  }

  function addNode(node: OnnxNode): void {
    nodes.push(node);
    for (const name of node.outputs) makers.set(name, node);
  }

  /** A node with what it takes under the names that it has here, of one sample. */
  function resolved(original: OnnxNode): OnnxNode {
    const node = { ...original, inputs: original.inputs.map(through.resolve) };
    const shape = batch === undefined ? undefined : sampleShape(scope, node, batch);
    if (!shape) return node;
    const name = fresh(`${shape.name}_of_one_sample`);
    addConstant({ ...shape, name });
    return { ...node, inputs: [node.inputs[0], name] };
  }

  /** Notes types of a node's outputs; undefined where one of them is not known. */
  function inferTypes(node: OnnxNode): readonly TensorType[] | undefined {
    let found: readonly (TensorType | undefined)[] = [];
    let reason = unknownShape(node);
    try {
      found = outputTypes(scope, node);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      reason = withoutSource(error.message, source);
    }
    const known: TensorType[] = [];
    for (const [index, name] of node.outputs.entries()) {
      if (name === '') continue;
      const type = found[index] ?? stated.get(name);
      types.set(name, type);
      if (type) known[index] = type;
      else untyped.set(name, reason);
    }
    return node.outputs.every((name, index) => name === '' || known[index]) ? known : undefined;
  }

  for (const original of model.graph.nodes) {
    const node = resolved(original);
    const unmade = node.inputs.find((name) => name !== '' && !made.has(name));
    if (unmade !== undefined) throw nodeError(source, node, missing(unmade));
    for (const name of node.outputs) {
      if (made.has(name)) throw nodeError(source, node, `makes "${name}", which exists already`);
      if (name !== '') made.add(name);
    }
    if (through.passes(node)) continue;
    if (isStandard(node, 'Constant')) {
      addConstant(constantValue(source, node, onlyOutput(source, node)));
      continue;
    }
    const outputs = inferTypes(node);
    const folded = outputs && fold(node, outputs);
    if (folded) {
      folded.forEach(addConstant);
      continue;
    }
    const moved = outputs && moveWeights(scope, node, outputs[0], { makers, fold, fresh });
    if (moved) {
      addConstant(moved.constant);
      for (const part of moved.nodes) {
        inferTypes(part);
        addNode(part);
      }
      continue;
    }
    addNode(node);
  }
  const outputs = model.graph.outputs.map(({ name }) => {
    const value = through.resolve(name);
    if (made.has(value)) return { value, name };
    throw new ModelError(`${source}: no node makes the output "${name}"`);
  });
  if (batch !== undefined) requireSampleOutputs(model.graph, outputs, scope, batch);
  const needed = neededNodes(
    nodes,
    outputs.map(({ value }) => value),
  );
  return {
    ...scope,
    opsets: model.opsets,
    irVersion: model.irVersion,
    inputs,
    outputs,
    input: inputs[0],
    output: outputs[0],
    nodes: needed,
    ...collectUses(needed, outputs),
    weightSources: new Map(),
  };
}

function initializers(model: OnnxModel, source: string): Map<string, OnnxTensor> {
  const constants = new Map<string, OnnxTensor>();
  for (const tensor of model.graph.initializers) {
    if (constants.has(tensor.name)) {
      throw new ModelError(`${source} has two initialisers named "${tensor.name}"`);
    }
    constants.set(tensor.name, tensor);
  }
  return constants;
}

function missing(name: string): string {
  return `takes "${name}", which is neither an initialiser nor made by an earlier node`;
}

function unknownShape(node: OnnxNode): string {
  return `${nodeLabel(node)} has an output whose shape Bitcell cannot tell; write it into the file (onnx.shape_inference, or onnxruntime.tools.symbolic_shape_infer)`;
}

/** A message without the file's name, which is put before it where it is shown. */
function withoutSource(message: string, source: string): string {
  return message.startsWith(`${source}: `) ? message.slice(source.length + 2) : message;
}

/** Fails unless a graph has one input and one output. */
export function requireOneOfEach({ source, inputs, outputs }: ImportGraph): void {
  if (inputs.length === 1 && outputs.length === 1) return;
  throw new ModelError(
    `${source} has ${inputs.length} inputs and ${outputs.length} outputs, but Bitcell reads networks with one of each`,
  );
}
