import { type Float32Network, isWeighted } from '../network.js';
import { createGraphBuilder } from './graph-builder.js';
import { convolutionAttributes, int, weightDims, weightlessOperator } from './operators.js';

/**
 * Writes a float32 network as Conv, Gemm, Relu, MaxPool and Flatten nodes.
 * `readNetwork` gives the network back.
 */
export function writeFloat32(network: Float32Network): Uint8Array {
  const { tensors } = network;
  const builder = createGraphBuilder(
    network,
    tensors.map(({ name }) => name),
  );
  for (const layer of network.layers) {
    const input = tensors[layer.input].name;
    const output = tensors[layer.output].name;
    if (!isWeighted(layer)) {
      const { opType, attributes } = weightlessOperator(layer);
      builder.node(opType, [input], output, { name: layer.name, attributes });
      continue;
    }
    const { name, weights, bias, relu } = layer;
    const inputs = [
      input,
      builder.constant(`${name}.weight`, 'float32', weightDims(layer), weights),
      builder.constant(`${name}.bias`, 'float32', [bias.length], bias),
    ];
    const isConvolution = layer.kind === 'convolution';
    const sum = relu ? builder.fresh(`${output}_before_relu`) : output;
    builder.node(isConvolution ? 'Conv' : 'Gemm', inputs, sum, {
      name,
      attributes: isConvolution ? convolutionAttributes(layer) : { transB: int(1) },
    });
    if (relu) builder.node('Relu', [sum], output);
  }
  return builder.finish([
    { name: tensors[network.output].name, tensor: network.output, elementType: 'float32' },
  ]);
}
