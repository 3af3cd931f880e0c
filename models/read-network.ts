import { basename, dirname } from 'node:path';
import { featureCount, readFileChecked, requireMemory, sha256Hex } from '../core/index.js';
import type { InputSizes } from './graph/prepare/sample.js';
import { type ImportedGraph, importGraph } from './import/import.js';
import type { Network, Tensor } from './network.js';
import { decodeOnnx, type OnnxModel } from './onnx/index.js';

export interface ReadOptions extends InputSizes {
  /** What to call the network; default: the file's name without `.onnx`, or the graph's name. */
  readonly name?: string | undefined;
  /** Whether a file whose weights are missing is read, as if they were 0; only for what needs no results. */
  readonly weights?: 'required' | 'optional' | undefined;
}

/**
 * Reads a network from an ONNX file: with int8 words when the file has integers, in QuantizeLinear and
 * DequantizeLinear nodes (QDQ) or inside its operators (QOperator), float32 otherwise.
 *
 * @param file path or bytes of the file
 * @param options the network's name alone, or more
 * @throws InputError when the file cannot be read
 * @throws InputError when one image takes more memory than the limit
 * @throws ModelError naming file, node and cause when it is malformed or not supported
 */
export function readNetwork(
  file: string | Uint8Array,
  options: string | ReadOptions = {},
): Network {
  return readGraph(file, options).network;
}

/** A network with the file that it was read from. */
export interface NetworkGraph extends ImportedGraph {
  readonly model: OnnxModel;
}

/**
 * `readNetwork`, with the file's graph and what of it became which layer.
 *
 * @throws as `readNetwork` does
 */
export function readGraph(
  file: string | Uint8Array,
  options: string | ReadOptions = {},
): NetworkGraph {
  const {
    name,
    weights = 'required',
    ...prepare
  }: ReadOptions = typeof options === 'string' ? { name: options } : options;
  const fromPath = typeof file === 'string';
  const bytes = fromPath ? readFileChecked(file) : file;
  const source = fromPath ? file : (name ?? 'the ONNX model');
  const model = decodeOnnx(bytes, source, { weights, ...(fromPath && { folder: dirname(file) }) });
  const otherwise = fromPath ? basename(file, '.onnx') : model.graph.name;
  const { externalData } = model;
  const checksum = sha256Hex(bytes);
  const whole = externalData
    ? sha256Hex(new TextEncoder().encode(`${checksum} ${externalData.sha256}`))
    : checksum;
  const imported = importGraph(model, source, name ?? otherwise, whole, prepare);
  const { network } = imported;
  const features = network.tensors.reduce((sum, { shape }) => sum + featureCount(shape), 0);
  const bytesNeeded = network.tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const what = `${source}: a network of ${features} values an image`;
  requireMemory(bytesNeeded, what, bytes.length + (externalData?.bytes ?? 0));
  return { ...imported, model, network: fromPath ? { ...network, source } : network };
}

/** The values of a feature map, and the threshold that each neuron may have: what a run takes at the least. */
function bytesOf({ shape, quantization }: Tensor): number {
  return featureCount(shape) * (quantization ? 1 + 4 : 4 + 4);
}
