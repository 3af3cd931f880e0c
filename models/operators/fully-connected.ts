import { floatAttribute, intAttribute, nodeError } from '../graph/graph.js';
import { MICROSOFT_DOMAIN } from '../graph/graph-builder.js';
import type { ArrayLayer } from '../network.js';
import type { OnnxNode } from '../onnx/index.js';
import type { Activation, OperatorDefinition, ReadValues } from './definition.js';
import {
  matrixProduct,
  type Positions,
  readProduct,
  readQuantizedProduct,
  weightsOf,
} from './products.js';

/** Its products are computed on the array, by a kernel that the datapath gives it. */
export const fullyConnected: OperatorDefinition<ArrayLayer> = {
  kind: 'fully-connected',
  moves: false,
  joins: false,
  keepsChannels: false,
  readers: [
    { domain: '', opType: 'Gemm', read },
    { domain: '', opType: 'MatMul', read },
    {
      domain: '',
      opType: 'QLinearMatMul',
      read: (into, node) => readQuantized(into, node, { output: 6, bias: undefined }),
    },
    {
      domain: MICROSOFT_DOMAIN,
      opType: 'QGemm',
      read: (into, node) => readQuantized(into, node, { output: 7, bias: 6 }),
    },
  ],
  vectorOperations: () => 0,
  isRectified: ({ relu }) => relu,
};

function read(into: ReadValues, node: OnnxNode): void {
  const { source } = into.graph;
  const weights = weightsOf(into, node, 1);
  const x = rowsOf(into, node);
  const product = matrixProduct(into, node, x, weights.tensor.dims, isTransposed(into, node));
  readProduct(into, node, x, weights, {
    ...product,
    alpha: floatAttribute(source, node, 'alpha', 1),
    beta: floatAttribute(source, node, 'beta', 1),
  });
}

function readQuantized(into: ReadValues, node: OnnxNode, positions: Positions): void {
  if (floatAttribute(into.graph.source, node, 'alpha', 1) !== 1) {
    into.cannot(node, 'has alpha other than 1');
  }
  readQuantizedProduct(
    into,
    node,
    positions,
    (x, dims) => matrixProduct(into, node, x, dims, isTransposed(into, node)),
    () => rowsOf(into, node),
  );
}

/** MatMul has no attributes, and so stores its weights input by output. */
function isTransposed({ graph }: ReadValues, node: OnnxNode): boolean {
  return intAttribute(graph.source, node, 'transB', 0) === 0;
}

/** What a node multiplies with its weights, features along the last axis. */
function rowsOf(into: ReadValues, node: OnnxNode): Activation {
  const { source } = into.graph;
  const x = into.rowMajor(node, 0);
  if (node.opType.endsWith('Gemm') && x.dims.length !== 2) {
    throw nodeError(
      source,
      node,
      `takes a tensor of ${x.dims.length} dimensions, expected 2 (batch included)`,
    );
  }
  if (intAttribute(source, node, 'transA', 0) === 0) return x;
  if (x.dims[1] !== 1) into.cannot(node, 'has transA = 1, of several samples');
  return { ...x, dims: [1, x.dims[0]] };
}
