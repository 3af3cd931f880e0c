import fc from 'fast-check';
import type {
  ElementType,
  OnnxAttribute,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from '../../models/index.js';

/** A change of an ONNX model that usually makes it wrong; `at` chooses what is hit, `pick` by what. */
export interface ModelMutation {
  readonly kind: (typeof KINDS)[number];
  readonly at: number;
  readonly pick: number;
}

export const KINDS = [
  'remove-node',
  'repeat-node',
  'swap-nodes',
  'other-operator',
  'other-domain',
  'other-input',
  'remove-input',
  'add-input',
  'other-output',
  'remove-outputs',
  'node-name',
  'remove-attribute',
  'other-attribute',
  'remove-initializer',
  'repeat-initializer',
  'rename-initializer',
  'other-dims',
  'other-element-type',
  'other-data',
  'other-graph-input',
  'other-graph-output',
  'other-opset',
] as const;

export const modelMutations: fc.Arbitrary<readonly ModelMutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    at: fc.nat(2 ** 20),
    pick: fc.nat(2 ** 20),
  }),
  { minLength: 1, maxLength: 3 },
);

const NUMBERS = [
  0,
  -1,
  1,
  2,
  3,
  7,
  64,
  2 ** 16,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  2 ** 53 - 1,
];
const REALS = [0, -0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 3.4e38, 1, 0.5];
const STRINGS = [
  '',
  'SAME_UPPER',
  'NOTSET',
  '\u0000',
  '\u001b[31mred',
  'a\nb',
  '__proto__',
  'x'.repeat(5000),
];
const OPERATORS = [
  'Conv',
  'Gemm',
  'MatMul',
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'Relu',
  'Clip',
  'LeakyRelu',
  'Add',
  'Concat',
  'Flatten',
  'Reshape',
  'Identity',
  'Dropout',
  'Constant',
  'BatchNormalization',
  'QuantizeLinear',
  'DequantizeLinear',
  'QLinearConv',
  'QLinearMatMul',
  'QGemm',
  'Softmax',
  '',
  ...[
    'ArgMax Cast ConstantOfShape ConvInteger ConvTranspose CumSum DepthToSpace Einsum Expand Gather',
    'GatherElements GatherND GridSample LSTM LayerNormalization Mod NonZero OneHot Pad Pow QLinearAdd',
    'QLinearConcat Range ReduceMean ReduceSum Resize Shape Size Slice Split Squeeze Sub Tile TopK',
    'Transpose Trilu Unsqueeze Upsample Where',
  ].flatMap((line) => line.split(' ')),
];
const ELEMENT_TYPES: readonly ElementType[] = [
  'float32',
  'int8',
  'uint8',
  'int32',
  'int64',
  'bool',
  'float16',
  'float64',
  'uint64',
];

function from<T>(list: readonly T[], pick: number): T {
  return list[pick % list.length];
}

function replaced<T>(list: readonly T[], index: number, ...items: T[]): T[] {
  return list.toSpliced(index, 1, ...items);
}

/** The model with its mutations applied, one after the other. */
export function mutateModel(model: OnnxModel, mutations: readonly ModelMutation[]): OnnxModel {
  return mutations.reduce(mutate, model);
}

function mutate(model: OnnxModel, mutation: ModelMutation): OnnxModel {
  const { graph } = model;
  const { kind, at, pick } = mutation;
  if (kind === 'other-opset') {
    const versions = [0, -1, 9, 12, 23, 999, 2 ** 40];
    return from([true, false], at)
      ? { ...model, opsets: new Map([['', from(versions, pick)]]) }
      : { ...model, opsets: new Map([[from(STRINGS, pick), 13]]) };
  }
  if (kind === 'other-graph-input') {
    return { ...model, graph: { ...graph, inputs: otherValues(graph.inputs, at, pick) } };
  }
  if (kind === 'other-graph-output') {
    return { ...model, graph: { ...graph, outputs: otherValues(graph.outputs, at, pick) } };
  }
  if (/initializer|dims|element|data/.test(kind) && graph.initializers.length > 0) {
    const initializers = mutateInitializers(graph.initializers, mutation);
    return { ...model, graph: { ...graph, initializers } };
  }
  if (graph.nodes.length === 0) return model;
  return { ...model, graph: { ...graph, nodes: mutateNodes(graph, mutation) } };
}

function mutateNodes(
  { nodes, initializers }: OnnxModel['graph'],
  { kind, at, pick }: ModelMutation,
): OnnxNode[] {
  const index = at % nodes.length;
  const node = nodes[index];
  const slot = pick % Math.max(1, node.inputs.length);
  const names = ['', 'nowhere', ...nodes.flatMap(({ outputs }) => outputs)];
  const allNames = [...names, ...initializers.map(({ name }) => name)];
  const changed = (change: Partial<OnnxNode>) => replaced(nodes, index, { ...node, ...change });
  switch (kind) {
    case 'remove-node':
      return replaced(nodes, index);
    case 'repeat-node':
      return replaced(nodes, index, node, node);
    case 'swap-nodes': {
      const other = pick % nodes.length;
      return nodes.with(index, nodes[other]).with(other, node);
    }
    case 'other-operator':
      return changed({ opType: from(OPERATORS, pick) });
    case 'other-domain':
      return changed({ domain: from(['', 'com.microsoft', 'ai.onnx', 'other'], pick) });
    case 'other-input':
      return changed({ inputs: replaced(node.inputs, slot, from(allNames, at + pick)) });
    case 'remove-input':
      return changed({ inputs: replaced(node.inputs, slot) });
    case 'add-input':
      return changed({ inputs: [...node.inputs, from(allNames, pick)] });
    case 'other-output':
      return changed({ outputs: [from([...names, ...STRINGS], pick)] });
    case 'remove-outputs':
      return changed({ outputs: from([[], ['', ''], ['a', 'a']], pick) });
    case 'node-name':
      return changed({ name: from(STRINGS, pick) });
    case 'remove-attribute': {
      const kept = [...node.attributes].filter((_, position) => position !== slot);
      return changed({ attributes: new Map(kept) });
    }
    default: {
      const known = [
        ...node.attributes.keys(),
        'axis',
        'kernel_shape',
        'pads',
        'group',
        'ceil_mode',
        'axes',
        'auto_pad',
        'blocksize',
        'ends',
        'keepdims',
        'output_shape',
        'perm',
        'scales',
        'split',
        'starts',
        'to',
      ];
      const attributes = new Map(node.attributes);
      const name = from(known, pick);
      attributes.set(name, otherAttribute(attributes.get(name), at, pick));
      return changed({ attributes });
    }
  }
}

function otherAttribute(
  before: OnnxAttribute | undefined,
  at: number,
  pick: number,
): OnnxAttribute {
  const number = from(NUMBERS, pick);
  const choices: OnnxAttribute[] = [
    { type: 'int', value: number },
    { type: 'float', value: from(REALS, pick) },
    { type: 'string', value: from(STRINGS, pick) },
    { type: 'ints', value: Array.from({ length: pick % 6 }, () => number) },
    { type: 'floats', value: [from(REALS, pick)] },
  ];
  if (before?.type === 'ints') {
    choices.push({
      type: 'ints',
      value: before.value.map((value, axis) => (axis === pick % 4 ? number : value)),
    });
  }
  return from(choices, at);
}

function mutateInitializers(
  initializers: readonly OnnxTensor[],
  { kind, at, pick }: ModelMutation,
): OnnxTensor[] {
  const index = at % initializers.length;
  const tensor = initializers[index];
  switch (kind) {
    case 'remove-initializer':
      return replaced(initializers, index);
    case 'repeat-initializer':
      return [...initializers, { ...from(initializers, pick), name: tensor.name }];
    case 'rename-initializer':
      return replaced(initializers, index, { ...tensor, name: from(STRINGS, pick) });
    case 'other-dims':
      return replaced(initializers, index, { ...tensor, dims: otherDims(tensor.dims, pick) });
    case 'other-element-type': {
      const { buffer, byteOffset, byteLength } = tensor.data;
      const elementType = from(ELEMENT_TYPES, pick);
      const data = new Uint8Array(buffer, byteOffset, byteLength);
      // The bytes as they are, under another type: the encoder writes bytes whatever the type.
      return replaced(initializers, index, { ...tensor, elementType, data } as OnnxTensor);
    }
    default:
      return replaced(initializers, index, otherData(tensor, pick));
  }
}

function otherDims(dims: readonly number[], pick: number): number[] {
  const number = from(NUMBERS, pick);
  return from(
    [
      [],
      [...dims, 1],
      [1, ...dims],
      [...dims].reverse(),
      dims.map(() => number),
      [number, ...dims.slice(1)],
      [number, 0],
      [dims.reduce((a, b) => a * b, 1)],
    ],
    Math.floor(pick / NUMBERS.length),
  );
}

function otherData(tensor: OnnxTensor, pick: number): OnnxTensor {
  // After `other-element-type` the data are of another type than the tensor says.
  const otherValues = (data: OnnxTensor['data']) => {
    if (data instanceof Float32Array) return data.map(() => from(REALS, pick));
    if (data instanceof BigInt64Array) return data.map(() => BigInt(from(NUMBERS, pick)));
    if (data instanceof BigUint64Array) return data.map(() => 2n ** 64n - 1n);
    return Int32Array.from(data, () => from([0, -1, -128, 127, 255, 2 ** 31 - 1], pick));
  };
  return { ...tensor, data: otherValues(tensor.data) } as OnnxTensor;
}

function otherValues(values: readonly OnnxValue[], at: number, pick: number): OnnxValue[] {
  if (values.length === 0) return [];
  const [value] = values;
  const dims = value.dims ?? [];
  const number = from(NUMBERS, pick);
  return from<OnnxValue[]>(
    [
      [],
      [...values, ...values],
      [{ ...value, name: from(STRINGS, pick) }],
      [{ ...value, dims: undefined }],
      [{ ...value, dims: dims.map(() => number) }],
      [{ ...value, dims: [number, ...dims.slice(1)] }],
      [{ ...value, dims: [...dims, number] }],
      [{ ...value, dims: dims.slice(1) }],
      [{ ...value, dims: dims.map(() => from(STRINGS, pick)) }],
      [{ ...value, elementType: from([undefined, 'int8' as const, 'int64' as const], pick) }],
    ],
    at,
  );
}

/** A change of a file's bytes. */
export interface ByteMutation {
  readonly kind: 'flip' | 'set' | 'remove' | 'repeat' | 'insert' | 'truncate';
  /** Where, as a share of the length. */
  readonly at: number;
  readonly value: number;
}

export const byteMutations: fc.Arbitrary<readonly ByteMutation[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 4, arbitrary: fc.constant('flip' as const) },
      { weight: 4, arbitrary: fc.constant('set' as const) },
      { weight: 1, arbitrary: fc.constantFrom('remove', 'repeat', 'insert', 'truncate') },
    ),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 3 },
);

export function mutateBytes(bytes: Uint8Array, mutations: readonly ByteMutation[]): Uint8Array {
  return mutations.reduce(mutateFile, bytes);
}

function mutateFile(file: Uint8Array, { kind, at, value }: ByteMutation): Uint8Array {
  if (file.length === 0) return file;
  const place = Math.floor(at * file.length);
  const length = value % 17;
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
  switch (kind) {
    case 'flip':
      return file.with(place, file[place] ^ (1 << (value % 8)));
    case 'set':
      return file.with(place, value);
    case 'remove':
      return join(file.subarray(0, place), file.subarray(place + length));
    case 'repeat':
      return join(file.subarray(0, place + length), file.subarray(place));
    case 'insert':
      // Ten such bytes are a number too long to be one.
      return join(file.subarray(0, place), new Uint8Array(length).fill(255), file.subarray(place));
    case 'truncate':
      return file.slice(0, place);
  }
}

/** A float32 model with batch normalisation after its first convolution or fully connected layer. */
export function batchNormalized(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const at = graph.nodes.findIndex(({ opType }) => ['Conv', 'Gemm', 'MatMul'].includes(opType));
  const node = graph.nodes[at];
  const weights = graph.initializers.find(({ name }) => name === node?.inputs[1]);
  if (!weights) return model;
  const transB = node.attributes.get('transB');
  const outputsFirst = node.opType === 'Conv' || (transB?.type === 'int' && transB.value === 1);
  const channels = weights.dims[outputsFirst ? 0 : 1];
  const parameters = ['scale', 'bias', 'mean', 'variance'].map(
    (name): OnnxTensor => ({
      name: `norm_${name}`,
      elementType: 'float32',
      dims: [channels],
      data: Float32Array.from({ length: channels }, (_, channel) => 0.5 + channel),
    }),
  );
  const [output] = node.outputs;
  const nodes = graph.nodes.toSpliced(
    at,
    1,
    { ...node, outputs: ['before_norm'] },
    {
      name: 'norm',
      opType: 'BatchNormalization',
      domain: '',
      inputs: ['before_norm', ...parameters.map(({ name }) => name)],
      outputs: [output],
      attributes: new Map([['epsilon', { type: 'float', value: 1e-3 }]]),
    },
  );
  return {
    ...model,
    graph: { ...graph, nodes, initializers: [...graph.initializers, ...parameters] },
  };
}
