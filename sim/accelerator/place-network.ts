import { InputError } from '../../core/index.js';
import { type Network, WORD_BITS, weightedLayers } from '../../models/index.js';
import type { Placement } from '../memory/placement.js';
import { residentPlacement } from '../memory/resident.js';
import { networkWeights, sharedSlots } from '../memory/shared-slots.js';
import { streamedPlacement } from '../memory/streamed.js';
import {
  defaultResidentMemory,
  defineWeightMemory,
  type WeightMemory,
} from '../memory/weight-memory.js';
import type { Accelerator } from './accelerator.js';

/** The weight memory of an accelerator; one that fits the network is sized for it. */
export function weightMemoryOf(
  accelerator: Pick<Accelerator, 'weightMemory'>,
  network: Network,
): WeightMemory {
  if (accelerator.weightMemory !== 'fits-network') return accelerator.weightMemory;
  return defaultResidentMemory(networkWeights(network), WORD_BITS[network.format]);
}

/** What a weight memory has beside its data. */
export type MemoryExtras = Pick<WeightMemory, 'checkBits' | 'spareRows' | 'spareColumns'>;

/**
 * Place the weights of a network into the weight memory of an accelerator.
 *
 * @param extras what the memory has beside its data, where that is not what the accelerator's has
 * @throws InputError when the weights do not fit the memory, or its words
 */
export function placeNetwork(
  network: Network,
  accelerator: Accelerator,
  kind: Placement['kind'],
  extras?: MemoryExtras,
): Placement {
  const own = weightMemoryOf(accelerator, network);
  const memory = extras ? defineWeightMemory({ ...own, ...extras }) : own;
  const bits = WORD_BITS[network.format];
  if (kind === 'resident') {
    const placement = residentPlacement(memory, networkWeights(network), bits);
    return { ...placement, ...sharedSlots(network) };
  }
  const shapes = weightedLayers(network).map(({ shape }) => shape);
  return streamedPlacement(memory, shapes, bits, accelerator.array);
}

/**
 * What `place` returns.
 *
 * @param nameOrFile of the accelerator, before the message of an InputError that `place` throws
 */
export function placeOnNamed<T>(nameOrFile: string, place: () => T): T {
  try {
    return place();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${nameOrFile}: ${error.message}`, { cause: error });
  }
}
