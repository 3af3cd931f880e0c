import type { Command } from 'commander';
import { loadNetwork, type WordFormat } from '../../../models/index.js';
import {
  loadAccelerator,
  type Placement,
  placeNetwork,
  placeOnNamed,
  placeStorage,
  STORAGES,
  type StorageName,
} from '../../../sim/index.js';
import { addMemoryLimit } from '../../input/memory-limit.js';
import { acceleratorOption, choice, option } from '../../input/options.js';

/** The weight memory that a map is for: that of an accelerator that holds a network. */
export interface MemoryFlags {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  readonly placement: Placement['kind'];
}

/** Options that say which weight memory a map is for. */
export function addMemoryOptions(command: Command): Command {
  return addMemoryLimit(command)
    .addOption(option('--model <model>', 'alexnet, vgg16 or an ONNX file').default('alexnet'))
    .addOption(choice('--format <format>', 'word format', ['int8', 'float32']).default('int8'))
    .addOption(acceleratorOption())
    .addOption(
      choice('--placement <kind>', 'weights in the memory', ['resident', 'streamed']).default(
        'resident',
      ),
    );
}

/** A storage of an accelerator that a map may be for. */
export interface StorageFlags extends MemoryFlags {
  /** Default: weights. */
  readonly storage?: StorageName;
}

/** Options that say which storage of an accelerator a map is for. */
export function addStorageOptions(command: Command): Command {
  return addMemoryOptions(command).addOption(
    choice('--storage <name>', 'what of the accelerator is faulty (default: weights)', STORAGES),
  );
}

/** The network, the accelerator, and a storage of it as the network uses it. */
export function storageOf({
  storage: name = 'weights',
  model,
  format,
  accelerator: nameOrFile,
  placement,
}: StorageFlags) {
  const network = loadNetwork(model, format);
  const accelerator = loadAccelerator(nameOrFile);
  const storage = placeOnNamed(nameOrFile, () =>
    placeStorage(name, network, accelerator, { placement }),
  );
  return { network, accelerator, storage };
}

/** The network, and its place in the weight memory of the accelerator. */
export function memoryOf({ model, format, accelerator: name, placement: kind }: MemoryFlags) {
  const network = loadNetwork(model, format);
  const accelerator = loadAccelerator(name);
  const placement = placeOnNamed(name, () => placeNetwork(network, accelerator, kind));
  return { network, placement };
}
