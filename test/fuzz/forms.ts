import type { FeatureShape } from '../../core/index.js';
import type { OnnxAttribute, Quantization } from '../../models/index.js';
import { float, type GraphWriter, int } from './graph-writer.js';
import type {
  Activation,
  BinaryStep,
  FunctionStep,
  NormalizeStep,
  RearrangeStep,
  ReduceStep,
} from './recipes.js';
import type { Form } from './support.js';

const MICROSOFT = 'com.microsoft';

type Attributes = Readonly<Record<string, OnnxAttribute>>;
export type ActivationType = 'uint8' | 'int8';

/** A tensor of activations while a graph is written. */
export interface Value {
  /** Its integers' name; its reals' in a float32 graph. */
  readonly name: string;
  /** The reals that were quantised, before nodes that change nothing: what Bitcell may call the tensor. */
  readonly origin?: string;
  /** Its reals' name, where a node was put between its DequantizeLinear and its users. */
  readonly real?: string;
  readonly shape: FeatureShape;
  readonly rank: 2 | 4;
  readonly quantization: Quantization;
}

/** What an operator makes. */
export interface Result {
  readonly shape: FeatureShape;
  readonly rank: 2 | 4;
  readonly quantization: Quantization;
  readonly activation: Activation;
  /** Upper bound of a `clip`. */
  readonly high: number;
  readonly passThrough: 'none' | 'Identity' | 'Dropout';
}

export interface Weights {
  readonly elementType: 'int8' | 'uint8';
  readonly dims: readonly number[];
  readonly data: Int8Array | Uint8Array;
  /** One, or one per output channel along `axis`. */
  readonly scales: Float32Array;
  /** As many as scales. */
  readonly zeroPoints: Int8Array | Uint8Array;
  readonly axis: number;
  /** One per output channel. */
  readonly bias: Int32Array | undefined;
}

/** Weights as a file stores them, for all layers that read them. */
export interface StoredWeights {
  readonly data: Int8Array | Uint8Array | Float32Array;
  readonly dims: readonly number[];
  /** The dimension that counts the output channels of the first layer that reads them. */
  readonly axis: number;
}

/** Operators that compute new values, and so choose a new scale and zero point. */
export type Computation =
  | 'Concat'
  | 'AveragePool'
  | 'GlobalAveragePool'
  | 'LeakyRelu'
  | 'Softmax'
  | FunctionStep['opType']
  | BinaryStep['opType']
  | NormalizeStep['opType']
  | ReduceStep['opType'];
/** Operators that only move or choose values. */
export type Movement =
  | 'MaxPool'
  | 'Flatten'
  | 'Reshape'
  | 'ReduceMax'
  | 'ReduceMin'
  | RearrangeStep['opType'];

/** Writes the layers of one form of network. */
export interface FormWriter {
  input(name: string, made: Pick<Result, 'shape' | 'rank' | 'quantization'>): Value;
  weighted(
    opType: 'Conv' | 'Gemm' | 'MatMul',
    input: Value,
    weights: Weights,
    attributes: Attributes,
    made: Result,
  ): Value;
  /** @param constants names of further inputs, which are constant */
  computed(
    opType: Computation,
    inputs: readonly Value[],
    attributes: Attributes,
    made: Result,
    constants?: readonly string[],
  ): Value;
  /** A constant operand of so many values in −128…127, as integers, or as float32 numbers. */
  constant(
    dims: readonly number[],
    bytes: readonly number[],
    made: Pick<Result, 'shape' | 'rank' | 'quantization'>,
    real: boolean,
  ): Value;
  moved(
    opType: Movement,
    input: Value,
    constants: readonly string[],
    attributes: Attributes,
    made: Pick<Result, 'shape' | 'rank'>,
  ): Value;
  /** A node that changes nothing. */
  passed(opType: 'Identity' | 'Dropout', input: Value, beforeDequantize: boolean): Value;
  /** The graph's float32 output. */
  output(value: Value, name: string): string;
  /** Weights of the layers so far, in the order in which they are first read. */
  readonly stored: readonly StoredWeights[];
}

export interface FormOptions {
  readonly type: ActivationType;
  readonly sharedDequantize: boolean;
}

export function createFormWriter(
  form: Form,
  writer: GraphWriter,
  options: FormOptions,
): FormWriter {
  if (form === 'qdq') return qdqWriter(writer, options);
  if (form === 'qoperator') return qoperatorWriter(writer, options);
  return float32Writer(writer);
}

/** Names of the constants that hold a quantisation, made when first asked for. */
function quantizationConstants(writer: GraphWriter, type: ActivationType) {
  const known = new Map<Quantization, readonly [scale: string, zeroPoint: string]>();
  return (quantization: Quantization): readonly [scale: string, zeroPoint: string] => {
    const { scale, zeroPoint } = quantization;
    const names = known.get(quantization) ?? [
      writer.constant('scale', 'float32', [], Float32Array.of(scale)),
      writer.constant(
        'zero_point',
        type,
        [],
        type === 'uint8' ? Uint8Array.of(zeroPoint) : Int8Array.of(zeroPoint),
      ),
    ];
    known.set(quantization, names);
    return names;
  };
}

type WeightNames = readonly [weights: string, scales: string, zeroPoints: string];

/** Names of weights, scales and zero points; the same for weights with the same data. */
function weightConstants(writer: GraphWriter) {
  const known = new Map<Weights['data'], WeightNames>();
  const stored: StoredWeights[] = [];
  function namesOf({ elementType, dims, data, scales, zeroPoints, axis }: Weights): WeightNames {
    const names = known.get(data);
    if (names) return names;
    const channels = scales.length === 1 ? [] : [scales.length];
    const made = [
      writer.constant('weight', elementType, dims, data),
      writer.constant('weight_scale', 'float32', channels, scales),
      writer.constant('weight_zero_point', elementType, channels, zeroPoints),
    ] as const;
    known.set(data, made);
    stored.push({ data, dims, axis });
    return made;
  }
  return { namesOf, stored };
}

function qdqWriter(writer: GraphWriter, { type, sharedDequantize }: FormOptions): FormWriter {
  const constants = quantizationConstants(writer, type);
  const { namesOf, stored } = weightConstants(writer);
  const realWeights = new Map<Weights['data'], string>();

  function dequantizeWeights(weights: Weights): string {
    const { data, scales, axis } = weights;
    const known = realWeights.get(data);
    if (known !== undefined && sharedDequantize) return known;
    const attributes: Attributes = scales.length === 1 ? {} : { axis: int(axis) };
    const names = namesOf(weights);
    const real = writer.node('DequantizeLinear', names, writer.fresh('weight_real'), attributes);
    realWeights.set(data, real);
    return real;
  }

  function dequantize({ name, quantization }: Value, as = writer.fresh('real')): string {
    return writer.node('DequantizeLinear', [name, ...constants(quantization)], as);
  }
  const shared = new Map<string, string>();
  function real(value: Value): string {
    const name = value.real ?? shared.get(value.name) ?? dequantize(value);
    if (sharedDequantize && value.real === undefined) shared.set(value.name, name);
    return name;
  }

  function quantize(name: string, made: Pick<Result, 'shape' | 'rank' | 'quantization'>): Value {
    const quantized = writer.node(
      'QuantizeLinear',
      [name, ...constants(made.quantization)],
      `${name}_quantized`,
    );
    return { name: quantized, ...made };
  }

  function group(
    opType: string,
    inputs: readonly string[],
    attributes: Attributes,
    { activation, high, passThrough, ...made }: Result,
  ): Value {
    const result = writer.node(opType, inputs, writer.fresh('result'), attributes);
    const active = activate(writer, result, activation, high);
    const last =
      passThrough === 'none' ? active : writer.node(passThrough, [active], writer.fresh('passed'));
    return { ...quantize(last, made), origin: active };
  }

  return {
    input: quantize,
    weighted(opType, input, weights, attributes, made) {
      const { bias, scales } = weights;
      const operands = [real(input), dequantizeWeights(weights)];
      if (bias) {
        const biasScales = scales.map((scale) => Math.fround(input.quantization.scale * scale));
        const dims = scales.length === 1 ? [] : [scales.length];
        operands.push(
          writer.node(
            'DequantizeLinear',
            [
              writer.constant('bias', 'int32', [bias.length], bias),
              writer.constant('bias_scale', 'float32', dims, biasScales),
            ],
            writer.fresh('bias_real'),
            scales.length === 1 ? {} : { axis: int(0) },
          ),
        );
      }
      return group(opType, operands, attributes, made);
    },
    computed: (opType, inputs, attributes, made, extra = []) =>
      group(opType, [...inputs.map(real), ...extra], attributes, made),
    constant: (dims, bytes, made, isReal) => ({
      ...made,
      ...(isReal
        ? { name: '', real: realConstant(writer, dims, bytes, made.quantization) }
        : { name: writer.constant('operand', type, dims, storedBytes(type, bytes)) }),
    }),
    moved: (opType, input, extra, attributes, made) =>
      group(opType, [real(input), ...extra], attributes, {
        ...made,
        quantization: input.quantization,
        activation: 'none',
        high: 0,
        passThrough: 'none',
      }),
    passed(opType, input, beforeDequantize) {
      if (beforeDequantize && opType === 'Identity' && input.real === undefined) {
        return { ...input, name: writer.node(opType, [input.name], writer.fresh('passed')) };
      }
      return { ...input, real: writer.node(opType, [real(input)], writer.fresh('passed')) };
    },
    // A branch that nobody takes would still count as one for onnxruntime.
    output: (value, name) =>
      value.real === undefined
        ? dequantize(value, name)
        : writer.node('Identity', [value.real], name),
    stored,
  };
}

function qoperatorWriter(writer: GraphWriter, { type }: FormOptions): FormWriter {
  const constants = quantizationConstants(writer, type);
  const { namesOf, stored } = weightConstants(writer);
  const operand = ({ name, quantization }: Value) => [name, ...constants(quantization)];

  function computation(opType: string, inputs: readonly Value[], result: Result): string[] {
    const output = constants(result.quantization);
    const operands = inputs.flatMap(operand);
    return opType === 'Concat' ? [...output, ...operands] : [...operands, ...output];
  }

  return {
    input: (name, made) => ({
      ...made,
      name: writer.node(
        'QuantizeLinear',
        [name, ...constants(made.quantization)],
        `${name}_quantized`,
      ),
    }),
    weighted(opType, input, weights, attributes, made) {
      const x = operand(input);
      const w = namesOf(weights);
      const y = constants(made.quantization);
      const { bias } = weights;
      const biasName = bias ? writer.constant('bias', 'int32', [bias.length], bias) : '';
      const optionalBias = bias ? [biasName] : [];
      const output = writer.fresh('result');
      if (opType === 'Conv') {
        writer.node('QLinearConv', [...x, ...w, ...y, ...optionalBias], output, attributes);
      } else if (opType === 'Gemm') {
        writer.node('QGemm', [...x, ...w, biasName, ...y], output, attributes, MICROSOFT);
      } else {
        writer.node('QLinearMatMul', [...x, ...w, ...y], output, attributes);
      }
      return { name: output, ...made };
    },
    computed(opType, inputs, attributes, made) {
      const name = writer.node(
        `QLinear${opType}`,
        computation(opType, inputs, made),
        writer.fresh('result'),
        attributes,
        MICROSOFT,
      );
      return { ...made, name };
    },
    constant: (dims, bytes, made) => ({
      ...made,
      name: writer.constant('operand', type, dims, storedBytes(type, bytes)),
    }),
    moved: (opType, input, extra, attributes, made) => ({
      ...made,
      quantization: input.quantization,
      name: writer.node(opType, [input.name, ...extra], writer.fresh('result'), attributes),
    }),
    passed: (_, input) => ({
      ...input,
      name: writer.node('Identity', [input.name], writer.fresh('passed')),
    }),
    output: (value, name) => writer.node('DequantizeLinear', operand(value), name),
    stored,
  };
}

function float32Writer(writer: GraphWriter): FormWriter {
  const known = new Map<Weights['data'], string>();
  const stored: StoredWeights[] = [];

  function weightName({ dims, data, scales, zeroPoints, axis }: Weights): string {
    const name = known.get(data);
    if (name !== undefined) return name;
    const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const channel = (index: number) =>
      scales.length === 1 ? 0 : Math.floor(index / inner) % scales.length;
    const real = Float32Array.from(
      data,
      (value, index) => scales[channel(index)] * (value - zeroPoints[channel(index)]),
    );
    stored.push({ data: real, dims, axis });
    const made = writer.constant('weight', 'float32', dims, real);
    known.set(data, made);
    return made;
  }

  function group(
    opType: string,
    inputs: readonly string[],
    attributes: Attributes,
    made: Result,
  ): Value {
    const result = writer.node(opType, inputs, writer.fresh('result'), attributes);
    const active = activate(writer, result, made.activation, made.high);
    const name =
      made.passThrough === 'none'
        ? active
        : writer.node(made.passThrough, [active], writer.fresh('passed'));
    return { ...made, name };
  }

  return {
    input: (name, made) => ({ ...made, name }),
    weighted(opType, input, weights, attributes, made) {
      const { scales, bias } = weights;
      const operands = [input.name, weightName(weights)];
      if (bias) {
        const scale = input.quantization.scale * scales[0];
        operands.push(
          writer.constant(
            'bias',
            'float32',
            [bias.length],
            Float32Array.from(bias, (value) => value * scale),
          ),
        );
      }
      return group(opType, operands, attributes, made);
    },
    computed: (opType, inputs, attributes, made, extra = []) =>
      group(opType, [...inputs.map(({ name }) => name), ...extra], attributes, made),
    constant: (dims, bytes, made) => ({
      ...made,
      name: realConstant(writer, dims, bytes, made.quantization),
    }),
    moved: (opType, input, extra, attributes, made) => ({
      ...made,
      quantization: input.quantization,
      name: writer.node(opType, [input.name, ...extra], writer.fresh('result'), attributes),
    }),
    passed: (opType, input) => ({
      ...input,
      name: writer.node(opType, [input.name], writer.fresh('passed')),
    }),
    output: (value, name) => writer.node('Identity', [value.name], name),
    stored,
  };
}

function activate(writer: GraphWriter, name: string, activation: Activation, high: number): string {
  if (activation === 'none') return name;
  if (activation === 'relu') return writer.node('Relu', [name], writer.fresh('active'));
  const bounds = [0, high].map((bound) =>
    writer.constant('bound', 'float32', [], Float32Array.of(bound)),
  );
  return writer.node('Clip', [name, ...bounds], writer.fresh('active'));
}

/** Bytes of −128…127 as a type stores them. */
function storedBytes(type: ActivationType, bytes: readonly number[]): Int8Array | Uint8Array {
  return type === 'int8' ? Int8Array.from(bytes) : Uint8Array.from(bytes, (byte) => byte + 128);
}

function realConstant(
  writer: GraphWriter,
  dims: readonly number[],
  bytes: readonly number[],
  { scale }: Quantization,
): string {
  const reals = Float32Array.from(bytes, (byte) => byte * scale);
  return writer.constant('operand', 'float32', dims, reals);
}

/** Attributes that only some forms of an operator have. */
export function formAttributes(form: Form, opType: Computation, alpha: number): Attributes {
  if (opType === 'LeakyRelu') return { alpha: float(alpha) };
  if (opType === 'Softmax') return form === 'qoperator' ? { opset: int(13) } : {};
  if (opType === 'Concat') return { axis: int(1) };
  const isPool = opType === 'AveragePool' || opType === 'GlobalAveragePool';
  return form === 'qoperator' && isPool ? { channels_last: int(0) } : {};
}
