import type { WordFaults } from '../../sim/index.js';

/** The faulty cells of a lane of a word, as a mask of 32 bits. */
export function faultyCells({ and, or, xor }: WordFaults, lane: number): number {
  return ~and[lane] | or[lane] | xor[lane];
}

/** What is read of a lane in which `stored` was written, as 32 bits. */
export function readLane({ and, or, xor }: WordFaults, lane: number, stored: number): number {
  return ((stored & and[lane]) | or[lane]) ^ xor[lane];
}

/** The faults of a word that has none. */
export function noFaults(lanes: number): WordFaults {
  return {
    and: new Uint32Array(lanes).fill(0xffffffff),
    or: new Uint32Array(lanes),
    xor: new Uint32Array(lanes),
  };
}
