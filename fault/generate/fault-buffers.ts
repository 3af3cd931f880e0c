import { createScratch, type Scratch } from '../../core/index.js';
import { createMarkedCellsMemory, type MarkedCellsMemory } from './marked-cells.js';

/**
 * Memory for drawing fault maps one after the other: each drawn map is valid until the next one is drawn with the same
 * buffers.
 */
export interface FaultBuffers {
  readonly bitmap: Scratch<Int32Array>;
  readonly draws: Scratch<Uint32Array>;
  readonly sorting: Scratch<Uint32Array>;
  readonly cells: Scratch<Float64Array>;
  /** Alternates with `cells`. */
  readonly otherCells: Scratch<Float64Array>;
  readonly kinds: Scratch<Uint8Array>;
  /** The cells of a part, by their numbers in the memory. */
  readonly placedCells: Scratch<Float64Array>;
  readonly mergedCells: Scratch<Float64Array>;
  readonly mergedKinds: Scratch<Uint8Array>;
  /** Bitmaps of drawn cells. */
  readonly markedCells: MarkedCellsMemory;
  /** For a part of the memory: the faults of all are drawn before they are merged. */
  readonly ofPart: (number: number) => FaultBuffers;
}

export function createFaultBuffers(): FaultBuffers {
  const ofParts = new Map<number, FaultBuffers>();
  return {
    bitmap: createScratch((length) => new Int32Array(length)),
    draws: createScratch((length) => new Uint32Array(length)),
    sorting: createScratch((length) => new Uint32Array(length)),
    cells: createScratch((length) => new Float64Array(length)),
    otherCells: createScratch((length) => new Float64Array(length)),
    kinds: createScratch((length) => new Uint8Array(length)),
    placedCells: createScratch((length) => new Float64Array(length)),
    mergedCells: createScratch((length) => new Float64Array(length)),
    mergedKinds: createScratch((length) => new Uint8Array(length)),
    markedCells: createMarkedCellsMemory(),
    ofPart(number) {
      const buffers = ofParts.get(number) ?? createFaultBuffers();
      ofParts.set(number, buffers);
      return buffers;
    },
  };
}
