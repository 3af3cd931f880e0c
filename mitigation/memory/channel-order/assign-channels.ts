import type { StoredWords } from '../../../sim/index.js';
import { float32BitsCost } from '../bit-costs.js';
import { cheapestAssignment } from '../reorder.js';
import type { StuckPlaces } from './stuck-places.js';

/**
 * Steps that a layer's assignment may take: a step is one weight of a channel in one struck place, or one entry of a
 * cost matrix for each of its rows. Above that, channels change places within blocks of neighbours.
 */
export const ASSIGNMENT_STEPS = 5e7;

/** The output channels of a layer that may change places. */
export interface LayerChannels {
  /** Stored words of all weights. */
  readonly words: StoredWords;
  /** The number of the layer's first weight, and the weights of one channel. */
  readonly first: number;
  readonly window: number;
  readonly channels: number;
  /** Those that may, ascending. */
  readonly movable: Uint32Array;
}

/**
 * Of each channel of a layer, whose place it takes: in blocks of neighbours as large as `steps` allow, the least sum of
 * the costs of stuck bits that are read wrongly. Cells that flip cost the same whatever stands there, and do not count.
 *
 * @returns undefined where every channel keeps its place
 */
export function assignChannels(
  layer: LayerChannels,
  stuck: StuckPlaces,
  steps = ASSIGNMENT_STEPS,
): Uint32Array | undefined {
  const { channels, movable } = layer;
  if (movable.length === 0 || stuck.positions.length === 0) return undefined;
  const places = Uint32Array.from({ length: channels }, (_, channel) => channel);
  const blocks = Math.ceil(
    movable.length / blockSize(movable.length, stuck.positions.length, steps),
  );
  let isMoved = false;
  for (let block = 0; block < blocks; block++) {
    const start = Math.floor((block * movable.length) / blocks);
    const end = Math.floor(((block + 1) * movable.length) / blocks);
    const members = movable.subarray(start, end);
    const costs = blockCosts(layer, stuck, members);
    for (const [row, column] of cheapestAssignment(costs, members.length).entries()) {
      places[members[row]] = members[column];
      isMoved ||= row !== column;
    }
  }
  return isMoved ? places : undefined;
}

/**
 * The most channels that can be assigned together: b blocks of size s take s steps for each struck place, and s² for
 * each channel.
 */
export function blockSize(channels: number, struckPlaces: number, steps: number): number {
  const half = struckPlaces / (2 * channels);
  const most = Math.floor(Math.sqrt(half * half + steps / channels) - half);
  return Math.max(1, Math.min(channels, most));
}

/** What each of some channels costs in the place of each of them, row after row. */
function blockCosts(
  { words, first, window }: LayerChannels,
  { starts, positions, cells, ones }: StuckPlaces,
  members: Uint32Array,
): Float64Array {
  const size = members.length;
  const costs = new Float64Array(size * size);
  const costOf = words.BYTES_PER_ELEMENT === 1 ? int8Cost : float32Cost;
  for (let row = 0; row < size; row++) {
    const weights = first + members[row] * window;
    const ofChannel = words.subarray(weights, weights + window);
    for (let column = 0; column < size; column++) {
      const place = members[column];
      costs[row * size + column] = costOf(
        ofChannel,
        positions,
        cells,
        ones,
        starts[place],
        starts[place + 1],
      );
    }
  }
  return costs;
}

type ChannelCost = (
  words: StoredWords,
  positions: Uint32Array,
  cells: Uint32Array,
  ones: Uint32Array,
  start: number,
  end: number,
) => number;

const int8Cost: ChannelCost = (words, positions, cells, ones, start, end) => {
  let cost = 0;
  for (let entry = start; entry < end; entry++) {
    // An int8 word's wrong bits cost what they are as a number.
    cost += (words[positions[entry]] ^ ones[entry]) & cells[entry];
  }
  return cost;
};

const float32Cost: ChannelCost = (words, positions, cells, ones, start, end) => {
  let cost = 0;
  for (let entry = start; entry < end; entry++) {
    cost += float32BitsCost((words[positions[entry]] ^ ones[entry]) & cells[entry]);
  }
  return cost;
};
