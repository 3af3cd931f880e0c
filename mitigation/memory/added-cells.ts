import { weightedLayers } from '../../models/index.js';
import { firstWeightOfLayers, type Placement, wordCount, wordSlots } from '../../sim/index.js';
import type { AddedCells } from '../price/price.js';
import type { IsPlaced } from './place.js';
import type { PlacedWeights } from './stages.js';

/** Cells that a part adds, and where it stands; undefined: everywhere. */
export interface PlacedCells {
  readonly cells: AddedCells;
  readonly isPlaced: IsPlaced | undefined;
}

/** Cells that parts add together: what several of them hold in the same place is there once. */
export interface CellCount {
  readonly count: number;
  /** Of each weighted layer, the added bits that are read with one of its weights, on average. */
  readonly readBits: readonly number[];
}

export function countAddedCells(all: readonly PlacedCells[], placed: PlacedWeights): CellCount {
  const { memory, weightBits } = placed.placement;
  const groups = groupsOf(all);
  const everywhere = groups.reduce((sum, group) => sum + group.everywhere, 0);
  const selective = groups.filter(({ somewhere }) => somewhere.length > 0);
  const beyond = countSelective(selective, placed);
  const weightsPerWord = wordSlots(memory, weightBits).perWord;
  return {
    count: registersOf(all) + everywhere * wordCount(memory) + beyond.count,
    readBits: beyond.wordBits.map((bits) => (everywhere + bits) / weightsPerWord),
  };
}

/** Cells that hold the same: in every word, and where there are more. */
interface Group {
  readonly everywhere: number;
  readonly somewhere: readonly { readonly perWord: number; readonly isPlaced: IsPlaced }[];
}

function groupsOf(all: readonly PlacedCells[]): Group[] {
  const held = new Map<string, Group>();
  for (const { cells, isPlaced } of all) {
    if (!('perWord' in cells)) continue;
    const { everywhere, somewhere } = held.get(cells.hold) ?? { everywhere: 0, somewhere: [] };
    held.set(
      cells.hold,
      isPlaced
        ? { everywhere, somewhere: [...somewhere, { perWord: cells.perWord, isPlaced }] }
        : { everywhere: Math.max(everywhere, cells.perWord), somewhere },
    );
  }
  return [...held.values()];
}

function registersOf(all: readonly PlacedCells[]): number {
  const held = new Map<string, number>();
  for (const { cells } of all) {
    if ('count' in cells) {
      held.set(cells.hold, Math.max(cells.count, held.get(cells.hold) ?? 0));
    }
  }
  return [...held.values()].reduce((sum, count) => sum + count, 0);
}

/** What stands in some words only: its cells, and of each weighted layer those a word that it is read from, on average. */
function countSelective(
  groups: readonly Group[],
  { network, placement }: PlacedWeights,
): { readonly count: number; readonly wordBits: readonly number[] } {
  const layers = weightedLayers(network);
  const sums = new Float64Array(layers.length);
  let count = 0;
  if (groups.length > 0) {
    const { memory, weightBits, occupancy } = placement;
    const first = firstWeightOfLayers(network);
    const slots = wordSlots(memory, weightBits).perWord;
    const most = new Float64Array(groups.length);
    for (let address = 0; address < wordCount(memory); address++) {
      const filled = occupancy(address * slots);
      const fills = placement.kind === 'streamed' ? filled : 1;
      most.fill(0);
      for (let fill = 0; fill < Math.max(1, fills); fill++) {
        let bits = 0;
        for (const [index, group] of groups.entries()) {
          const beyond = beyondEverywhere(group, address, fill);
          bits += beyond;
          if (beyond > most[index]) most[index] = beyond;
        }
        if (bits > 0) addToLayers(placement, address, fill, first, bits, sums);
      }
      for (const cells of most) count += cells;
    }
  }
  return { count, wordBits: layers.map(({ weights }, index) => sums[index] / weights.length) };
}

/** Cells of a word that a group has beyond those that it has in every word. */
function beyondEverywhere({ everywhere, somewhere }: Group, address: number, fill: number): number {
  let most = everywhere;
  for (const { perWord, isPlaced } of somewhere) {
    if (perWord > most && isPlaced(address, fill)) most = perWord;
  }
  return most - everywhere;
}

/** Add the bits of a word to the sum of each layer that reads a weight of it, once for each such weight. */
function addToLayers(
  { kind, memory, weightBits, occupancy, weightAt }: Placement,
  address: number,
  fill: number,
  first: Float64Array,
  bits: number,
  sums: Float64Array,
): void {
  const slots = wordSlots(memory, weightBits).perWord;
  for (let slot = address * slots; slot < (address + 1) * slots; slot++) {
    // A word of a resident network may be read by several layers.
    const [from, to] = kind === 'streamed' ? [fill, fill + 1] : [0, occupancy(slot)];
    for (let occurrence = from; occurrence < Math.min(to, occupancy(slot)); occurrence++) {
      const weight = weightAt(slot, occurrence);
      let layer = 0;
      while (weight >= first[layer + 1]) layer++;
      sums[layer] += bits;
    }
  }
}
