import { capturedNames, elementTypeOf, type OnnxGraph, type OnnxNode } from '../../onnx/index.js';
import { type GraphScope, intAttribute, isStandard, nodeError } from '../graph.js';

/** Nodes that pass a value on: their outputs are other names of it. */
export interface Through {
  /** The value that a name stands for. */
  resolve(name: string): string;
  /** Whether a node passes its value on; then its output's name stands for that from now on. */
  passes(node: OnnxNode): boolean;
}

/** @param graph whose subgraphs take values by their names, which therefore stay values */
export function createThrough({ nodes, outputs }: OnnxGraph, scope: GraphScope): Through {
  const sources = new Map<string, string>();
  const captured = new Set(nodes.flatMap(capturedNames));
  const taken = new Set([
    ...nodes.flatMap(({ inputs }) => inputs),
    ...outputs.map(({ name }) => name),
    ...captured,
  ]);

  return {
    resolve: (name) => sources.get(name) ?? name,
    passes(node) {
      const [value] = node.inputs;
      const [output, ...others] = node.outputs;
      if (!value || !output || captured.has(output)) return false;
      if (others.some((name) => taken.has(name)) || !isPassing(scope, node)) return false;
      sources.set(output, value);
      return true;
    },
  };
}

/** Identity, Dropout outside training, and a Cast to the type that the value has. */
function isPassing(scope: GraphScope, node: OnnxNode): boolean {
  if (isStandard(node, 'Identity')) return true;
  if (isStandard(node, 'Dropout')) {
    const training = node.inputs[2];
    if (training && scope.constants.get(training)?.data[0] !== 0) {
      throw nodeError(scope.source, node, 'trains; export the network for inference');
    }
    return true;
  }
  if (!isStandard(node, 'Cast')) return false;
  const type = scope.types.get(node.inputs[0]);
  return type?.elementType === elementTypeOf(intAttribute(scope.source, node, 'to', 0));
}
