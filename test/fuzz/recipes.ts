import fc from 'fast-check';
import { FAULT_KINDS, type FaultKind } from '../../fault/index.js';
import type { Feature, Form } from './support.js';

export type Pair = readonly [y: number, x: number];
export type Four = readonly [number, number, number, number];
export type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';
export type Activation = 'none' | 'relu' | 'clip';

/** The quantisation of a layer's output. */
export interface OutputChoice {
  /** 0…255; for int8 activations 128 less. */
  readonly zeroPoint: number;
  /** The scale is the one that fills most of the range, times 2^gain. */
  readonly gain: number;
  /** A node that changes nothing between the operator and its QuantizeLinear. */
  readonly passThrough: 'none' | 'Identity' | 'Dropout';
}

export interface WeightChoice {
  readonly perChannel: boolean;
  readonly unsigned: boolean;
  readonly zeroPoint: number;
  readonly values: 'uniform' | 'ends' | 'small';
  readonly bias: 'none' | 'moderate' | 'large';
}

export interface ConvStep {
  readonly op: 'conv';
  readonly outputs: number;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly pads: Four;
  readonly autoPad: AutoPad;
  readonly dilations: Pair;
  readonly grouping: 'none' | 'grouped' | 'depthwise';
  readonly weights: WeightChoice;
  readonly activation: Activation;
  readonly output: OutputChoice;
}

export interface DenseStep {
  readonly op: 'gemm' | 'matmul';
  readonly outputs: number;
  readonly transposed: boolean;
  readonly weights: WeightChoice;
  readonly activation: Activation;
  readonly output: OutputChoice;
}

export interface PoolStep {
  readonly op: 'max-pool' | 'average-pool';
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly pads: Four;
  readonly ceil: boolean;
  readonly includePads: boolean;
  readonly output: OutputChoice;
}

export interface UnaryStep {
  readonly op: 'global-average-pool' | 'leaky-relu';
  readonly alpha: number;
  readonly output: OutputChoice;
}

/** Functions of one value with an onnxruntime result that is equal to the bit, and the first operator set with each. */
export const FUNCTIONS = {
  Sigmoid: 13,
  Tanh: 13,
  HardSigmoid: 13,
  HardSwish: 14,
  Erf: 13,
  Abs: 13,
  Neg: 13,
  Floor: 13,
  Ceil: 13,
  Round: 13,
  Sign: 13,
  Softsign: 13,
  ThresholdedRelu: 13,
  Gelu: 20,
} as const;

export interface FunctionStep {
  readonly op: 'function';
  readonly opType: keyof typeof FUNCTIONS;
  readonly output: OutputChoice;
}

export const BINARY_OPERATORS = ['Add', 'Mul', 'Sub', 'Min', 'Max', 'PRelu'] as const;

export interface BinaryStep {
  readonly op: 'binary';
  readonly opType: (typeof BINARY_OPERATORS)[number];
  /** What stands beside the value: its own means, itself, or a constant of one number, one a channel, or all. */
  readonly operand: 'pooled' | 'itself' | 'scalar' | 'channels' | 'full';
  readonly swapped: boolean;
  /** Whether a constant is kept in float32, and not in integers. */
  readonly real: boolean;
  readonly output: OutputChoice;
}

export interface SoftmaxStep {
  readonly op: 'softmax';
  /** Modulo those there are, but for the batch. */
  readonly axis: number;
  readonly output: OutputChoice;
}

export interface ReduceStep {
  readonly op: 'reduce';
  readonly opType: 'ReduceMax' | 'ReduceMin' | 'ReduceMean' | 'ReduceSum' | 'ReduceL2';
  readonly along: 'positions' | 'channels';
  readonly keepsDims: boolean;
  readonly output: OutputChoice;
}

export interface NormalizeStep {
  readonly op: 'normalize';
  readonly opType: 'LayerNormalization' | 'InstanceNormalization' | 'LRN';
  readonly output: OutputChoice;
}

export const REARRANGEMENTS = [
  'Slice',
  'Pad',
  'Gather',
  'Tile',
  'DepthToSpace',
  'SpaceToDepth',
  'Expand',
] as const;

export interface RearrangeStep {
  readonly op: 'rearrange';
  readonly opType: (typeof REARRANGEMENTS)[number];
  readonly axis: 1 | 2 | 3;
  readonly before: number;
  readonly after: number;
  readonly mode: 'constant' | 'edge' | 'reflect';
}

export interface MoveStep {
  readonly op: 'flatten' | 'reshape' | 'identity' | 'dropout';
  /** Which of an operator's equal spellings to use. */
  readonly variant: number;
}

/** A layer that keeps height and width, inside a branch. */
export interface BranchLayer {
  readonly outputs: number;
  readonly kernel: 1 | 3;
  readonly depthwise: boolean;
  readonly weights: WeightChoice;
  readonly activation: Activation;
  readonly output: OutputChoice;
}

export interface ResidualStep {
  readonly op: 'add';
  readonly body: readonly BranchLayer[];
  readonly shortcut: BranchLayer | undefined;
  readonly swapped: boolean;
  readonly activation: Activation;
  readonly output: OutputChoice;
}

export interface ConcatStep {
  readonly op: 'concat';
  readonly branches: readonly (readonly BranchLayer[])[];
  readonly output: OutputChoice;
}

/** Two layers with the same weights. */
export interface TwinStep {
  readonly op: 'twin';
  readonly layer: BranchLayer;
  /** The second takes what the first takes, or what it makes; or it takes that and reads the matrix transposed. */
  readonly use: 'parallel' | 'chain' | 'transposed';
  readonly output: OutputChoice;
}

export type Step =
  | ConvStep
  | DenseStep
  | PoolStep
  | UnaryStep
  | FunctionStep
  | BinaryStep
  | SoftmaxStep
  | ReduceStep
  | NormalizeStep
  | RearrangeStep
  | MoveStep
  | ResidualStep
  | ConcatStep
  | TwinStep;

/** A faulty cell of the memory that holds the weights one behind the other. */
export interface FaultChoice {
  /** Which of the weights, as a share of their number. */
  readonly place: number;
  /** Modulo the bits that may fail. */
  readonly bit: number;
  readonly kind: FaultKind;
}

/** A random graph: structure that shrinks, and a seed for its numbers. */
export interface Recipe {
  readonly form: Form;
  readonly channels: number;
  /** Height and width of the input; absent: a vector. */
  readonly size: Pair | undefined;
  readonly images: number;
  readonly fixedBatch: boolean;
  readonly input: OutputChoice;
  readonly int8: boolean;
  /** All scales powers of two, so that many values are exact ties. */
  readonly dyadic: boolean;
  readonly opset: number;
  readonly constantNodes: boolean;
  /** One DequantizeLinear for all users of a value, or one for each. */
  readonly sharedDequantize: boolean;
  /** Whether every layer's output is compared, as a graph output of onnxruntime's copy. */
  readonly expose: boolean;
  readonly steps: readonly Step[];
  readonly faults: readonly FaultChoice[];
  readonly seed: number;
}

/** Random graphs of one form made of the given features. */
export function recipes(form: Form, features: ReadonlySet<Feature>): fc.Arbitrary<Recipe> {
  const has = (feature: Feature) => features.has(feature);
  const weighted = (['conv', 'gemm', 'matmul'] as const).filter(has);
  if (weighted.length === 0) throw new Error(`${form} has no layer with weights`);
  const output: fc.Arbitrary<OutputChoice> = fc.record({
    zeroPoint: byte(),
    gain: gain(),
    passThrough: fc.oneof(
      { weight: 8, arbitrary: fc.constant('none' as const) },
      ...(has('identity') ? [{ weight: 1, arbitrary: fc.constant('Identity' as const) }] : []),
      ...(has('dropout') ? [{ weight: 1, arbitrary: fc.constant('Dropout' as const) }] : []),
    ),
  });
  const weights: fc.Arbitrary<WeightChoice> = fc.record({
    perChannel: fc.boolean(),
    unsigned: has('uint8-weights') ? fc.boolean() : fc.constant(false),
    zeroPoint: has('weight-zero-points')
      ? fc.oneof(fc.constant(0), fc.constantFrom(-128, 127), fc.integer({ min: -128, max: 127 }))
      : fc.constant(0),
    values: fc.constantFrom('uniform', 'ends', 'small'),
    bias: fc.oneof(
      { weight: 2, arbitrary: fc.constant('none' as const) },
      { weight: 8, arbitrary: fc.constant('moderate' as const) },
      { weight: 1, arbitrary: fc.constant('large' as const) },
    ),
  });
  const activation: fc.Arbitrary<Activation> = fc.constantFrom(
    'none',
    ...(has('relu') ? (['relu'] as const) : []),
    ...(has('clip') ? (['clip'] as const) : []),
  );
  // A lower bound of 0 and a zero point above the minimum make a group that onnxruntime leaves unfused.
  const activated = fc
    .record({ activation, output, keepsZeroPoint: fc.integer({ min: 0, max: 19 }) })
    .map(({ activation, output, keepsZeroPoint }) => ({
      activation,
      output: activation === 'none' || keepsZeroPoint === 19 ? output : { ...output, zeroPoint: 0 },
    }));
  const layers: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [];
  const add = (feature: Feature, weight: number, arbitrary: fc.Arbitrary<Step>) => {
    if (has(feature)) layers.push({ weight, arbitrary });
  };

  const conv: fc.Arbitrary<Step> = fc
    .record({
      outputs: size(),
      kernel: pair(1, 5),
      strides: pair(1, 3),
      pads: fc.oneof(fc.constant([0, 0, 0, 0] as const), four(0, 2)),
      autoPad: has('auto-pad')
        ? fc.constantFrom<AutoPad>('NOTSET', 'NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER')
        : fc.constantFrom<AutoPad>('NOTSET', 'NOTSET', 'VALID'),
      dilations: fc.oneof(fc.constant([1, 1] as const), pair(1, 2)),
      grouping: fc.constantFrom('none', 'none', 'grouped', 'depthwise'),
      weights,
      activated,
    })
    .map(({ activated, ...rest }) => ({ op: 'conv', ...rest, ...activated }));
  const dense = (op: DenseStep['op']): fc.Arbitrary<Step> =>
    fc
      .record({ outputs: size(), transposed: fc.boolean(), weights, activated })
      .map(({ activated, ...rest }) => ({ op, ...rest, ...activated }));
  const pool = (op: PoolStep['op']): fc.Arbitrary<Step> =>
    fc.record({
      op: fc.constant(op),
      kernel: pair(1, 3),
      strides: pair(1, 3),
      pads: fc.oneof(fc.constant([0, 0, 0, 0] as const), four(0, 2)),
      ceil: has('ceil-mode') ? fc.boolean() : fc.constant(false),
      includePads: fc.boolean(),
      output,
    });
  const unary = (op: UnaryStep['op']): fc.Arbitrary<Step> =>
    fc.record({
      op: fc.constant(op),
      alpha: fc.constantFrom(0.01, 0.1, 0.25, 0.3),
      output,
    });
  const functions = Object.keys(FUNCTIONS) as FunctionStep['opType'][];
  const isInteger = form === 'qoperator';
  const functionStep: fc.Arbitrary<Step> = fc.record({
    op: fc.constant('function'),
    opType: isInteger ? fc.constant('Sigmoid') : fc.constantFrom('Sigmoid', ...functions),
    output,
  });
  const binary: fc.Arbitrary<Step> = fc.record({
    op: fc.constant('binary'),
    opType: isInteger
      ? fc.constantFrom('Add', 'Mul')
      : fc.constantFrom('Add', 'Mul', 'Mul', ...BINARY_OPERATORS),
    operand: fc.constantFrom('pooled', 'itself', 'scalar', 'channels', 'full'),
    swapped: fc.boolean(),
    real: isInteger ? fc.constant(false) : fc.boolean(),
    output,
  });
  const softmax: fc.Arbitrary<Step> = fc.record({
    op: fc.constant('softmax'),
    axis: fc.nat(2),
    output,
  });
  // Sums in float32 are onnxruntime's but for the last bits, which a quantisation may show.
  const reductions = (
    form === 'float32'
      ? ['ReduceMax', 'ReduceMin', 'ReduceMean', 'ReduceSum', 'ReduceL2']
      : ['ReduceMax', 'ReduceMin']
  ) as ReduceStep['opType'][];
  const reduce: fc.Arbitrary<Step> = fc.record({
    op: fc.constant('reduce'),
    opType: fc.constantFrom(...reductions),
    along: fc.constantFrom('positions', 'channels'),
    keepsDims: fc.boolean(),
    output,
  });
  const normalize: fc.Arbitrary<Step> = fc.record({
    op: fc.constant('normalize'),
    opType: fc.constantFrom('LayerNormalization', 'InstanceNormalization', 'LRN'),
    output,
  });
  const move = (op: MoveStep['op']): fc.Arbitrary<Step> =>
    fc.record({ op: fc.constant(op), variant: fc.nat(5) });
  const rearrange: fc.Arbitrary<Step> = fc.record({
    op: fc.constant('rearrange'),
    opType: fc.constantFrom(...REARRANGEMENTS),
    axis: fc.constantFrom(1, 2, 3),
    before: fc.nat(2),
    after: fc.nat(2),
    mode: fc.constantFrom('constant', 'edge', 'reflect'),
  });
  const branchLayer: fc.Arbitrary<BranchLayer> = fc
    .record({
      outputs: size(),
      kernel: fc.constantFrom(1, 3),
      depthwise: fc.boolean(),
      weights,
      activated,
    })
    .map(({ activated, ...rest }) => ({ ...rest, ...activated }));
  const branch = fc.array(branchLayer, { maxLength: 2 });

  add('conv', 8, conv);
  add('gemm', 4, dense('gemm'));
  add('matmul', 3, dense('matmul'));
  add('max-pool', 3, pool('max-pool'));
  add('average-pool', 3, pool('average-pool'));
  add('global-average-pool', 2, unary('global-average-pool'));
  add('leaky-relu', 2, unary('leaky-relu'));
  add('function', 3, functionStep);
  add('binary', 4, binary);
  add('softmax', 1, softmax);
  add('reduce', 1, reduce);
  add('normalize', 1, normalize);
  add('rearrange', 2, rearrange);
  add('flatten', 1, move('flatten'));
  add('reshape', 1, move('reshape'));
  add('identity', 1, move('identity'));
  add('dropout', 1, move('dropout'));
  add(
    'add',
    4,
    fc
      .record({
        body: branch,
        shortcut: fc.option(branchLayer, { nil: undefined }),
        swapped: fc.boolean(),
        activated,
      })
      .map(({ activated, ...rest }) => ({
        op: 'add',
        ...rest,
        ...activated,
        activation: activated.activation === 'clip' ? 'none' : activated.activation,
      })),
  );
  add(
    'concat',
    3,
    fc.record({
      op: fc.constant('concat' as const),
      branches: fc.array(branch, { minLength: 2, maxLength: 3 }),
      output,
    }),
  );

  add(
    'shared-weights',
    4,
    fc.record({
      op: fc.constant('twin' as const),
      layer: branchLayer,
      use: fc.constantFrom('parallel' as const, 'chain' as const, 'transposed' as const),
      output,
    }),
  );
  const fault: fc.Arbitrary<FaultChoice> = fc.record({
    // Doubles are drawn by their bits, which makes almost all of them tiny.
    place: fc.nat(2 ** 20 - 1).map((place) => place / 2 ** 20),
    bit: fc.nat(31),
    kind: fc.constantFrom(...FAULT_KINDS),
  });

  return fc
    .record({
      form: fc.constant(form),
      channels: size(),
      size: fc.option(pair(1, 9), { nil: undefined, freq: 6 }),
      images: fc.integer({ min: 1, max: 3 }),
      fixedBatch: fc.boolean(),
      input: fc.record({ zeroPoint: byte(), gain: gain(), passThrough: fc.constant('none') }),
      int8: has('int8-activations') ? fc.boolean() : fc.constant(false),
      dyadic: fc.boolean(),
      opset: fc.integer({ min: 13, max: 22 }),
      constantNodes: has('constant-nodes') ? fc.boolean() : fc.constant(false),
      sharedDequantize: fc.boolean(),
      expose: fc.boolean(),
      steps: fc.array(fc.oneof(...layers), { minLength: 1, maxLength: 5 }),
      faults: fc.array(fault, { maxLength: 6 }),
      seed: fc.integer({ min: 1, max: 0x7fffffff }),
    })
    .filter(({ steps }) =>
      steps.some(({ op }) => op === 'twin' || (weighted as readonly string[]).includes(op)),
    );
}

function byte(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(0, 255) },
    { weight: 1, arbitrary: fc.constant(128) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 255 }) },
  );
}

function gain(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 24, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(-12, -4, 4, 12) },
  );
}

/** Channels: mostly few, sometimes around the width of a vector register or of a tile. */
function size(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 9 }) },
    { weight: 1, arbitrary: fc.constantFrom(15, 16, 17, 33) },
  );
}

function pair(min: number, max: number): fc.Arbitrary<Pair> {
  return fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
}

function four(min: number, max: number): fc.Arbitrary<Four> {
  const one = () => fc.integer({ min, max });
  return fc.tuple(one(), one(), one(), one());
}
