import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, packageRoot } from '../core/index.js';
import type { Network } from './network.js';
import { readNetwork } from './read-network.js';

/** Networks that come with Bitcell. */
export const ZOO = ['alexnet', 'vgg16'] as const;

function isInZoo(model: string): boolean {
  return (ZOO as readonly string[]).includes(model);
}

function zooFile(file: string): string {
  return join(packageRoot(), 'models', 'zoo', file);
}

/**
 * Load a network of the zoo by its name, or any other by the path of its ONNX file.
 *
 * @throws InputError when there is no such file, or the name's file is not installed
 * @throws ModelError when the file is no network that Bitcell reads
 */
export function resolveModel(model: string): Network {
  if (!isInZoo(model)) {
    if (existsSync(model)) return readNetwork(model);
    throw new InputError(
      `There is no network "${model}": give ${ZOO.join(', ')} or the path of an ONNX file.`,
    );
  }
  const file = zooFile(`${model}.onnx`);
  if (existsSync(file)) return readNetwork(file, model);
  throw new InputError(
    `The network ${model} is not part of this installation (${file} is missing); give the path of an ONNX file instead.`,
  );
}

/** The file of clip thresholds that comes with a network of the zoo, if there is one. */
export function zooThresholds(model: string): string | undefined {
  if (!isInZoo(model)) return undefined;
  const file = zooFile(`${model}.thresholds.json`);
  return existsSync(file) ? file : undefined;
}
