import { basename } from 'node:path';
import { featureCount, readFileChecked, requireMemory, sha256Hex } from '../core/index.js';
import { importFloat32 } from './import/float32.js';
import { importQuantized, isQuantized } from './import/quantized.js';
import type { Network } from './network.js';
import { decodeOnnx } from './onnx/index.js';

/** A value of a feature map, and the threshold that each neuron may have: what a run takes at the least. */
const BYTES_PER_FEATURE = { int8: 1 + 4, float32: 4 + 4 } as const;

/**
 * Reads a network from an ONNX file: int8 when its activations are quantised, by QuantizeLinear and
 * DequantizeLinear nodes (QDQ) or inside its operators (QOperator), float32 otherwise.
 *
 * @param file path or bytes of the file
 * @param name what to call the network; default: the file's name without `.onnx`, or the graph's name
 * @throws InputError when the file cannot be read
 * @throws InputError when one image takes more memory than the limit
 * @throws ModelError naming file, node and cause when it is malformed or not supported
 */
export function readNetwork(file: string | Uint8Array, name?: string): Network {
  const fromPath = typeof file === 'string';
  const bytes = fromPath ? readFileChecked(file) : file;
  const source = fromPath ? file : (name ?? 'the ONNX model');
  const model = decodeOnnx(bytes, source);
  const importNetwork = isQuantized(model) ? importQuantized : importFloat32;
  const otherwise = fromPath ? basename(file, '.onnx') : model.graph.name;
  const network = importNetwork(model, source, name ?? otherwise, sha256Hex(bytes));
  const features = network.tensors.reduce((sum, { shape }) => sum + featureCount(shape), 0);
  const what = `${source}: a network of ${features} values an image`;
  requireMemory(features * BYTES_PER_FEATURE[network.format], what, bytes.length);
  return fromPath ? { ...network, source } : network;
}
