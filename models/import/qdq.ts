import { ModelError } from '../../core/index.js';
import type { Int8Layer, Int8Network, Quantization, Tensor } from '../network.js';
import type { OnnxModel, OnnxNode } from '../onnx/index.js';
import {
  type ImportGraph,
  isStandard,
  nodeError,
  onlyOutput,
  prepareGraph,
  unsupportedOperator,
} from './graph.js';
import { layerName, uniqueNames } from './naming.js';
import {
  flattened,
  inputShape,
  poolingShape,
  requireFlattening,
  type ShapedValue,
} from './operators.js';
import { type DequantizedConstant, readQuantizedWeights } from './qdq-weights.js';
import { constantQuantization, quantization } from './quantization.js';
import { requireSequence } from './sequence.js';

const OPERATORS = [
  'QuantizeLinear',
  'DequantizeLinear',
  'Conv',
  'Gemm',
  'Relu',
  'MaxPool',
  'Flatten',
  'Reshape',
  'Identity',
  'Dropout',
  'Constant',
];

type WithoutOutput<L> = L extends unknown ? Omit<L, 'output'> : never;

/** What a value of the graph is, on the way from one QuantizeLinear to the next. */
type Value =
  | { readonly state: 'input'; readonly shaped: ShapedValue }
  | { readonly state: 'quantized'; readonly shaped: ShapedValue; readonly tensor: number }
  | { readonly state: 'dequantized'; readonly shaped: ShapedValue; readonly tensor: number }
  | ({ readonly state: 'constant' } & DequantizedConstant)
  | {
      readonly state: 'result';
      readonly shaped: ShapedValue;
      readonly layer: WithoutOutput<Int8Layer>;
    };

type Activation = Exclude<Value, { state: 'constant' }>;

/** Whether a model's activations are quantised by QuantizeLinear and DequantizeLinear nodes. */
export function isQdq(model: OnnxModel): boolean {
  return model.graph.nodes.some((node) => isStandard(node, 'QuantizeLinear'));
}

/**
 * Imports a network whose layers stand between DequantizeLinear and QuantizeLinear nodes with uint8
 * activations and int8 weights. Each group means the integer operator that onnxruntime makes of it;
 * groups that onnxruntime would leave in float32 are rejected.
 */
export function importQdq(
  model: OnnxModel,
  source: string,
  name: string,
  checksum: string,
): Int8Network {
  const graph = prepareGraph(model, source);
  const unique = uniqueNames();
  const tensors: Tensor[] = [];
  const layers: Int8Layer[] = [];
  const values = new Map<string, Value>();

  function activation(node: OnnxNode): Activation {
    const value = values.get(node.inputs[0]);
    if (!value || value.state === 'constant') {
      throw nodeError(source, node, 'takes no activations as its first input');
    }
    return value;
  }

  /** The dequantised tensor that a layer takes. */
  function operand(node: OnnxNode): Extract<Activation, { state: 'dequantized' }> {
    const value = activation(node);
    if (value.state === 'dequantized') return value;
    throw nodeError(
      source,
      node,
      `takes "${node.inputs[0]}", which does not come from a DequantizeLinear; onnxruntime leaves such groups unfused`,
    );
  }

  function quantize(node: OnnxNode): void {
    const value = activation(node);
    const quantized = quantization(graph, node);
    if (value.state !== 'input' && value.state !== 'result') {
      throw nodeError(source, node, 'quantises a tensor again');
    }
    if (graph.uses.get(node.inputs[0]) !== 1) {
      throw nodeError(source, node, `shares its input "${node.inputs[0]}" with another node`);
    }
    const { shaped } = value;
    if (value.state === 'result') checkResult(graph, node, value.layer, quantized, tensors);
    const tensor =
      tensors.push({ name: node.inputs[0], shape: shaped.shape, quantization: quantized }) - 1;
    if (value.state === 'result') layers.push({ ...value.layer, output: tensor });
    values.set(onlyOutput(source, node), { state: 'quantized', shaped, tensor });
  }

  function dequantize(node: OnnxNode): void {
    const output = onlyOutput(source, node);
    const constant = graph.constants.get(node.inputs[0]);
    if (constant) {
      const real = constantQuantization(graph, node, constant);
      values.set(output, { state: 'constant', tensor: constant, real });
      return;
    }
    const value = activation(node);
    if (value.state !== 'quantized') {
      throw nodeError(source, node, 'does not take the output of a QuantizeLinear');
    }
    const expected = tensors[value.tensor].quantization;
    if (!isSame(quantization(graph, node), expected)) {
      throw nodeError(source, node, 'has another scale or zero point than its QuantizeLinear');
    }
    values.set(output, { ...value, state: 'dequantized' });
  }

  function addResult(node: OnnxNode, shaped: ShapedValue, layer: WithoutOutput<Int8Layer>): void {
    values.set(onlyOutput(source, node), { state: 'result', shaped, layer });
  }

  function weighted(node: OnnxNode): void {
    const { shaped, tensor } = operand(node);
    const scale = tensors[tensor].quantization?.scale ?? 1;
    const constants = [1, 2].map((position) => {
      const value = values.get(node.inputs[position]);
      return value?.state === 'constant' ? value : undefined;
    });
    const parts = readQuantizedWeights(graph, node, shaped, scale, constants);
    const name = unique(layerName(node, constants[0]?.tensor.name));
    const rank = parts.kind === 'convolution' ? 4 : 2;
    addResult(node, { shape: parts.shape.output, rank }, { ...parts, name, input: tensor });
  }

  values.set(graph.input.name, { state: 'input', shaped: inputShape(graph) });
  for (const node of graph.nodes) {
    switch (node.domain === '' ? node.opType : '') {
      case 'QuantizeLinear':
        quantize(node);
        break;
      case 'DequantizeLinear':
        dequantize(node);
        break;
      case 'Conv':
      case 'Gemm':
        weighted(node);
        break;
      case 'Relu': {
        const value = activation(node);
        if (value.state !== 'result' || !('relu' in value.layer)) {
          throw nodeError(source, node, 'does not directly follow a Conv or Gemm');
        }
        addResult(node, value.shaped, { ...value.layer, relu: true });
        break;
      }
      case 'MaxPool': {
        const { shaped, tensor } = operand(node);
        const shape = poolingShape(graph, node, shaped);
        const name = unique(layerName(node));
        const layer = { kind: 'max-pool', name, input: tensor, shape } as const;
        addResult(node, { shape: shape.output, rank: 4 }, layer);
        break;
      }
      case 'Flatten':
      case 'Reshape': {
        const { shaped, tensor } = operand(node);
        requireFlattening(graph, node, shaped);
        const name = unique(layerName(node));
        addResult(node, flattened(shaped.shape), { kind: 'flatten', name, input: tensor });
        break;
      }
      default:
        throw unsupportedOperator(source, node, OPERATORS);
    }
  }

  const output = values.get(graph.output.value);
  if (output?.state !== 'dequantized') {
    throw new ModelError(
      `${source}: the output "${graph.output.name}" does not come from a DequantizeLinear of activations`,
    );
  }
  requireSequence(graph, layers, 0, output.tensor);
  tensors[output.tensor] = { ...tensors[output.tensor], name: graph.output.name };
  return { format: 'int8', name, checksum, tensors, input: 0, output: output.tensor, layers };
}

function isSame(one: Quantization, other: Quantization | undefined): boolean {
  return one.scale === other?.scale && one.zeroPoint === other.zeroPoint;
}

/** Checks that onnxruntime computes the group that a QuantizeLinear ends in integers. */
function checkResult(
  graph: ImportGraph,
  node: OnnxNode,
  layer: WithoutOutput<Int8Layer>,
  quantized: Quantization,
  tensors: readonly Tensor[],
): void {
  if ('relu' in layer) {
    if (layer.relu && quantized.zeroPoint !== 0) {
      throw nodeError(
        graph.source,
        node,
        `has zero point ${quantized.zeroPoint} after the Relu of layer "${layer.name}"; onnxruntime leaves such groups unfused, so quantise ReLU outputs with zero point 0`,
      );
    }
  } else if (!isSame(quantized, tensors[layer.input].quantization)) {
    throw nodeError(
      graph.source,
      node,
      `has another scale or zero point than the input of layer "${layer.name}"; onnxruntime leaves such groups unfused`,
    );
  }
}
