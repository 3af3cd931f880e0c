import { type Float32Network, inputsOf, isWeighted } from '../network.js';
import { createGraphBuilder } from './graph-builder.js';
import {
  addFloat32Operator,
  addRectifier,
  convolutionAttributes,
  int,
  weightDims,
} from './operators.js';

/**
 * Writes a float32 network with the standard operators of ONNX.
 * `readNetwork` gives the network back.
 */
export function writeFloat32(network: Float32Network): Uint8Array {
  const { tensors } = network;
  const builder = createGraphBuilder(
    network,
    tensors.map(({ name }) => name),
  );
  for (const layer of network.layers) {
    const operands = inputsOf(layer).map((tensor) => tensors[tensor].name);
    const output = tensors[layer.output].name;
    if (!isWeighted(layer)) {
      addFloat32Operator(builder, layer, operands, output);
      continue;
    }
    const { name, weights, bias, relu } = layer;
    const inputs = [
      ...operands,
      builder.constant(`${name}.weight`, 'float32', weightDims(layer), weights),
      builder.constant(`${name}.bias`, 'float32', [bias.length], bias),
    ];
    const isConvolution = layer.kind === 'convolution';
    const sum = relu ? builder.fresh(`${output}_before_relu`) : output;
    builder.node(isConvolution ? 'Conv' : 'Gemm', inputs, sum, {
      name,
      attributes: isConvolution ? convolutionAttributes(layer) : { transB: int(1) },
    });
    if (relu) addRectifier(builder, layer, sum, output);
  }
  return builder.finish([
    { name: tensors[network.output].name, tensor: network.output, elementType: 'float32' },
  ]);
}
