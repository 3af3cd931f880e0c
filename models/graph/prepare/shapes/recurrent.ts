import type { OnnxNode } from '../../../onnx/index.js';
import { type GraphScope, intAttribute, nodeError, type TensorType } from '../../graph.js';
import { inputType } from '../forms/index.js';
import { each, requireRank, type ShapeRule, type ShapeRules } from './rules.js';

/** LSTM, GRU and RNN: all states, the last state and, of an LSTM, the last cell. */
const recurrent: ShapeRule = (scope, node) => {
  const input = inputType(scope, node, 0);
  const weights = inputType(scope, node, 2, 'recurrent weight');
  requireRank(scope, node, input, 3);
  requireRank(scope, node, weights, 3);
  const isBatchFirst = intAttribute(scope.source, node, 'layout', 0) !== 0;
  const [first, second] = input.dims;
  const [steps, batch] = isBatchFirst ? [second, first] : [first, second];
  const [directions, , hidden] = weights.dims;
  const all = isBatchFirst
    ? [batch, steps, directions, hidden]
    : [steps, directions, batch, hidden];
  const last = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const typed = (dims: readonly number[]): TensorType => ({ elementType: input.elementType, dims });
  return [typed(all), typed(last), typed(last)];
};

/** Attention of the standard operators (23): queries, keys and values apart, of 3 or 4 dimensions. */
const attention: ShapeRule = (scope, node) => {
  const query = inputType(scope, node, 0);
  const value = inputType(scope, node, 2, 'value');
  const depth = value.dims[value.dims.length - 1];
  if (query.dims.length === 4) return [{ ...query, dims: query.dims.with(3, depth) }];
  requireRank(scope, node, query, 3);
  const heads = (name: string) => intAttribute(scope.source, node, name, 0);
  const size = (depth / heads('kv_num_heads')) * heads('q_num_heads');
  if (Number.isInteger(size)) return [{ ...query, dims: query.dims.with(2, size) }];
  throw nodeError(scope.source, node, 'has numbers of heads that do not divide its values');
};

/** com.microsoft.Attention: queries, keys and values by one product. */
const joinedAttention: ShapeRule = (scope, node) => {
  const input = inputType(scope, node, 0);
  requireRank(scope, node, input, 3);
  return [{ ...input, dims: input.dims.with(2, valueWidth(scope, node)) }];
};

function valueWidth(scope: GraphScope, node: OnnxNode): number {
  const sizes = node.attributes.get('qkv_hidden_sizes');
  if (sizes?.type === 'ints' && sizes.value.length === 3) return sizes.value[2];
  const { dims } = inputType(scope, node, 1, 'weight');
  return dims[dims.length - 1] / 3;
}

/** com.microsoft.MultiHeadAttention with values of 3 dimensions. */
const multiHeadAttention: ShapeRule = (scope, node) => {
  const query = inputType(scope, node, 0);
  if (query.dims.length !== 3 || !node.inputs[2]) return [];
  const value = inputType(scope, node, 2);
  if (value.dims.length !== 3) return [];
  return [{ ...query, dims: query.dims.with(2, value.dims[2]) }];
};

/** Operators on sequences. */
export const RECURRENT: ShapeRules = {
  ...each(['LSTM', 'GRU', 'RNN'], recurrent),
  Attention: attention,
};

/** The same of com.microsoft. */
export const MICROSOFT_RECURRENT: ShapeRules = {
  Attention: joinedAttention,
  MultiHeadAttention: multiHeadAttention,
};
