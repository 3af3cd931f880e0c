import { ModelError } from '../../../core/index.js';
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from '../../onnx/index.js';
import { nodeLabel } from '../../onnx/index.js';

/** The first operator set with integer operators, into which onnxruntime fuses. */
export const INTEGERS_FROM = 10;

/** Nodes of an operator set before `INTEGERS_FROM` as they are from then on, with the constants that they take. */
export interface RaisedNodes {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

/**
 * The nodes of a model in operator set `INTEGERS_FROM`, or its own where that is later: what was an attribute of Slice,
 * TopK and Upsample is an input since then.
 *
 * @param fresh makes names of values
 * @throws ModelError naming a node that has no such form
 */
export function raiseOperatorSet(
  { graph, opsets }: OnnxModel,
  source: string,
  fresh: (wanted: string) => string,
): RaisedNodes {
  if ((opsets.get('') ?? 1) >= INTEGERS_FROM) return { nodes: graph.nodes, initializers: [] };
  const initializers: OnnxTensor[] = [];
  const integers = (node: OnnxNode, what: string, values: readonly number[]) => {
    const name = fresh(`${node.outputs[0]}_${what}`);
    const data = BigInt64Array.from(values, BigInt);
    initializers.push({ name, elementType: 'int64', dims: [values.length], data });
    return name;
  };
  const nodes = graph.nodes.map((node) => {
    if (node.domain !== '') return node;
    switch (node.opType) {
      case 'Slice': {
        const [starts, ends] = ['starts', 'ends'].map((name) => intsOf(node, name));
        if (!starts || !ends) throw lacking(source, node);
        const axes = intsOf(node, 'axes') ?? starts.map((_, axis) => axis);
        return withInputs(node, [
          node.inputs[0],
          integers(node, 'starts', starts),
          integers(node, 'ends', ends),
          integers(node, 'axes', axes),
        ]);
      }
      case 'TopK': {
        const k = node.attributes.get('k');
        if (k?.type !== 'int') throw lacking(source, node);
        const axis = node.attributes.get('axis');
        return withInputs(
          node,
          [node.inputs[0], integers(node, 'k', [k.value])],
          axis && new Map([['axis', axis]]),
        );
      }
      case 'Upsample': {
        const scales = node.attributes.get('scales');
        const mode = node.attributes.get('mode');
        const attributes = new Map<string, OnnxAttribute>(mode && [['mode', mode]]);
        if (scales?.type !== 'floats') return { ...node, opType: 'Resize', attributes };
        const name = fresh(`${node.outputs[0]}_scales`);
        const data = Float32Array.from(scales.value);
        initializers.push({ name, elementType: 'float32', dims: [data.length], data });
        const inputs = [node.inputs[0], name];
        return { ...withInputs(node, inputs, attributes), opType: 'Resize' };
      }
      default:
        return node;
    }
  });
  return { nodes, initializers };
}

function withInputs(
  node: OnnxNode,
  inputs: readonly string[],
  attributes: OnnxNode['attributes'] = new Map(),
): OnnxNode {
  return { ...node, inputs, attributes };
}

function intsOf(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.type === 'ints' ? attribute.value : undefined;
}

function lacking(source: string, node: OnnxNode): ModelError {
  return new ModelError(`${source}: ${nodeLabel(node)} lacks attributes of its operator set`);
}
