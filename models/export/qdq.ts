import { addRectifier, convolutionAttributes, int } from '../graph/attributes.js';
import {
  createQuantizedGraph,
  graphOutputs,
  type QuantizedGraph,
  type QuantizedWriteOptions,
  quantizedName,
} from '../graph/quantized-graph.js';
import { type Int8ArrayLayer, type Int8Network, inputsOf, isOnArray } from '../network.js';
import { isMoving } from '../operators/index.js';
import { addFloat32Operator } from './operator.js';

/**
 * Writes a quantised network in QDQ form: float32 operators between DequantizeLinear and QuantizeLinear
 * nodes, one pair at every activation, MaxPool and Flatten included, so that onnxruntime fuses all
 * of it into integer operators at its levels `extended` and `all`, except int8 activations and
 * activation functions that are layers of their own. `readNetwork` gives the network back.
 *
 * @throws ModelError when the network has no such form: a ReLU output with a zero point other than 0, a
 * pooling that changes the quantisation
 */
export function writeQdq(network: Int8Network, options: QuantizedWriteOptions = {}): Uint8Array {
  const { tensors } = network;
  const graph = createQuantizedGraph(network, isMoving);
  const { builder } = graph;

  /** QuantizeLinear and DequantizeLinear; returns the dequantised value. */
  function requantize(real: string, tensor: number): string {
    const { scale, zeroPoint } = graph.names(tensor);
    const quantized = quantizedName(tensors[tensor]);
    builder.node('QuantizeLinear', [real, scale, zeroPoint], quantized);
    const dequantized =
      tensor === network.output
        ? tensors[tensor].name
        : builder.fresh(`${tensors[tensor].name}_dequantized`);
    return builder.node('DequantizeLinear', [quantized, scale, zeroPoint], dequantized);
  }

  const dequantized = new Map([
    [network.input, requantize(tensors[network.input].name, network.input)],
  ]);
  for (const layer of network.layers) {
    const { name } = tensors[layer.output];
    // The graph's output takes the tensor's name, after the DequantizeLinear.
    const real = layer.output === network.output ? builder.fresh(`${name}_real`) : name;
    const inputs = inputsOf(layer).map((tensor) => dequantized.get(tensor) ?? '');
    if (isOnArray(layer)) addWeighted(graph, layer, inputs[0], real);
    else addFloat32Operator(builder, layer, inputs, real);
    dequantized.set(layer.output, requantize(real, layer.output));
  }
  return builder.finish(graphOutputs(network, options));
}

function addWeighted(
  graph: QuantizedGraph,
  layer: Int8ArrayLayer,
  input: string,
  output: string,
): void {
  const { builder } = graph;
  const { name, scales, bias, relu } = layer;
  const { weights, scale, zeroPoint, transposed } = graph.weights(layer);
  const inputScale = graph.quantization(layer.input).scale;
  const channels = [scales.length];
  const constants = [
    builder.constant(`${name}.bias`, 'int32', channels, bias),
    builder.constant(
      `${name}.bias_scale`,
      'float32',
      channels,
      scales.map((weightScale) => inputScale * weightScale),
    ),
    builder.constant(`${name}.bias_zero_point`, 'int32', channels, new Int32Array(scales.length)),
  ];
  const alongAxis = (axis: number) => ({ attributes: { axis: int(axis) } });
  const inputs = [
    input,
    builder.node(
      'DequantizeLinear',
      [weights, scale, zeroPoint],
      builder.fresh(`${name}.weight_dequantized`),
      alongAxis(transposed ? 1 : 0),
    ),
    builder.node(
      'DequantizeLinear',
      constants,
      builder.fresh(`${name}.bias_dequantized`),
      alongAxis(0),
    ),
  ];
  const isConvolution = layer.kind === 'convolution';
  const sum = relu ? builder.fresh(`${output}_before_relu`) : output;
  builder.node(isConvolution ? 'Conv' : 'Gemm', inputs, sum, {
    name,
    attributes: isConvolution ? convolutionAttributes(layer) : { transB: int(transposed ? 0 : 1) },
  });
  if (relu) addRectifier(builder, layer, sum, output);
}
