import { type FeatureShape, featureCount } from '../../core/index.js';
import type { OnnxAttribute, OnnxModel, OnnxValue, Quantization } from '../../models/index.js';
import {
  type Computation,
  createFormWriter,
  formAttributes,
  type Result,
  type StoredWeights,
  type Value,
  type Weights,
} from './forms.js';
import { createGraphWriter, float, int, ints, string } from './graph-writer.js';
import { rearrangement } from './rearrange.js';
import {
  type AutoPad,
  type BinaryStep,
  type BranchLayer,
  type ConvStep,
  type DenseStep,
  FUNCTIONS,
  type FunctionStep,
  type NormalizeStep,
  type OutputChoice,
  type Pair,
  type PoolStep,
  type RearrangeStep,
  type Recipe,
  type ReduceStep,
  type ResidualStep,
  type SoftmaxStep,
  type Step,
  type TwinStep,
  type WeightChoice,
} from './recipes.js';
import type { Feature } from './support.js';

/** A graph and inputs for it. */
export interface FuzzCase {
  readonly model: OnnxModel;
  /** The quantised values of the graph, in its order. */
  readonly values: readonly Value[];
  /** image × channel × row × column, float32. */
  readonly inputs: Float32Array;
  readonly images: number;
  /** Its weights, in the order in which layers first read them. */
  readonly stored: readonly StoredWeights[];
  /** Dimensions of `inputs`. */
  readonly inputDims: readonly number[];
}

export const OUTPUT = 'output';

/** Root mean square of a uniform byte around its mean. */
const BYTE_DEVIATION = 74;

/** Writes the graph that a recipe describes; layers that cannot follow what is there are adapted or left out. */
export function buildCase(recipe: Recipe, features: ReadonlySet<Feature>): FuzzCase {
  const { form, channels, size, images, seed } = recipe;
  const random = xorshift(seed);
  const writer = createGraphWriter(recipe.constantNodes);
  const type = recipe.int8 ? 'int8' : 'uint8';
  const { input, weighted, computed, constant, moved, passed, output, stored } = createFormWriter(
    form,
    writer,
    {
      type,
      sharedDequantize: recipe.sharedDequantize,
    },
  );
  const values: Value[] = [];
  const keep = (value: Value) => {
    values.push(value);
    return value;
  };

  const toScale = (scale: number) =>
    Math.fround(recipe.dyadic ? 2 ** Math.round(Math.log2(scale)) : scale);
  const toZeroPoint = (zeroPoint: number) => (recipe.int8 ? zeroPoint - 128 : zeroPoint);
  /** How far the stored values lie from the zero point, as a root mean square. */
  const magnitude = ({ zeroPoint }: Quantization) =>
    Math.hypot(BYTE_DEVIATION, toZeroPoint(127) - zeroPoint);

  function result(
    shape: FeatureShape,
    rank: 2 | 4,
    choice: OutputChoice,
    scale: number,
    activation: Result['activation'] = 'none',
  ): Result {
    const quantization = {
      scale: toScale(scale * 2 ** choice.gain),
      zeroPoint: toZeroPoint(choice.zeroPoint),
    };
    // onnxruntime drops a Clip that cuts nothing off the quantised range, and only then fuses.
    const high = quantization.scale * 255 * (random() < 0.9 ? 1.01 : 0.5);
    return { shape, rank, quantization, activation, high, passThrough: choice.passThrough };
  }

  let latestWeights: Weights | undefined;

  function makeWeights(
    choice: WeightChoice,
    dims: readonly number[],
    axis: number,
    outputs: number,
    depth: number,
    x: Quantization,
    shared?: Weights,
  ): { weights: Weights; scale: number } {
    // onnxruntime has no kernels for int8 activations with uint8 weights, and runs such QDQ groups in float32.
    const unsigned = choice.unsigned && !(recipe.int8 && form === 'qoperator');
    const offset = unsigned ? 128 : 0;
    const drawByte = byteDrawer(choice.values, random);
    const count = dims.reduce((product, length) => product * length, 1);
    const bytes = Array.from({ length: count }, () => drawByte() + offset);
    const base = shared?.scales[0] ?? 2 ** (-4 - 8 * random());
    const scales = Float32Array.from({ length: choice.perChannel ? outputs : 1 }, () =>
      toScale(base * 2 ** (2 * random() - 1)),
    );
    const zeroPoints = Array.from(scales, () => choice.zeroPoint + offset);
    const deviation = { uniform: BYTE_DEVIATION, ends: 128, small: 2 }[choice.values];
    const accumulator =
      Math.sqrt(depth) * magnitude(x) * deviation +
      (depth * Math.abs(toZeroPoint(127) - x.zeroPoint) * Math.abs(choice.zeroPoint)) / 2;
    const integers = unsigned ? Uint8Array : Int8Array;
    latestWeights = {
      elementType: unsigned ? 'uint8' : 'int8',
      dims,
      data: integers.from(bytes),
      scales,
      zeroPoints: integers.from(zeroPoints),
      ...shared,
      axis,
      // In float32, a bias far beyond the sums would leave nothing but rounding errors of them.
      bias: drawBias(
        form === 'float32' && choice.bias === 'large' ? 'moderate' : choice.bias,
        outputs,
        accumulator,
        random,
      ),
    };
    return {
      weights: latestWeights,
      scale: (x.scale * base * accumulator) / 80,
    };
  }

  function conv(x: Value, step: ConvStep, shared?: Weights): Value {
    const { channels } = x.shape;
    const groups = groupCount(step.grouping, channels);
    const outputs = Math.ceil(step.outputs / groups) * groups;
    const window = convWindow(x.shape, step);
    const { kernel } = window;
    const dims = [outputs, channels / groups, ...kernel];
    const depth = (channels / groups) * kernel[0] * kernel[1];
    const { weights, scale } = makeWeights(
      step.weights,
      dims,
      0,
      outputs,
      depth,
      x.quantization,
      shared,
    );
    const shape = { channels: outputs, ...window.output };
    const attributes = {
      ...window.attributes,
      ...stated('group', int(groups), groups === 1 && random() < 0.5),
      ...stated('kernel_shape', ints(kernel), random() < 0.3),
    };
    const made = result(shape, 4, step.output, scale, step.activation);
    return keep(weighted('Conv', x, weights, attributes, made));
  }

  function dense(x: Value, step: DenseStep, shared?: Weights): Value {
    const { op, outputs } = step;
    const inputs = x.shape.channels;
    const transposed = op === 'gemm' && step.transposed;
    const dims = transposed ? [outputs, inputs] : [inputs, outputs];
    const axis = transposed ? 0 : 1;
    const made = makeWeights(step.weights, dims, axis, outputs, inputs, x.quantization, shared);
    const weights = op === 'gemm' ? made.weights : { ...made.weights, bias: undefined };
    const attributes: Record<string, OnnxAttribute> =
      op === 'gemm' && (transposed || random() < 0.5) ? { transB: int(transposed ? 1 : 0) } : {};
    const shape = { channels: outputs, height: 1, width: 1 };
    const next = result(shape, 2, step.output, made.scale, step.activation);
    return keep(weighted(op === 'gemm' ? 'Gemm' : 'MatMul', x, weights, attributes, next));
  }

  function flatten(x: Value, step: 'flatten' | 'reshape', variant: number): Value {
    const features = featureCount(x.shape);
    const made = { shape: { channels: features, height: 1, width: 1 }, rank: 2 } as const;
    if (step === 'flatten') {
      const attributes = stated('axis', int(variant % 2 === 0 ? 1 : 1 - x.rank), variant > 3);
      return keep(moved('Flatten', x, [], attributes, made));
    }
    const targets = [
      [0, -1],
      [-1, features],
      [0, features],
      [recipe.fixedBatch ? images : 0, -1],
    ];
    const target = BigInt64Array.from(targets[variant % targets.length], BigInt);
    return keep(moved('Reshape', x, [writer.constant('shape', 'int64', [2], target)], {}, made));
  }

  /** A vector of the same values, by the means the form has. */
  function toVector(x: Value): Value {
    if (x.rank === 2) return x;
    return flatten(x, features.has('flatten') ? 'flatten' : 'reshape', 0);
  }

  function pool(x: Value, step: PoolStep): Value {
    const window = poolWindow(x.shape, step);
    const shape = { channels: x.shape.channels, ...window.output };
    if (step.op === 'max-pool') {
      return keep(moved('MaxPool', x, [], window.attributes, { shape, rank: 4 }));
    }
    const attributes = {
      ...window.attributes,
      ...formAttributes(form, 'AveragePool', 0),
      // Bitcell reads no float32 means that count padding and reach beyond it.
      count_include_pad: int(step.includePads && !(form === 'float32' && step.ceil) ? 1 : 0),
    };
    return compute('AveragePool', [x], shape, step.output, attributes);
  }

  function compute(
    opType: Computation,
    inputs: readonly Value[],
    shape: FeatureShape,
    choice: OutputChoice,
    attributes: Readonly<Record<string, OnnxAttribute>>,
    {
      activation = 'none',
      scale = largestScale(inputs),
      constants = [],
      rank = inputs[0].rank,
    }: {
      readonly activation?: Result['activation'];
      readonly scale?: number;
      readonly constants?: readonly string[];
      readonly rank?: 2 | 4;
    } = {},
  ): Value {
    // onnxruntime refuses element-wise operators whose scales differ by more than about 2^8.
    const gain = Math.max(-2, Math.min(2, choice.gain));
    const made = result(shape, rank, { ...choice, gain }, scale, activation);
    return keep(computed(opType, inputs, attributes, made, constants));
  }

  function largestScale(inputs: readonly Value[]): number {
    return Math.max(
      ...inputs.map(({ quantization }) => (quantization.scale * magnitude(quantization)) / 100),
    );
  }

  function realVector(what: string, length: number): string {
    const data = Float32Array.from({ length }, () => 2 * random() - 1);
    return writer.constant(what, 'float32', [length], data);
  }

  function functionOf(x: Value, { opType, output }: FunctionStep): Value {
    if (recipe.opset < FUNCTIONS[opType]) return x;
    const isBounded = /Sigmoid|Tanh|Erf|Sign/.test(opType);
    const scale = isBounded ? 1 / 100 : largestScale([x]);
    return compute(opType, [x], x.shape, output, {}, { scale });
  }

  function pooled(x: Value, output: OutputChoice): Value {
    const shape = { channels: x.shape.channels, height: 1, width: 1 };
    const attributes = formAttributes(form, 'GlobalAveragePool', 0);
    return compute('GlobalAveragePool', [x], shape, output, attributes);
  }

  function binary(x: Value, step: BinaryStep): Value {
    const { opType, operand, output } = step;
    // The slope of a PRelu stands behind it, and has its dimensions or fewer.
    const swapped = step.swapped && opType !== 'PRelu';
    const means = operand === 'pooled' && x.rank === 4 ? pooled(x, output) : x;
    const isConstant = operand !== 'pooled' && operand !== 'itself';
    const other = isConstant ? constantBeside(x, step) : means;
    const operands = swapped ? [other, x] : [x, other];
    const [a, b] = operands.map(({ quantization }) => quantization);
    const isProduct = opType === 'Mul' || opType === 'PRelu';
    const scale = isProduct
      ? (a.scale * magnitude(a) * b.scale * magnitude(b)) / 100
      : largestScale(operands);
    return compute(opType, operands, x.shape, output, {}, { scale, rank: x.rank });
  }

  /** A constant that is broadcast to a value, with a scale of its size. */
  function constantBeside(x: Value, { operand, output, real }: BinaryStep): Value {
    const { channels, height, width } = x.shape;
    const spatial = x.rank === 4 ? [height, width] : [];
    const dims = {
      scalar: [],
      channels: [channels, ...spatial.map(() => 1)],
      full: [1, channels, ...spatial],
    }[operand as 'scalar' | 'channels' | 'full'];
    const count = dims.reduce((product, size) => product * size, 1);
    const drawByte = byteDrawer('uniform', random);
    const bytes = Array.from({ length: count }, () => drawByte());
    const made = result(x.shape, x.rank, output, x.quantization.scale);
    return constant(dims, bytes, made, real);
  }

  function softmax(x: Value, { axis, output }: SoftmaxStep): Value {
    const attributes = {
      ...formAttributes(form, 'Softmax', 0),
      axis: int(1 + (axis % (x.rank - 1))),
    };
    const scale = 1 / 200;
    // Powers of large numbers would show how sums in float32 differ.
    const bounded = form === 'float32' ? compute('Tanh', [x], x.shape, output, {}) : x;
    return compute('Softmax', [bounded], x.shape, output, attributes, { scale });
  }

  function reduce(x: Value, { opType, along, keepsDims, output }: ReduceStep): Value {
    if (x.rank === 2) return x;
    const isAlongChannels = along === 'channels';
    const { height, width } = x.shape;
    const shape = isAlongChannels
      ? { channels: 1, height, width }
      : { channels: x.shape.channels, height: 1, width: 1 };
    const axes = isAlongChannels ? [1] : [2, 3];
    // Without the channels there would be three dimensions.
    const rank = isAlongChannels || keepsDims ? 4 : 2;
    const data = BigInt64Array.from(axes, BigInt);
    const isInput = opType === 'ReduceSum' || recipe.opset >= 18;
    const constants = isInput ? [writer.constant('axes', 'int64', [axes.length], data)] : [];
    const attributes = {
      keepdims: int(rank === 4 ? 1 : 0),
      ...stated('axes', ints(axes), isInput),
    };
    if (opType === 'ReduceMax' || opType === 'ReduceMin') {
      return keep(moved(opType, x, constants, attributes, { shape, rank }));
    }
    return compute(opType, [x], shape, output, attributes, { constants, rank });
  }

  function normalize(x: Value, { opType, output }: NormalizeStep): Value {
    const { channels, height, width } = x.shape;
    if (x.rank === 2) return x;
    if (opType === 'LRN') return compute(opType, [x], x.shape, output, { size: int(3) });
    const isLayer = opType === 'LayerNormalization';
    // onnxruntime leaves a difference of large products where values are almost equal.
    if ((isLayer ? width : height * width) < 4 || (isLayer && recipe.opset < 17)) return x;
    const length = isLayer ? width : channels;
    const constants = [realVector('scale', length), realVector('bias', length)];
    // Of few values, the variance may be nothing but rounding errors.
    const attributes = { epsilon: float(0.1) };
    return compute(opType, [x], x.shape, output, attributes, { constants });
  }

  /** Values in other places; as they are where the operator cannot take them. */
  function rearrange(x: Value, step: RearrangeStep): Value {
    const found = rearrangement(x, step, random);
    if (!found) return x;
    const constants = Object.entries(found.constants).map(([what, given]) =>
      writer.constant(what, 'int64', [given.length], BigInt64Array.from(given, BigInt)),
    );
    const [channels, height, width] = found.sizes;
    const made = { shape: { channels, height, width }, rank: x.rank };
    return keep(moved(step.opType, x, constants, found.attributes, made));
  }

  /** A layer that keeps height and width: a convolution, or for a vector the layer there is. */
  function branchLayer(
    x: Value,
    layer: BranchLayer,
    outputs = layer.outputs,
    shared?: Weights,
  ): Value {
    const { weights, activation, output } = layer;
    if (x.rank === 2 || !features.has('conv')) {
      const op = features.has('gemm') ? 'gemm' : 'matmul';
      const step = { op, outputs, transposed: true, weights, activation, output } as const;
      return dense(toVector(x), step, shared);
    }
    const pad = (layer.kernel - 1) / 2;
    const depthwise = layer.depthwise && outputs % x.shape.channels === 0;
    const step: ConvStep = {
      op: 'conv',
      outputs,
      kernel: [layer.kernel, layer.kernel],
      strides: [1, 1],
      pads: [pad, pad, pad, pad],
      autoPad: 'NOTSET',
      dilations: [1, 1],
      grouping: depthwise ? 'depthwise' : 'none',
      weights,
      activation,
      output,
    };
    return conv(x, step, shared);
  }

  /** Two layers that read the same weights. */
  function twin(start: Value, { layer, use, output }: TwinStep): Value {
    if (use === 'transposed') {
      // Scales of columns are none of rows.
      const weights = { ...layer.weights, perChannel: false };
      const { activation, outputs } = layer;
      const op = features.has('gemm') ? 'gemm' : 'matmul';
      const x = toVector(start);
      const transposed = op === 'gemm';
      const first = { op, weights, activation, outputs, transposed, output: layer.output } as const;
      const hidden = dense(x, first);
      const back: DenseStep = {
        ...first,
        ...{ op: 'matmul', activation: 'none', outputs: x.shape.channels, output },
      };
      return dense(hidden, back, latestWeights);
    }
    const x = features.has('conv') ? start : toVector(start);
    const outputs = use === 'chain' ? x.shape.channels : layer.outputs;
    const first = branchLayer(x, layer, outputs);
    const second = branchLayer(use === 'chain' ? first : x, layer, outputs, latestWeights);
    if (use === 'chain') return second;
    const shape = { ...first.shape, channels: 2 * outputs };
    return compute('Concat', [first, second], shape, output, formAttributes(form, 'Concat', 0));
  }

  function residual(start: Value, step: ResidualStep): Value {
    // Without convolutions a branch of feature maps could not keep its shape.
    const x = features.has('conv') ? start : toVector(start);
    const { channels } = x.shape;
    let body = x;
    for (const [index, layer] of step.body.entries()) {
      body = branchLayer(body, layer, index === step.body.length - 1 ? channels : layer.outputs);
    }
    const shortcut = step.shortcut ? branchLayer(x, step.shortcut, channels) : x;
    const operands = step.swapped ? [shortcut, body] : [body, shortcut];
    const { activation } = step;
    return compute('Add', operands, x.shape, step.output, {}, { activation });
  }

  function apply(x: Value, step: Step): Value {
    switch (step.op) {
      case 'conv':
        if (x.rank === 4) return conv(x, step);
        if (features.has('gemm')) return dense(x, { ...step, op: 'gemm', transposed: true });
        return x;
      case 'gemm':
      case 'matmul':
        return dense(toVector(x), step);
      case 'max-pool':
      case 'average-pool':
        return x.rank === 4 ? pool(x, step) : x;
      case 'global-average-pool':
        return x.rank === 2 ? x : pooled(x, step.output);
      case 'leaky-relu':
        return compute(
          'LeakyRelu',
          [x],
          x.shape,
          step.output,
          formAttributes(form, 'LeakyRelu', step.alpha),
        );
      case 'function':
        return functionOf(x, step);
      case 'binary':
        return binary(x, step);
      case 'softmax':
        return softmax(x, step);
      case 'reduce':
        return reduce(x, step);
      case 'normalize':
        return normalize(x, step);
      case 'rearrange':
        return rearrange(x, step);
      case 'flatten':
      case 'reshape':
        return flatten(x, step.op, step.variant);
      case 'identity':
        return passed('Identity', x, step.variant % 2 === 0);
      case 'dropout':
        return passed('Dropout', x, false);
      case 'add':
        return residual(x, step);
      case 'twin':
        return twin(x, step);
      case 'concat': {
        const start = features.has('conv') ? x : toVector(x);
        const ends = step.branches.map((branch) =>
          branch.reduce((value, layer) => branchLayer(value, layer), start),
        );
        const channels = ends.reduce((sum, { shape }) => sum + shape.channels, 0);
        const attributes = formAttributes(form, 'Concat', 0);
        return compute('Concat', ends, { ...start.shape, channels }, step.output, attributes);
      }
    }
  }

  const rank = size ? 4 : 2;
  const shape = { channels, height: size?.[0] ?? 1, width: size?.[1] ?? 1 };
  const { quantization } = result(shape, rank, recipe.input, 2 ** (-1 - 6 * random()));
  const first = keep(input('input', { shape, rank, quantization }));
  const last = recipe.steps.reduce(apply, first);
  output(last, OUTPUT);
  const batch = recipe.fixedBatch ? images : 'batch';
  return {
    model: writer.finish(
      recipe.opset,
      { name: 'input', elementType: 'float32', dims: valueDims(first, batch) },
      [{ name: OUTPUT, elementType: 'float32', dims: valueDims(last, batch) }],
    ),
    values,
    inputs: drawInputs(images * featureCount(shape), quantization, recipe.int8, random),
    images,
    stored,
    inputDims: valueDims(first, images),
  };
}

/** The model with every quantised value as a graph output, too. */
export function exposeValues({ model, values }: FuzzCase, type: 'uint8' | 'int8'): OnnxModel {
  const batch = model.graph.inputs[0].dims?.[0] ?? 'batch';
  const exposed = values.map(
    (value): OnnxValue => ({ name: value.name, elementType: type, dims: valueDims(value, batch) }),
  );
  return { ...model, graph: { ...model.graph, outputs: [...model.graph.outputs, ...exposed] } };
}

function valueDims<B extends number | string>(
  { rank, shape }: Pick<Value, 'rank' | 'shape'>,
  batch: B,
): (number | B)[] {
  const { channels, height, width } = shape;
  return rank === 4 ? [batch, channels, height, width] : [batch, channels];
}

function stated(
  name: string,
  attribute: OnnxAttribute,
  omit: boolean,
): Record<string, OnnxAttribute> {
  return omit ? {} : { [name]: attribute };
}

function groupCount(grouping: ConvStep['grouping'], channels: number): number {
  if (grouping === 'none') return 1;
  if (grouping === 'depthwise') return channels;
  return [2, 3, 5, 7, 11].find((divisor) => channels % divisor === 0) ?? 1;
}

interface Window {
  readonly kernel: Pair;
  readonly output: { readonly height: number; readonly width: number };
  readonly attributes: Record<string, OnnxAttribute>;
}

function convWindow({ height, width }: FeatureShape, step: ConvStep): Window {
  const same = step.autoPad === 'SAME_UPPER' || step.autoPad === 'SAME_LOWER';
  const pads = step.autoPad === 'NOTSET' ? step.pads : [0, 0, 0, 0];
  const dilations: Pair = same ? [1, 1] : step.dilations;
  const sizes = [height, width].map((size, axis) => {
    const stride = step.strides[axis];
    if (same) return { kernel: step.kernel[axis], output: Math.ceil(size / stride) };
    const padded = size + pads[axis] + pads[axis + 2];
    const kernel = Math.min(step.kernel[axis], Math.floor((padded - 1) / dilations[axis]) + 1);
    const extent = dilations[axis] * (kernel - 1) + 1;
    return { kernel, output: Math.floor((padded - extent) / stride) + 1 };
  });
  const isDefault = (values: readonly number[], value: number) => values.every((v) => v === value);
  return {
    kernel: [sizes[0].kernel, sizes[1].kernel],
    output: { height: sizes[0].output, width: sizes[1].output },
    attributes: {
      ...stated('strides', ints(step.strides), isDefault(step.strides, 1)),
      ...stated('dilations', ints(dilations), isDefault(dilations, 1)),
      ...paddingAttributes(step.autoPad, pads),
    },
  };
}

function paddingAttributes(
  autoPad: AutoPad,
  pads: readonly number[],
): Record<string, OnnxAttribute> {
  return autoPad === 'NOTSET' ? { pads: ints(pads) } : { auto_pad: string(autoPad) };
}

function poolWindow({ height, width }: FeatureShape, step: PoolStep): Window {
  // Padding must be smaller than the kernel, and the kernel no larger than its padded input.
  const kernel = [height, width].map((size, axis) => Math.min(step.kernel[axis], size)) as [
    number,
    number,
  ];
  const pads = step.pads.map((pad, index) => Math.min(pad, kernel[index % 2] - 1));
  const steps = [height, width].map(
    (size, axis) => (size + pads[axis] + pads[axis + 2] - kernel[axis]) / step.strides[axis],
  );
  // Versions of ONNX disagree about a last window that would start in the padding behind the input.
  const isAgreed = [height, width].every(
    (size, axis) => Math.ceil(steps[axis]) * step.strides[axis] < size + pads[axis],
  );
  const ceil = step.ceil && isAgreed;
  const [outputHeight, outputWidth] = steps.map(
    (count) => (ceil ? Math.ceil(count) : Math.floor(count)) + 1,
  );
  return {
    kernel,
    output: { height: outputHeight, width: outputWidth },
    attributes: {
      kernel_shape: ints(kernel),
      strides: ints(step.strides),
      pads: ints(pads),
      ...stated('ceil_mode', int(1), !ceil),
    },
  };
}

/** Bytes of −128…127. */
function byteDrawer(values: WeightChoice['values'], random: () => number): () => number {
  switch (values) {
    case 'uniform':
      return () => Math.floor(random() * 256) - 128;
    case 'ends':
      return () => (random() < 0.5 ? -128 : 127);
    case 'small':
      return () => Math.floor(random() * 7) - 3;
  }
}

function drawBias(
  choice: WeightChoice['bias'],
  count: number,
  accumulator: number,
  random: () => number,
): Int32Array | undefined {
  if (choice === 'none') return undefined;
  const reach = choice === 'moderate' ? Math.min(accumulator / 2, 2 ** 30) : 2 ** 31 - 1;
  return Int32Array.from({ length: count }, () => (2 * random() - 1) * reach);
}

/** Inputs on, half-way between and beyond the steps of a quantisation. */
function drawInputs(
  count: number,
  { scale, zeroPoint }: Quantization,
  int8: boolean,
  random: () => number,
): Float32Array {
  const low = int8 ? -128 : 0;
  return Float32Array.from({ length: count }, () => {
    const step = Math.floor(random() * 264) - 4 + low;
    const offset = [0, 0, 0.5, random()][Math.floor(random() * 4)];
    return scale * (step + offset - zeroPoint);
  });
}

/** Marsaglia's 32-bit xorshift (Journal of Statistical Software 8, 2003), as shares of [0, 1). */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
