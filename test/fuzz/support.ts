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
  | 'concat'
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
  /** Scales and zero points kept in Constant nodes, not in initialisers. */
  | 'constant-nodes';

/** What `readNetwork` reads of each form, and so what the fuzz generates: a line here switches a feature on. */
export const SUPPORTED: Readonly<Record<Form, ReadonlySet<Feature>>> = {
  qdq: new Set<Feature>([
    'conv',
    'gemm',
    'max-pool',
    'relu',
    'flatten',
    'reshape',
    'identity',
    'dropout',
    'weight-zero-points',
    'constant-nodes',
  ]),
  qoperator: new Set<Feature>([]),
  float32: new Set<Feature>([
    'conv',
    'gemm',
    'max-pool',
    'relu',
    'flatten',
    'reshape',
    'identity',
    'dropout',
    'constant-nodes',
  ]),
};

/** Everything that the generator can write in each form, whether or not it can be read already. */
export const EVERYTHING: Readonly<Record<Form, ReadonlySet<Feature>>> = {
  qdq: new Set<Feature>([
    'conv',
    'gemm',
    'matmul',
    'max-pool',
    'average-pool',
    'global-average-pool',
    'relu',
    'clip',
    'leaky-relu',
    'add',
    'concat',
    'flatten',
    'reshape',
    'identity',
    'dropout',
    'auto-pad',
    'ceil-mode',
    'int8-activations',
    'uint8-weights',
    'weight-zero-points',
    'constant-nodes',
  ]),
  qoperator: new Set<Feature>([
    'conv',
    'gemm',
    'matmul',
    'max-pool',
    'average-pool',
    'global-average-pool',
    'relu',
    'leaky-relu',
    'add',
    'concat',
    'flatten',
    'reshape',
    'identity',
    'auto-pad',
    'ceil-mode',
    'int8-activations',
    'uint8-weights',
    'weight-zero-points',
    'constant-nodes',
  ]),
  float32: new Set<Feature>([
    'conv',
    'gemm',
    'matmul',
    'max-pool',
    'average-pool',
    'global-average-pool',
    'relu',
    'clip',
    'leaky-relu',
    'add',
    'concat',
    'flatten',
    'reshape',
    'identity',
    'dropout',
    'auto-pad',
    'ceil-mode',
    'constant-nodes',
  ]),
};
