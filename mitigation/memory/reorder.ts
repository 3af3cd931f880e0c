import { z } from 'zod';
import type { WordFaults } from '../../sim/index.js';
import { NOTHING } from '../price/price.js';
import { type WeightBits, wrongBitsCost } from './bit-costs.js';
import { KNOWS, KNOWS_FORMS, type PartKnowledge } from './knowledge.js';
import { type MemoryMechanism, type PartPlace, PLACE, PLACE_FORMS } from './mechanism.js';
import { readLane } from './word-faults.js';

/**
 * The faulty cells where the weights of one output channel lie, in lanes of 32 bits of the channel's weights: entry i
 * of the masks is for lane `lanes[i]`.
 */
export interface PlaceFaults extends WordFaults {
  readonly lanes: Uint32Array;
}

/**
 * What it costs (`bitCost`) to keep a channel in a place: the bits that are read wrongly.
 *
 * @param channel its weights, 32 bits an entry: four int8 or one float32
 */
export function channelCost(
  channel: Uint32Array,
  place: PlaceFaults,
  weightBits: WeightBits,
): number {
  let cost = 0;
  for (let index = 0; index < place.lanes.length; index += 1) {
    const stored = channel[place.lanes[index]];
    cost += wrongBitsCost(readLane(place, index, stored) ^ stored, weightBits);
  }
  return cost;
}

/**
 * Reordering: the output channels of a layer are kept in one another's places (the next layer's inputs follow), so that
 * the bits that are read wrongly cost least in sum. A permutation that puts up with stuck cells is one of the matrix
 * transformations of B. Zhang et al., doi:10.1145/3287624.3287707 (read: its abstract), there for memristors.
 *
 * @param channels the weights of each
 * @param places the faulty cells of each channel's place, as many
 * @returns of each channel, whose place it takes; without faulty cells its own
 */
export function reorderChannels(
  channels: readonly Uint32Array[],
  places: readonly PlaceFaults[],
  weightBits: WeightBits,
): Uint32Array {
  const costs = new Float64Array(channels.length * places.length);
  for (const [channel, weights] of channels.entries()) {
    for (const [place, faults] of places.entries()) {
      if (faults.lanes.length === 0) continue;
      costs[channel * places.length + place] = channelCost(weights, faults, weightBits);
    }
  }
  return cheapestAssignment(costs, channels.length);
}

/** No row, no column. */
const NONE = -1;

/**
 * The assignment problem by shortest augmenting paths with dual values, O(size³): which column each row of a square
 * cost matrix takes so that the costs add up to the least. Where all costs are equal, row i takes column i. Exact
 * where costs are whole numbers whose sums are below 2^53.
 *
 * @param costs row after row
 */
export function cheapestAssignment(costs: Float64Array, size: number): Uint32Array {
  // Dual values: no cost is below the sum of those of its row and its column, the assigned ones are equal to it.
  const ofRow = new Float64Array(size);
  const ofColumn = new Float64Array(size);
  /** The row that a column is assigned to. */
  const rowOf = new Int32Array(size).fill(NONE);
  const distance = new Float64Array(size);
  const previous = new Int32Array(size);
  const reached = new Uint8Array(size);
  for (let start = 0; start < size; start += 1) {
    distance.fill(Infinity);
    previous.fill(NONE);
    reached.fill(0);
    let row = start;
    let column = NONE;
    let length = 0;
    // Dijkstra's algorithm over columns, until a column without a row is the nearest.
    for (;;) {
      const offset = length - ofRow[row];
      let nearest = NONE;
      for (let next = 0; next < size; next += 1) {
        if (reached[next] === 1) continue;
        const through = offset + costs[row * size + next] - ofColumn[next];
        if (through < distance[next]) {
          distance[next] = through;
          previous[next] = column;
        }
        if (
          nearest === NONE ||
          distance[next] < distance[nearest] ||
          (distance[next] === distance[nearest] && rowOf[next] === NONE && rowOf[nearest] !== NONE)
        ) {
          nearest = next;
        }
      }
      length = distance[nearest];
      column = nearest;
      if (rowOf[column] === NONE) break;
      reached[column] = 1;
      row = rowOf[column];
    }
    ofRow[start] += length;
    for (let next = 0; next < size; next += 1) {
      if (reached[next] === 0) continue;
      ofRow[rowOf[next]] += length - distance[next];
      ofColumn[next] -= length - distance[next];
    }
    while (previous[column] !== NONE) {
      rowOf[column] = rowOf[previous[column]];
      column = previous[column];
    }
    rowOf[column] = start;
  }
  const columnOf = new Uint32Array(size);
  for (const [column, row] of rowOf.entries()) columnOf[row] = column;
  return columnOf;
}

/** Output channels in one another's places. */
export interface ReorderPart extends PartPlace, PartKnowledge {
  readonly use: 'reorder';
}

export const reorder: MemoryMechanism<ReorderPart> = {
  summary:
    "the output channels of a layer are kept in one another's places, so that stuck cells are least often wrong",
  group: 'order',
  knowsMap: true,
  parameters: { ...KNOWS_FORMS, ...PLACE_FORMS },
  schema: z.strictObject({ use: z.literal('reorder'), ...KNOWS, ...PLACE }),
  // The network itself is permuted, once for each die.
  price: () => NOTHING,
};
