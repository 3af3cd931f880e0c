import { createRandomStream, PURPOSE } from '../../core/index.js';
import type { StorageName } from '../hardware/storages.js';

/** Storages that are in one memory have one number: its cells are the same. Results depend on them: never change one. */
const MEMORY_NUMBERS: Readonly<Record<StorageName, number>> = {
  weights: 0,
  'weight-registers': 1,
  inputs: 2,
  activations: 2,
  accumulators: 3,
  multipliers: 4,
};

/** Whether two storages are in one memory, and so have the same cells. */
export function isSameMemory(one: StorageName, other: StorageName): boolean {
  return MEMORY_NUMBERS[one] === MEMORY_NUMBERS[other];
}

/**
 * The seed of the fault maps of a storage: that of the study for weights, and of others one that follows from it, so that
 * the faults of two memories are independent. Inputs and activations are in one memory, and have the same faults.
 */
export function storageSeed(seed: number, storage: StorageName): number {
  const memory = MEMORY_NUMBERS[storage];
  if (memory === 0) return seed;
  return createRandomStream(seed, memory, PURPOSE.storageSeed).integerBelow(2 ** 53, 0);
}
