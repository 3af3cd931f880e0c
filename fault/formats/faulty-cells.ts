import { InputError, requireMemory } from '../../core/index.js';
import { FAULT_KINDS, type FaultKind } from '../fault-kind.js';
import type { FaultList } from '../fault-list.js';
import { type CellGeometry, cellCount } from '../geometry.js';
import type { FaultFileOptions } from './read-options.js';

const BYTES_PER_CELL = 8;

/** The faulty cells of a file that says of every cell whether it is one. */
export interface FaultyCells {
  add(cell: number): void;
  /** The cells so far, in the order in which they came. */
  take(): Float64Array;
}

/**
 * An empty list. Where nobody said which bit marks a fault, it refuses more than half of the cells.
 *
 * @param cells Cells of the memory; infinite as long as it is not known.
 */
export function createFaultyCells(
  file: string,
  cells: number,
  { faultBit }: FaultFileOptions,
): FaultyCells {
  const most = faultBit === undefined ? Math.floor(cells / 2) : cells;
  let list = new Float64Array(1024);
  let count = 0;
  return {
    add(cell) {
      if (count === list.length) {
        requireMemory(3 * BYTES_PER_CELL * list.length, `${file}: more than ${count} faults`);
        const longer = new Float64Array(2 * list.length);
        longer.set(list);
        list = longer;
      }
      list[count] = cell;
      count += 1;
      if (count > most) throw tooMany(file);
    },
    take: () => list.slice(0, count),
  };
}

/** @throws InputError when more than half of the cells are faulty and nobody said which bit marks a fault */
export function requireFewFaults(
  faults: number,
  geometry: CellGeometry,
  file: string,
  { faultBit }: FaultFileOptions,
): void {
  if (faultBit === undefined && 2 * faults > cellCount(geometry)) throw tooMany(file);
}

function tooMany(file: string): InputError {
  return new InputError(
    `${file}: more than half of the cells are faulty if they are read as usual (a 0 of a dump, a 1 of a matrix or bitmap is a fault); say which bit marks a fault: --fault-bit 0 or --fault-bit 1.`,
  );
}

/** Cells with the same kind. */
export function faultsOf(cells: Float64Array, kind: FaultKind): FaultList {
  return { cells, kinds: new Uint8Array(cells.length).fill(FAULT_KINDS.indexOf(kind)) };
}
