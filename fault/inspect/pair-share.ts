import type { FaultMap } from '../fault-map.js';
import { cellCount } from '../geometry.js';

/** Distances that are looked at, in columns: farther ones would take too long where whole rows fail. */
export const FARTHEST_PAIR = 128;

/** How many distances a summary names. */
const NAMED_DISTANCES = 5;

/** Faults that have another fault in their word line at a distance, on either side. */
export interface PairShare {
  /** In columns. */
  readonly distance: number;
  readonly faults: number;
  /** Of all faults. */
  readonly share: number;
  /** The expected share of as many uniform faults. */
  readonly byChance: number;
}

/**
 * The distances up to FARTHEST_PAIR columns at which most faults have a partner, of equals the nearest first; at most
 * five, and none without a pair.
 */
export function pairShares(map: FaultMap): PairShare[] {
  const { geometry, cells } = map;
  const farthest = Math.min(FARTHEST_PAIR, geometry.columns - 1);
  const faultsAt = new Float64Array(farthest + 1);
  /** The last fault that was counted for a distance, plus one. */
  const counted = new Float64Array(farthest + 1);
  for (let fault = 0; fault < cells.length; fault += 1) {
    const rowStart = Math.floor(cells[fault] / geometry.columns) * geometry.columns;
    const from = Math.max(rowStart, cells[fault] - farthest);
    const to = Math.min(rowStart + geometry.columns - 1, cells[fault] + farthest);
    const count = (other: number) => {
      const distance = Math.abs(cells[other] - cells[fault]);
      if (counted[distance] === fault + 1) return;
      counted[distance] = fault + 1;
      faultsAt[distance] += 1;
    };
    for (let other = fault - 1; other >= 0 && cells[other] >= from; other -= 1) count(other);
    for (let other = fault + 1; other < cells.length && cells[other] <= to; other += 1)
      count(other);
  }
  return Array.from(faultsAt.keys())
    .filter((distance) => faultsAt[distance] > 0)
    .sort((a, b) => faultsAt[b] - faultsAt[a] || a - b)
    .slice(0, NAMED_DISTANCES)
    .map((distance) => ({
      distance,
      faults: faultsAt[distance],
      share: faultsAt[distance] / cells.length,
      byChance: shareByChance(map, distance),
    }));
}

/** Probability that a uniform fault has another at a distance: of a column with two partners, or with one. */
function shareByChance({ geometry, cells }: FaultMap, distance: number): number {
  const { columns } = geometry;
  const others = cellCount(geometry) - 1;
  const sound = cellCount(geometry) - cells.length;
  const withTwo = Math.max(0, columns - 2 * distance) / columns;
  const withOne = (2 * Math.min(distance, columns - distance)) / columns;
  const oneSound = sound / others;
  const twoSound = others > 1 ? oneSound * ((sound - 1) / (others - 1)) : 0;
  return withTwo * (1 - twoSound) + withOne * (1 - oneSound);
}
