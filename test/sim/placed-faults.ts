import { fc } from '@fast-check/vitest';
import type { FaultMap } from '../../fault/index.js';
import {
  type Placement,
  residentPlacement,
  slotCount,
  streamedPlacement,
  type WeightMemory,
  wordCount,
} from '../../sim/index.js';
import { convolutionShapes, systolicArrays, weightMemories } from '../../testing/index.js';
import { definedSlots, enumerateStream, faultMapsOf, storedWordsOf } from './reference.js';

/** A fault map of a memory that holds random words. */
export interface PlacedFaults {
  readonly placement: Placement;
  /** The slot of each weight, from the definition of the placement. */
  readonly slots: readonly number[];
  readonly words: Uint8Array | Uint32Array;
  readonly map: FaultMap;
}

function withWordsAndFaults(
  placement: Placement,
  slots: readonly number[],
): fc.Arbitrary<PlacedFaults> {
  return fc.record({
    placement: fc.constant(placement),
    slots: fc.constant(slots),
    words: storedWordsOf(placement.weights, placement.weightBits),
    map: faultMapsOf(placement.memory),
  });
}

const weightBits = fc.constantFrom(8 as const, 32 as const);

export const residentCases = residentCasesIn(weightMemories(), weightBits);

export function residentCasesIn(
  memories: fc.Arbitrary<WeightMemory>,
  formats: fc.Arbitrary<8 | 32>,
): fc.Arbitrary<PlacedFaults> {
  return fc
    .tuple(memories, formats, fc.double({ min: 0, max: 1, noNaN: true }))
    .chain(([memory, bits, share]) => {
      const weights = Math.floor(share * slotCount(memory, bits));
      const placement = residentPlacement(memory, weights, bits);
      return withWordsAndFaults(placement, definedSlots(placement, []));
    });
}

export const streamedCases = streamedCasesIn(weightMemories(), weightBits);

export function streamedCasesIn(
  memories: fc.Arbitrary<WeightMemory>,
  formats: fc.Arbitrary<8 | 32>,
): fc.Arbitrary<PlacedFaults> {
  return fc
    .tuple(
      memories.filter((memory) => wordCount(memory) % 2 === 0),
      formats,
      fc.array(convolutionShapes(), { minLength: 1, maxLength: 2 }),
      systolicArrays(),
    )
    .chain(([memory, bits, shapes, array]) => {
      const placement = streamedPlacement(memory, shapes, bits, array);
      return withWordsAndFaults(placement, definedSlots(placement, enumerateStream(shapes, array)));
    });
}
