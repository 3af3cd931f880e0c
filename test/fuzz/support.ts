/** How a network's quantisation is written: DequantizeLinear and QuantizeLinear around float operators, integer operators, or none. */
export type Form = 'qdq' | 'qoperator' | 'float32';

/** What a random graph may contain. */
export type Feature =
  | 'conv'
  | 'gemm'
  | 'matmul'
  | 'max-pool'
  | 'average-pool'
  | 'global-average-pool'
  /** After a weighted layer or an addition. */
  | 'relu'
  /** The same, with an upper bound as well. */
  | 'clip'
  | 'leaky-relu'
  | 'add'
  /** Of one value, such as Sigmoid. */
  | 'function'
  /** Of two values, broadcast, or of one and a constant. */
  | 'binary'
  | 'softmax'
  | 'reduce'
  /** By mean and variance, or by neighbouring channels. */
  | 'normalize'
  | 'concat'
  /** Values in other places: Slice, Pad, Gather, Tile and the like. */
  | 'rearrange'
  | 'flatten'
  | 'reshape'
  | 'identity'
  | 'dropout'
  | 'auto-pad'
  /** Pooling whose output size is rounded up. */
  | 'ceil-mode'
  /** Activations in −128…127. */
  | 'int8-activations'
  /** Weights in 0…255. */
  | 'uint8-weights'
  | 'weight-zero-points'
  /** Two layers that read the same weights. */
  | 'shared-weights'
  /** Scales and zero points kept in Constant nodes, not in initialisers. */
  | 'constant-nodes';

const IN_EVERY_FORM: readonly Feature[] = [
  'conv',
  'gemm',
  'matmul',
  'max-pool',
  'average-pool',
  'global-average-pool',
  'relu',
  'leaky-relu',
  'add',
  'function',
  'binary',
  'softmax',
  'concat',
  'rearrange',
  'flatten',
  'reshape',
  'identity',
  'auto-pad',
  'ceil-mode',
  'shared-weights',
  'constant-nodes',
];
const IN_FLOAT_OPERATORS: readonly Feature[] = ['clip', 'dropout', 'reduce'];
const IN_QUANTIZED_FORMS: readonly Feature[] = [
  'int8-activations',
  'uint8-weights',
  'weight-zero-points',
];

/** Everything that the generator can write in each form. */
export const FEATURES: Readonly<Record<Form, ReadonlySet<Feature>>> = {
  qdq: new Set([...IN_EVERY_FORM, ...IN_FLOAT_OPERATORS, ...IN_QUANTIZED_FORMS]),
  qoperator: new Set([...IN_EVERY_FORM, ...IN_QUANTIZED_FORMS]),
  float32: new Set([...IN_EVERY_FORM, ...IN_FLOAT_OPERATORS, 'normalize']),
};
