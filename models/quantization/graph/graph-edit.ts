import { int } from '../../graph/attributes.js';
import { MICROSOFT_DOMAIN } from '../../graph/graph-builder.js';
import { neededNodes } from '../../graph/prepare/needed.js';
import type { Float32ArrayLayer, Int8ArrayLayer, Quantization } from '../../network.js';
import {
  capturedNames,
  type ElementType,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type TensorOf,
} from '../../onnx/index.js';
import { SMALLEST_SCALE } from '../affine.js';
import type { WeightGranularity } from '../quantize.js';
import { INTEGERS_FROM, raiseOperatorSet } from './raise-operator-set.js';

/** The first operator set whose DequantizeLinear has an axis; before, onnxruntime's own one has. */
const AXES_FROM = 13;
/** From this version of the format on, initialisers need not be inputs as well. */
const OLDEST_IR_VERSION = 4;
/** From this operator set on, the bounds of a Clip are inputs. */
const CLIP_INPUTS_FROM = 11;
const LARGEST_WEIGHT = 127;

export const ACTIVATION_TYPES = ['uint8', 'int8'] as const;

/** Type of quantised activations in an ONNX file. */
export type ActivationType = (typeof ACTIVATION_TYPES)[number];

/** A file of nodes of another one, and of further ones. */
export interface GraphEdit {
  /** Those of the other file. */
  readonly nodes: readonly OnnxNode[];
  /** Domain of QuantizeLinear and DequantizeLinear. */
  readonly domain: string;
  fresh(wanted: string): string;
  add(node: OnnxNode): void;
  constant<T extends ElementType>(
    wanted: string,
    elementType: T,
    dims: readonly number[],
    data: TensorOf<T>['data'],
  ): string;
  /** The name under which a node makes a value: its own, unless that is an output behind a DequantizeLinear. */
  realName(value: string, isMade: boolean): string;
  /** The name under which others take a value that is not rounded. */
  nameOf(value: string): string;
  /** A value behind QuantizeLinear and DequantizeLinear; returns its name. */
  requantized(value: string, quantization: Quantization, isMade: boolean): string;
  /** One number behind a DequantizeLinear, exactly. */
  scalar(wanted: string, value: number): string;
  /** Weights behind a DequantizeLinear; layers that share words take the same. */
  words(
    layer: Int8ArrayLayer,
    dims: readonly number[],
    form: 'stored' | 'transposed' | 'input-by-output',
    shared: boolean,
  ): string;
  dequantizedBias(name: string, bias: Int32Array, scales: Float32Array): string;
  /** Weights of an operator on the host, with a scale along an axis or one for all. */
  storedWeights(
    constant: TensorOf<'float32'>,
    axis: number | undefined,
    granularity: WeightGranularity,
  ): string;
  /** The Relu, or Clip from 0, behind a layer on the array. */
  rectifier(layer: Float32ArrayLayer, input: string, output: string): void;
  finish(): OnnxModel;
}

/** @throws ModelError naming a node that has no form in an operator set with integer operators */
export function createGraphEdit(
  model: OnnxModel,
  source: string,
  activations: ActivationType,
): GraphEdit {
  const { graph } = model;
  const opset = model.opsets.get('') ?? 1;
  const domain = opset < AXES_FROM ? MICROSOFT_DOMAIN : '';
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const taken = new Set([
    ...[...graph.inputs, ...graph.outputs, ...graph.initializers].map(({ name }) => name),
    ...graph.nodes.flatMap((node) => [...node.outputs, ...node.inputs, ...capturedNames(node)]),
  ]);
  const nodes: OnnxNode[] = [];
  const raised = raiseOperatorSet(model, source, fresh);
  const initializers: OnnxTensor[] = [...graph.initializers, ...raised.initializers];
  const real = new Map<string, string>();
  const known = new Map<string, string>();

  function fresh(wanted: string): string {
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted}_${count}`;
    taken.add(name);
    return name;
  }

  const edit: GraphEdit = {
    nodes: raised.nodes,
    domain,
    fresh,
    add: (node) => void nodes.push(node),
    constant(wanted, elementType, dims, data) {
      const name = fresh(wanted);
      // elementType and data belong together in TensorOf; TypeScript cannot see it through the generic.
      initializers.push({ name, elementType, dims, data } as unknown as OnnxTensor);
      return name;
    },
    realName(value, isMade) {
      if (!isMade || !outputs.has(value)) return value;
      const name = real.get(value) ?? fresh(`${value}_real`);
      real.set(value, name);
      return name;
    },
    nameOf: (value) => real.get(value) ?? value,
    requantized(value, { scale, zeroPoint }, isMade) {
      const from = edit.realName(value, isMade);
      const to = from === value ? fresh(`${value}_dequantized`) : value;
      const operands = [
        edit.constant(`${value}_scale`, 'float32', [], Float32Array.of(scale)),
        activations === 'uint8'
          ? edit.constant(`${value}_zero_point`, 'uint8', [], Uint8Array.of(zeroPoint))
          : edit.constant(`${value}_zero_point`, 'int8', [], Int8Array.of(zeroPoint - 128)),
      ];
      const quantized = fresh(`${value}_quantized`);
      conversion('QuantizeLinear', [from, ...operands], quantized);
      return conversion('DequantizeLinear', [quantized, ...operands], to);
    },
    scalar(wanted, value) {
      const scale = value === 0 ? 1 : Math.abs(value);
      const zeroPoint = value < 0 ? 1 : 0;
      return conversion(
        'DequantizeLinear',
        [
          edit.constant(`${wanted}_quantized`, 'uint8', [], Uint8Array.of(value > 0 ? 1 : 0)),
          edit.constant(`${wanted}_scale`, 'float32', [], Float32Array.of(scale)),
          edit.constant(`${wanted}_zero_point`, 'uint8', [], Uint8Array.of(zeroPoint)),
        ],
        fresh(`${wanted}_dequantized`),
      );
    },
    words({ name, sharedWeights, weights, scales }, dims, form, shared) {
      const owner = sharedWeights?.layer ?? name;
      const stored = `${form === 'input-by-output' ? form : 'stored'} ${owner}`;
      const shape = form === 'transposed' ? dims.toReversed() : dims;
      const axis = form === 'stored' ? 0 : 1;
      let constant = known.get(stored);
      if (constant === undefined) {
        // Layers are called after a weight "NAME.weight" when the file is read, but not all those that share it.
        const wanted = `${owner}.${shared ? 'shared_weights' : 'weight'}_quantized`;
        constant = edit.constant(wanted, 'int8', shape, weights as Int8Array);
        known.set(stored, constant);
      }
      return dequantizedConstant(`${name}.weight`, constant, scales, axis);
    },
    dequantizedBias(name, bias, scales) {
      const operands = [
        edit.constant(`${name}.bias_quantized`, 'int32', [bias.length], bias),
        edit.constant(`${name}.bias_scale`, 'float32', [bias.length], scales),
        edit.constant(
          `${name}.bias_zero_point`,
          'int32',
          [bias.length],
          new Int32Array(bias.length),
        ),
      ];
      const attributes = new Map([['axis', int(0)]]);
      return conversion(
        'DequantizeLinear',
        operands,
        fresh(`${name}.bias_dequantized`),
        attributes,
      );
    },
    storedWeights(constant, axis, granularity) {
      const { name, dims } = constant;
      const along = granularity === 'per-channel' ? axis : undefined;
      const key = `host ${name} ${along}`;
      let found = known.get(key);
      if (found === undefined) {
        const { words, scales } = quantizeConstantWords(constant, along);
        const stored = edit.constant(`${name}_quantized`, 'int8', dims, words);
        found = dequantizedConstant(name, stored, scales, along);
        known.set(key, found);
      }
      return found;
    },
    rectifier({ name, upper }, input, output) {
      if (upper === undefined) {
        edit.add(node('Relu', [input], output, `${name}.relu`));
        return;
      }
      if (opset < CLIP_INPUTS_FROM) {
        const attributes = new Map([
          ['min', { type: 'float', value: 0 }],
          ['max', { type: 'float', value: upper }],
        ] as const);
        edit.add({ ...node('Clip', [input], output, `${name}.clip`), attributes });
        return;
      }
      const bounds = [0, upper].map((value, index) =>
        edit.constant(`${name}.${index ? 'max' : 'min'}`, 'float32', [], Float32Array.of(value)),
      );
      edit.add(node('Clip', [input, ...bounds], output, `${name}.clip`));
    },
    finish() {
      const needed = neededNodes(nodes, [...outputs]);
      const used = new Set(needed.flatMap((one) => [...one.inputs, ...capturedNames(one)]));
      for (const name of outputs) used.add(name);
      const made = new Set(needed.flatMap((one) => one.outputs));
      const constants = new Set(graph.initializers.map(({ name }) => name));
      return {
        irVersion: Math.max(model.irVersion, OLDEST_IR_VERSION),
        producer: 'bitcell',
        opsets: new Map([
          ...model.opsets,
          ['', Math.max(opset, INTEGERS_FROM)],
          ...(domain === '' ? [] : [[domain, 1] as const]),
        ]),
        metadata: new Map([...model.metadata, ['producer', 'bitcell']]),
        graph: {
          name: graph.name,
          nodes: needed,
          initializers: initializers.filter(({ name }) => used.has(name)),
          inputs: graph.inputs.filter(({ name }) => !constants.has(name)),
          outputs: graph.outputs,
          ...(graph.valueInfo && {
            valueInfo: graph.valueInfo.filter(({ name }) => made.has(name)),
          }),
        },
      };
    },
  };

  function conversion(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: OnnxNode['attributes'] = new Map(),
  ): string {
    nodes.push({ name: output, opType, domain, inputs, outputs: [output], attributes });
    return output;
  }

  function dequantizedConstant(
    wanted: string,
    constant: string,
    scales: Float32Array,
    axis: number | undefined,
  ): string {
    const dims = axis === undefined ? [] : [scales.length];
    const operands = [
      constant,
      edit.constant(`${wanted}_scale`, 'float32', dims, scales),
      edit.constant(`${wanted}_zero_point`, 'int8', dims, new Int8Array(scales.length)),
    ];
    const attributes = new Map(axis === undefined ? [] : [['axis', int(axis)] as const]);
    return conversion('DequantizeLinear', operands, fresh(`${wanted}_dequantized`), attributes);
  }

  return edit;
}

function node(opType: string, inputs: readonly string[], output: string, name: string): OnnxNode {
  return { name, opType, domain: '', inputs, outputs: [output], attributes: new Map() };
}

/** Symmetric words, one scale for each place along an axis, or one for all. */
function quantizeConstantWords(
  { dims, data }: TensorOf<'float32'>,
  axis: number | undefined,
): { readonly words: Int8Array; readonly scales: Float32Array } {
  const channels = axis === undefined ? 1 : dims[axis];
  const inner =
    axis === undefined
      ? data.length
      : dims.slice(axis + 1).reduce((count, size) => count * size, 1);
  const channelOf = (index: number) => Math.floor(index / inner) % channels;
  const scales = new Float32Array(channels).fill(SMALLEST_SCALE);
  for (const [index, value] of data.entries()) {
    const channel = channelOf(index);
    scales[channel] = Math.max(scales[channel], Math.abs(value) / LARGEST_WEIGHT);
  }
  const words = Int8Array.from(data, (value, index) =>
    Math.max(
      -LARGEST_WEIGHT,
      Math.min(LARGEST_WEIGHT, Math.round(value / scales[channelOf(index)])),
    ),
  );
  return { words, scales };
}
