import {
  canBeChannelsLast,
  type Form,
  isStoredAlike,
  LARGEST_FEATURE_COUNT,
  shapeOf,
} from '../graph/form.js';
import { type ImportGraph, NotSimulated, nodeError, onlyOutput, typeOf } from '../graph/graph.js';
import { layerName, noActivations, uniqueNames } from '../graph/naming.js';
import {
  type ConstantQuantization,
  isSameQuantization,
  outputQuantization,
  readQuantization,
} from '../graph/quantization.js';
import {
  type Int8ArrayLayer,
  inputsOf,
  isOnArray,
  type Layer,
  type NetworkValue,
  type Quantization,
  type Tensor,
  type WordFormat,
} from '../network.js';
import type { OnnxNode, OnnxTensor } from '../onnx/index.js';
import type {
  Activation,
  ConstantOperand,
  JoinableLayer,
  LayerParts,
} from '../operators/definition.js';
import { definitionOf } from '../operators/index.js';
import { inputLayout } from './input-layout.js';
import type { FloatOperator } from './operator.js';
import type { ImportValues, PendingValue, Value } from './value.js';

/** @param unfoldable initialisers into which nothing is folded */
export function createValues(
  graph: ImportGraph,
  format: WordFormat,
  unfoldable: ReadonlySet<string>,
): ImportValues {
  const { source } = graph;
  const uniqueLayer = uniqueNames();
  const uniqueTensor = uniqueNames();
  const tensors: Tensor[] = [];
  const layers: Layer[] = [];
  const values = new Map<string, Value>();
  const inputs = new Map<string, NetworkValue>();
  const floatOperators = new Map<string, FloatOperator>();
  const uint8Tensors = new Set<number>();
  /** Tensors that hold the same in another layout or as float32 numbers, by the tensor and what they are. */
  const copies = new Map<string, number>();
  const results = new Set<string>();
  const products = new Map<string, OnnxNode>();
  // The outputs' tensors get these names in the end.
  for (const { name, value } of graph.outputs) if (name !== value) uniqueTensor(name);
  if (format === 'int8') for (const { name } of graph.outputs) uniqueTensor(name);

  function addTensor(name: string, form: Form, quantization?: Quantization): number {
    const shape = shapeOf(form);
    return (
      tensors.push({ name: uniqueTensor(name), shape, ...(quantization && { quantization }) }) - 1
    );
  }

  function quantizationAt(tensor: number): Quantization {
    const { name, quantization } = tensors[tensor];
    if (quantization) return quantization;
    throw new Error(`${name} is not quantised`);
  }

  /** Adds a layer that moves the values of a tensor; returns the tensor that it makes. */
  function addMoving(name: string, tensor: number, form: Form, layer: LayerParts): number {
    const made = addTensor(name, form, tensors[tensor].quantization);
    layers.push({
      ...layer,
      name: uniqueLayer(name),
      input: tensor,
      output: made,
    } as Layer);
    if (uint8Tensors.has(tensor)) uint8Tensors.add(made);
    return made;
  }

  /** The float32 numbers of a quantised tensor. */
  function dequantized(tensor: number): number {
    if (!tensors[tensor].quantization) return tensor;
    const key = `${tensor} float32`;
    const known = copies.get(key);
    if (known !== undefined) return known;
    const { name, shape } = tensors[tensor];
    const made = tensors.push({ name: uniqueTensor(`${name}_dequantized`), shape }) - 1;
    layers.push({
      kind: 'dequantize',
      name: uniqueLayer(`${name}_dequantize`),
      input: tensor,
      output: made,
    });
    copies.set(key, made);
    return made;
  }

  function placeInput(name: string, quantization: Quantization | undefined): number {
    const value = values.get(name);
    if (value?.state !== 'input') throw new Error(`${name} is no input`);
    const { form, elementType } = value;
    const tensor = addTensor(name, form, quantization);
    inputs.set(name, { name, tensor, ...form, elementType });
    return tensor;
  }

  /** Whether a Relu or Clip is all that takes a value. */
  function isActivated(name: string): boolean {
    const [taker] = graph.consumers.get(name) ?? [];
    return graph.uses.get(name) === 1 && /^(Relu|Clip)$/.test(taker?.opType ?? '');
  }

  /** A layer that waited for a QuantizeLinear gets none. */
  function settle(name: string, value: PendingValue): Extract<Value, { tensor: number }> {
    const { layer, form, node, product } = value;
    const settled = (state: 'float' | 'dequantized', tensor: number) => {
      const found = { state, form, tensor } as const;
      values.set(name, found);
      if (state === 'float') results.add(name);
      return found;
    };
    if (!isOnArray(layer as Layer) && definitionOf(layer as Layer).moves) {
      // What only moves values between a DequantizeLinear and a layer needs no quantisation of its own.
      const [input] = inputsOf(layer as Layer);
      const tensor = addTensor(name, form, quantizationAt(input));
      layers.push({ ...layer, output: tensor } as Layer);
      // onnxruntime gives a Reshape its own pair (QDQPropagationTransformer), which is rewritten when used once.
      const isPropagated = node.opType === 'Reshape';
      const isUsedOnce = graph.uses.get(name) === 1;
      if (isPropagated ? isUsedOnce : uint8Tensors.has(input)) uint8Tensors.add(tensor);
      return settled('dequantized', tensor);
    }
    // Where an activation function takes it, onnxruntime does not fuse a product either.
    if (!product || !isActivated(name)) floatOperators.delete(layer.name);
    const tensor = addTensor(name, form);
    if (!product) {
      layers.push({ ...onFloats(layer), output: tensor } as Layer);
      return settled('float', tensor);
    }
    const { realBias, givesFloat32 } = product;
    const array = layer as Omit<Int8ArrayLayer, 'output'>;
    layers.push(
      givesFloat32
        ? { ...array, output: tensor }
        : {
            ...array,
            input: dequantized(array.input),
            bias: new Int32Array(array.bias.length),
            realBias,
            output: tensor,
          },
    );
    return settled('float', tensor);
  }

  /** A layer that takes the float32 numbers of its operands. */
  function onFloats(layer: JoinableLayer): JoinableLayer {
    return 'inputs' in layer
      ? ({ ...layer, inputs: layer.inputs.map(dequantized) } as JoinableLayer)
      : { ...layer, input: dequantized(layer.input) };
  }

  function placed(name: string): Extract<Value, { tensor: number }> | undefined {
    const value = values.get(name);
    switch (value?.state) {
      case 'pending':
        return settle(name, value);
      case 'input': {
        const { form, elementType } = value;
        if (elementType === 'int8' || elementType === 'uint8') {
          // Integers that nothing dequantises are the numbers themselves.
          const zeroPoint = elementType === 'int8' ? 128 : 0;
          const signed = elementType === 'int8' ? { signed: true as const } : {};
          const tensor = placeInput(name, { scale: 1, zeroPoint, ...signed });
          const found = { state: 'quantized', form, tensor } as const;
          values.set(name, found);
          return found;
        }
        const found = { state: 'float', form, tensor: placeInput(name, undefined) } as const;
        values.set(name, found);
        return found;
      }
      case 'float':
      case 'quantized':
      case 'dequantized':
      case 'on-grid':
        return value;
      default:
        return undefined;
    }
  }

  /** The operands as one layer takes them: all quantised, or all float32. */
  function withOperands(
    node: OnnxNode,
    operands: readonly { readonly tensor: number }[],
    layer: object,
    name: string,
  ): JoinableLayer {
    const tensorsOf = operands.map(({ tensor }) => tensor);
    const parts = { ...layer, name: uniqueLayer(name) } as JoinableLayer;
    if (definitionOf(parts as Layer).joins) return { ...parts, inputs: tensorsOf } as JoinableLayer;
    if (tensorsOf.length === 1) return { ...parts, input: tensorsOf[0] } as JoinableLayer;
    throw nodeError(source, node, `takes ${tensorsOf.length} tensors`);
  }

  function cannot(node: OnnxNode, reason: string): never {
    throw new NotSimulated(node, reason);
  }

  const into: ImportValues = {
    graph,
    format,
    values,
    tensors,
    layers,
    inputs,
    uint8Tensors,
    floatOperators,
    results,
    products,
    placed,
    placeInput,
    addTensor,
    cannot,
    uniqueLayerName: uniqueLayer,
    addLayer(layer) {
      layers.push(layer);
    },
    isUnfoldable: (key) => unfoldable.has(key),
    activation(node, position) {
      const name = node.inputs[position] ?? '';
      const value = placed(name);
      if (value && value.state !== 'on-grid') {
        const { form, tensor, state } = value;
        return { value: name, ...form, tensor, state };
      }
      if (value) return cannot(node, 'computes with integers of 16 bits');
      if (name !== '' && (graph.constants.has(name) || values.has(name))) {
        return cannot(node, noActivations(position));
      }
      throw nodeError(source, node, noActivations(position));
    },
    channelsLast(node, position) {
      const operand = into.activation(node, position);
      return operand.layout === 'channels-last'
        ? operand
        : inLayout(node, operand, 'channels-last');
    },
    rowMajor(node, position) {
      const operand = into.activation(node, position);
      return operand.layout === 'row-major' ? operand : inLayout(node, operand, 'row-major');
    },
    constant(node, position) {
      const name = node.inputs[position] ?? '';
      const plain = graph.constants.get(name);
      if (plain?.elementType === 'float32') return plain;
      const value = values.get(name);
      if (value?.state !== 'constant') return undefined;
      return constantOperand(value.tensor, value.real);
    },
    weights(node, position) {
      const name = node.inputs[position] ?? '';
      const plain = graph.constants.get(name);
      if (plain?.elementType === 'float32') return { tensor: plain };
      const value = values.get(name);
      return value?.state === 'constant' ? { tensor: value.tensor, real: value.real } : undefined;
    },
    quantizationOf: ({ tensor }) => quantizationAt(tensor),
    result(node, operands, given, layer, output = onlyOutput(source, node)) {
      const form = formOf(node, given);
      const states = new Set(operands.map(({ state }) => state));
      const [state] = states;
      const parts = withOperands(node, operands, layer, layerName(node));
      const definition = definitionOf(parts as Layer);
      const isOneState = states.size === 1;
      if (isOneState && state === 'quantized' && definition.moves) {
        const quantization = quantizationAt(operands[0].tensor);
        const tensor = addTensor(output.replace(/_quantized$/, ''), form, quantization);
        layers.push({ ...parts, output: tensor } as Layer);
        values.set(output, { state: 'quantized', form, tensor });
        return;
      }
      if (states.has('quantized')) return cannot(node, 'computes with the integers themselves');
      if (isOneState && state === 'dequantized' && (definition.int8 || definition.moves)) {
        floatOperators.set(parts.name, { node });
        values.set(output, { state: 'pending', form, node, layer: parts });
        return;
      }
      if (!definition.float32) return cannot(node, 'has no meaning in float32');
      const tensor = addTensor(output, form);
      layers.push({ ...onFloats(parts), output: tensor } as Layer);
      values.set(output, { state: 'float', form, tensor });
      results.add(output);
    },
    product(node, operand, given, layer, weight) {
      const form = formOf(node, given);
      const output = onlyOutput(source, node);
      const name = uniqueLayer(layerName(node, weight));
      products.set(name, node);
      if (operand.state === 'quantized') {
        throw nodeError(
          source,
          node,
          `takes "${operand.value}", which does not come from a DequantizeLinear`,
        );
      }
      if (!('scales' in layer)) {
        if (format === 'int8') {
          return cannot(node, 'has float32 weights, in a network of int8 words');
        }
        const tensor = addTensor(output, form);
        layers.push({
          ...layer,
          ...{ name, relu: false, input: dequantized(operand.tensor), output: tensor },
        });
        values.set(output, { state: 'float', form, tensor });
        results.add(output);
        return;
      }
      const { realBias, givesFloat32, weightType, ...own } = layer;
      const array = { ...own, name, input: operand.tensor, relu: false };
      if (operand.state === 'dequantized') {
        floatOperators.set(name, { node, weightType });
        const product = { realBias, givesFloat32 };
        values.set(output, { state: 'pending', form, node, layer: array, product });
        return;
      }
      const tensor = addTensor(output, form);
      const bias = new Int32Array(own.bias.length);
      layers.push({ ...array, bias, realBias, output: tensor });
      values.set(output, { state: 'float', form, tensor });
      results.add(output);
    },
    before(node, position) {
      const name = node.inputs[position] ?? '';
      if (graph.uses.get(name) !== 1) return undefined;
      const value = values.get(name);
      if (value?.state === 'pending') return value.layer;
      if (value?.state !== 'float') return undefined;
      return results.has(name) ? layers.find(({ output }) => output === value.tensor) : undefined;
    },
    join(node, position, layer) {
      const name = node.inputs[position];
      const value = values.get(name);
      const output = onlyOutput(source, node);
      // Nothing else takes it: it is inside the layer from now on.
      values.delete(name);
      results.delete(name);
      if (value?.state === 'pending') {
        values.set(output, { ...value, layer });
        return;
      }
      if (value?.state !== 'float') throw new Error(`${node.name} joins no layer`);
      const index = layers.findIndex((candidate) => candidate.output === value.tensor);
      layers[index] = { ...layer, output: value.tensor } as Layer;
      tensors[value.tensor] = { ...tensors[value.tensor], name: uniqueTensor(output) };
      values.set(output, value);
      results.add(output);
    },
    quantizationBehind(node) {
      const output = onlyOutput(source, node);
      const [next] = graph.consumers.get(output) ?? [];
      if (graph.uses.get(output) !== 1 || next?.opType !== 'QuantizeLinear') return undefined;
      if (graph.constants.get(next.inputs[2] ?? '')?.elementType.endsWith('16')) return undefined;
      return outputQuantization(graph, next);
    },
    quantizedOperand(node, position) {
      const name = node.inputs[position] ?? '';
      const found = values.get(name);
      const isInput = found?.state === 'input';
      const signed = isInput && found.elementType === 'int8';
      if (isInput && (signed || found.elementType === 'uint8')) {
        const stated = readQuantization(graph, node, position + 1, signed);
        const tensor = placeInput(name, stated);
        values.set(name, { state: 'quantized', form: found.form, tensor });
      }
      const operand = into.activation(node, position);
      if (operand.state !== 'quantized') {
        throw nodeError(source, node, `takes "${name}", which is not quantised`);
      }
      const expected = quantizationAt(operand.tensor);
      const stated = readQuantization(graph, node, position + 1, expected.signed === true);
      if (isSameQuantization(stated, expected)) return operand;
      throw nodeError(
        source,
        node,
        `has another scale or zero point for "${name}" than the node that makes it`,
      );
    },
    quantizedResult(node, operands, given, quantization, layer, weight) {
      const form = formOf(node, given);
      const output = onlyOutput(source, node);
      const tensor = addTensor(output.replace(/_quantized$/, ''), form, quantization);
      const parts = withOperands(node, operands, layer, layerName(node, weight));
      layers.push({ ...parts, output: tensor } as Layer);
      values.set(output, { state: 'quantized', form, tensor });
    },
    alias(node, operand, form, output = onlyOutput(source, node)) {
      const { state, tensor } = operand;
      values.set(output, { state, tensor, form: { dims: form.dims, layout: form.layout } });
    },
  };

  function inLayout(node: OnnxNode, operand: Activation, layout: Form['layout']): Activation {
    const { dims, tensor } = operand;
    if (layout === 'channels-last' && !canBeChannelsLast(operand)) {
      return cannot(node, `takes a tensor of dimensions [${dims.join(', ')}], expected one sample`);
    }
    if (isStoredAlike(operand)) return { ...operand, layout };
    const key = `${tensor} [${dims.join()}] ${layout}`;
    let made = copies.get(key);
    if (made === undefined) {
      const [, channels, ...spatial] = dims;
      const positions = spatial.reduce((product, size) => product * size, 1);
      const sizes = layout === 'channels-last' ? [channels, positions] : [positions, channels];
      const name = `${operand.value.replace(/_quantized$/, '')}_${layout === 'channels-last' ? 'channels_last' : 'row_major'}`;
      const parts = { kind: 'transpose', dims: sizes, order: [1, 0] } as const;
      made = addMoving(name, tensor, { dims, layout }, parts);
      copies.set(key, made);
    }
    return { ...operand, tensor: made, layout };
  }

  /** The form alone, of what may be more; it must not be larger than any accelerator's. */
  function formOf(node: OnnxNode, { dims, layout }: Form): Form {
    const count = dims.reduce((product, size) => product * size, 1);
    if (count > LARGEST_FEATURE_COUNT) {
      throw nodeError(source, node, `has an impossible output of ${dims.join('×')}`);
    }
    return { dims, layout };
  }

  for (const { name } of graph.inputs) {
    const { dims, elementType } = typeOf(graph, name);
    const layout = inputLayout(graph, name, dims);
    values.set(name, { state: 'input', form: { dims, layout }, elementType });
  }
  return into;
}

/** A quantised constant as float32 numbers, and its integers where it has one scale. */
function constantOperand(tensor: OnnxTensor, real: ConstantQuantization): ConstantOperand {
  const { name, dims, elementType } = tensor;
  const data = real.values();
  if (!real.single || (elementType !== 'int8' && elementType !== 'uint8')) {
    return { name, dims, data };
  }
  const offset = elementType === 'int8' ? 128 : 0;
  const { scale, zeroPoint } = real.single;
  const quantization = {
    ...{ scale, zeroPoint: zeroPoint + offset },
    ...(elementType === 'int8' && { signed: true as const }),
  };
  const stored = Uint8Array.from(tensor.data, (value) => Number(value) + offset);
  return { name, dims, data, stored: { values: stored, quantization } };
}
