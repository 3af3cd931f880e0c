import { type ConvolutionShape, InputError } from '../../core/index.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import { type Placement, requireAddressableWeights } from './placement.js';
import {
  memoryGeometry,
  slotCount,
  type WeightMemory,
  wordCount,
  wordSlots,
} from './weight-memory.js';
import { type WeightStream, weightStream } from './weight-stream.js';

/** A streamed placement also tells in which order the weights pass through the memory. */
export interface StreamedPlacement extends Placement, WeightStream {
  readonly kind: 'streamed';
}

/**
 * The memory is a double buffer: while the array reads one half, the other is filled. With H slots a half,
 * stream position p belongs to tile t = ⌊p / H⌋, which lies in half t mod 2 at offset p mod H; that is slot
 * p mod 2H. The stream (see `weightStream`) restarts at each inference, so slot s holds the
 * stream positions s, s + 2H, s + 4H, …
 * @param shapes the weighted layers in network order
 * @throws InputError when the memory has no two equal halves, or weights cannot lie in its words.
 */
export function streamedPlacement(
  memory: WeightMemory,
  shapes: readonly ConvolutionShape[],
  weightBits: 8 | 32,
  array: SystolicArray,
): StreamedPlacement {
  const { wordsPerWeight } = wordSlots(memory, weightBits);
  if (wordCount(memory) % (2 * wordsPerWeight) !== 0) {
    const together = wordsPerWeight > 1 ? `, ${wordsPerWeight} for each weight` : '';
    throw new InputError(
      `A streamed placement needs two equal halves, but the weight memory has ${wordCount(memory)} words${together}; use an even number of banks, rows or words a row.`,
    );
  }
  const stream = weightStream(shapes, array);
  const { weights, streamPositionOf, weightAtStreamPosition } = stream;
  requireAddressableWeights(weights);
  const slots = slotCount(memory, weightBits);
  const slotsPerHalf = slots / 2;
  return {
    kind: 'streamed',
    memory,
    geometry: memoryGeometry(memory),
    weightBits,
    ...stream,
    isInOrder: false,
    streamedLayers: stream.layers,
    tiles: Math.ceil(weights / slotsPerHalf),
    slotOf: (weight) => streamPositionOf(weight) % slots,
    tileOf: (weight) => Math.floor(streamPositionOf(weight) / slotsPerHalf),
    occupancy: (slot) => (slot < weights ? Math.ceil((weights - slot) / slots) : 0),
    weightAt: (slot, occurrence) => weightAtStreamPosition(slot + occurrence * slots),
  };
}
