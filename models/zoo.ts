import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, packageRoot } from '../core/index.js';
import type { Network, WordFormat } from './network.js';
import { dequantize } from './quantization/dequantize.js';
import { type ReadOptions, readNetwork } from './read-network.js';

/** Networks that come with Bitcell. */
export const ZOO = ['alexnet', 'vgg16'] as const;

function isInZoo(model: string): boolean {
  return (ZOO as readonly string[]).includes(model);
}

function zooFile(file: string): string {
  return join(packageRoot(), 'models', 'zoo', file);
}

/**
 * The ONNX file of a network of the zoo, or of any other, which is given by its path.
 *
 * @throws InputError when there is no such file, or the name's file is not installed
 */
export function modelFile(model: string): string {
  if (!isInZoo(model)) {
    if (existsSync(model)) return model;
    throw new InputError(
      `There is no network "${model}": give ${ZOO.join(', ')} or the path of an ONNX file.`,
    );
  }
  const file = zooFile(`${model}.onnx`);
  if (existsSync(file)) return file;
  throw new InputError(
    `The network ${model} is not part of this installation (${file} is missing); give the path of an ONNX file instead.`,
  );
}

/**
 * Load a network of the zoo by its name, or any other by the path of its ONNX file.
 *
 * @throws InputError when there is no such file, or the name's file is not installed
 * @throws ModelError when the file is no network that Bitcell reads
 */
export function resolveModel(model: string, options: ReadOptions = {}): Network {
  return readNetwork(modelFile(model), { ...options, ...(isInZoo(model) && { name: model }) });
}

/** The file of clip thresholds that comes with a network of the zoo, if there is one. */
export function zooThresholds(model: string): string | undefined {
  if (!isInZoo(model)) return undefined;
  const file = zooFile(`${model}.thresholds.json`);
  return existsSync(file) ? file : undefined;
}

/**
 * Load a network in a word format. The float32 words of a quantised network are its dequantised
 * weights, so both formats store the same network.
 *
 * @param model `alexnet`, `vgg16` or a path
 * @throws InputError when int8 words are wanted of a network that is not quantised
 */
export function loadNetwork(model: string, format: WordFormat, options: ReadOptions = {}): Network {
  const network = resolveModel(model, options);
  if (network.format === format) return network;
  if (network.format === 'int8') return dequantize(network);
  throw new InputError(
    `${model} has float32 weights: quantise it first with "bitcell quantize ${model} --output FILE", or choose --format float32`,
  );
}
