import { featureCount } from '../core/index.js';
import { createWasmBackend, type KernelModule, wasmBytesNeeded } from '../kernels/index.js';
import { type Network, type WordFormat, weightedLayers } from '../models/index.js';
import type { Accelerator } from './accelerator/index.js';
import { createDatapath, type Datapath } from './datapath.js';
import type { Placement, WeightMemory } from './interfaces.js';
import { defaultResidentMemory } from './memory.js';
import { residentPlacement } from './placement-resident.js';
import { streamedPlacement } from './placement-streamed.js';
import { sharedSlots } from './shared-slots.js';

/** Width of a weight word in bits. */
export const WORD_BITS: Readonly<Record<WordFormat, 8 | 32>> = { int8: 8, float32: 32 };

/** Number of stored weights of a network; what several layers share counts once. */
export function networkWeights(network: Network): number {
  return weightedLayers(network).reduce(
    (sum, { weights, sharedWeights }) => sum + (sharedWeights ? 0 : weights.length),
    0,
  );
}

/** The weight memory of an accelerator; one that fits the network is sized for it. */
export function weightMemoryOf(
  accelerator: Pick<Accelerator, 'weightMemory'>,
  network: Network,
): WeightMemory {
  if (accelerator.weightMemory !== 'fits-network') return accelerator.weightMemory;
  return defaultResidentMemory(networkWeights(network), WORD_BITS[network.format]);
}

/**
 * Place the weights of a network into the weight memory of an accelerator.
 *
 * @throws InputError when a resident network does not fit
 */
export function placeNetwork(
  network: Network,
  accelerator: Accelerator,
  kind: Placement['kind'],
): Placement {
  const memory = weightMemoryOf(accelerator, network);
  const bits = WORD_BITS[network.format];
  if (kind === 'resident') {
    const placement = residentPlacement(memory, networkWeights(network), bits);
    return { ...placement, ...sharedSlots(network) };
  }
  const shapes = weightedLayers(network).map(({ shape }) => shape);
  return streamedPlacement(memory, shapes, bits, accelerator.array);
}

/**
 * A datapath on WebAssembly kernels, in a memory of its own that is sized once.
 *
 * @param batch images computed together (a matter of speed only)
 */
export function createNetworkDatapath(
  network: Network,
  kernels: KernelModule,
  batch: number,
): Datapath {
  const { format } = network;
  const bytes = wasmBytesNeeded({
    convolutions: weightedLayers(network).map(({ shape }) => ({ shape, format })),
    tensors: network.tensors.map(({ shape }) => ({
      format: format === 'int8' ? 'uint8' : 'float32',
      length: featureCount(shape),
    })),
    images: batch,
  });
  return createDatapath(network, createWasmBackend(kernels, bytes), batch);
}
