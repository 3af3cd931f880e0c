import {
  type Cell,
  cellAt,
  FAULT_KINDS,
  type FaultKind,
  type FaultMap,
} from '../../fault/index.js';
import type { Placement } from '../memory/placement.js';
import {
  memoryGeometry,
  NO_DATA_BIT,
  type WeightMemory,
  weightBitOfCell,
  wordBitOfCell,
} from '../memory/weight-memory.js';
import type { StoredWords } from './dense-patches.js';
import { applyFaultMap, changesBit, requireMatch, type WeightPatches } from './patches.js';

/** A faulty cell and one weight that it holds. */
export interface WeightHit extends Cell {
  readonly kind: FaultKind;
  /** Number of the weight over the whole network. */
  readonly weight: number;
  /** The tile that the weight belongs to; 0 in a resident placement. */
  readonly tile: number;
  /** Bit of the weight word that the cell stores; 0 is the least significant. */
  readonly bit: number;
  /** The word without faults: a byte, or IEEE 754 bits. */
  readonly storedWord: number;
  /** The word as the network reads it, with all faults of the map. */
  readonly faultyWord: number;
  /** Whether this cell changes its bit of the word. */
  readonly effective: boolean;
}

/**
 * Every weight that each faulty cell holds during one inference: cells in the map's order, the weights of a
 * cell in the order of time. Hits are made one by one; what is held meanwhile is the map's patches.
 * @param words stored words of all weights
 * @throws InputError (on the first step) when the map's geometry or the words do not belong to the placement.
 */
export function* weightHits(
  map: FaultMap,
  placement: Placement,
  words: StoredWords,
): Generator<WeightHit, void, undefined> {
  requireMatch(map, placement, words);
  const patches = applyFaultMap(map, placement, words);
  for (let fault = 0; fault < map.cells.length; fault++) {
    for (const hit of hitsOfFault(map, fault, placement, words, patches)) yield hit;
  }
}

/** The hits of one faulty cell. */
function hitsOfFault(
  map: FaultMap,
  fault: number,
  placement: Placement,
  words: StoredWords,
  patches: WeightPatches,
): WeightHit[] {
  const { memory, geometry, weightBits } = placement;
  const weightBit = weightBitOfCell(memory, weightBits, map.cells[fault]);
  if (weightBit === NO_DATA_BIT) return [];
  const slot = Math.floor(weightBit / weightBits);
  const bit = weightBit - slot * weightBits;
  const { bank, row, column } = cellAt(geometry, map.cells[fault]);
  const kind = map.kinds[fault];
  const hits = new Array<WeightHit>(placement.occupancy(slot));
  for (let occurrence = 0; occurrence < hits.length; occurrence++) {
    const weight = placement.weightAt(slot, occurrence);
    const storedWord = words[weight];
    hits[occurrence] = {
      bank,
      row,
      column,
      kind: FAULT_KINDS[kind],
      weight,
      tile: placement.tileOf(weight),
      bit,
      storedWord,
      faultyWord: patchedWord(patches, weight) ?? storedWord,
      effective: changesBit(kind, (storedWord >>> bit) & 1),
    };
  }
  return hits;
}

/** Faulty cells of a map by what they are for. */
export interface FaultyCells {
  /** Cells that hold weights, or what else the storage is of. */
  readonly used: number;
  /** Data cells that never do. */
  readonly unused: number;
  readonly check: number;
  readonly spare: number;
}

/** Counts the faulty cells of a map by what the memory of a placement uses them for. */
export function countFaultyCells(map: FaultMap, placement: Placement): FaultyCells {
  const { memory, weightBits } = placement;
  return countCells(map, memory, weightBits, (slot) => placement.occupancy(slot) > 0);
}

/** `countFaultyCells` of any memory, with what says whether a slot is used. */
export function countCells(
  map: FaultMap,
  memory: WeightMemory,
  weightBits: 8 | 32,
  isUsed: (slot: number) => boolean,
): FaultyCells {
  const geometry = memoryGeometry(memory);
  const counts = { used: 0, unused: 0, check: 0, spare: 0 };
  for (const cell of map.cells) {
    const place = wordBitOfCell(memory, cellAt(geometry, cell));
    if (place === undefined) {
      counts.spare += 1;
    } else if (place.bit >= memory.wordBits) {
      counts.check += 1;
    } else {
      const weightBit = weightBitOfCell(memory, weightBits, cell);
      const isOfSlot = weightBit !== NO_DATA_BIT && isUsed(Math.floor(weightBit / weightBits));
      counts[isOfSlot ? 'used' : 'unused'] += 1;
    }
  }
  return counts;
}

/** The word that patches give a weight; undefined when they leave it alone. */
function patchedWord({ weights, words }: WeightPatches, weight: number): number | undefined {
  let low = 0;
  let high = weights.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (weights[middle] < weight) low = middle + 1;
    else high = middle;
  }
  return weights[low] === weight ? words[low] : undefined;
}
