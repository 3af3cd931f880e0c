import { InputError } from '../../core/index.js';
import { type Placement, requireAddressableWeights } from './placement.js';
import { memoryGeometry, slotCount, type WeightMemory } from './weight-memory.js';

/**
 * Every weight in cells of its own: weight i in slot i, so the weights fill the memory in network order
 * (output channel, input channel, ky, kx) and the last slots may stay unused.
 * @throws InputError when the memory is too small.
 */
export function residentPlacement(
  memory: WeightMemory,
  weights: number,
  weightBits: 8 | 32,
): Placement {
  requireAddressableWeights(weights);
  const available = slotCount(memory, weightBits);
  if (weights > available) {
    throw new InputError(
      `The weight memory is too small for a resident placement: the network has ${weights} weights of ${weightBits} bits, the memory holds ${available}; use more banks or a streamed placement.`,
    );
  }
  return {
    kind: 'resident',
    memory,
    geometry: memoryGeometry(memory),
    weightBits,
    weights,
    isInOrder: true,
    tiles: weights === 0 ? 0 : 1,
    slotOf: (weight) => weight,
    tileOf: () => 0,
    occupancy: (slot) => (slot < weights ? 1 : 0),
    weightAt: (slot) => slot,
  };
}
