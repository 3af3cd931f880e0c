import {
  type CellMemory,
  createCellMemory,
  type RandomStream,
  SCRATCH_BYTES,
} from '../../core/index.js';
import { type CellBits, cellsOfBits, kindsOfBits } from '../cell-bits.js';
import { FAULT_KINDS } from '../fault-kind.js';
import type { FaultList } from '../fault-list.js';
import type { Polarity } from './polarity.js';

/** Most draws that are made together, without a list of the cells that they mark and with one. */
const MOST_DRAWS = 2 ** 22;
const MOST_LISTED = 2 ** 20;

/** The first draws that are made together: compiled code is replaced by faster code between two calls alone. */
const FIRST_DRAWS = 2 ** 14;

const LINE = 64;

/** Memory for marked cells, one set after the other. */
export interface MarkedCellsMemory {
  /** As much as is asked for, or more; what it held before is not valid any longer. */
  memory(bytes: number): CellMemory;
  /** Draws that were made so far. */
  draws: number;
}

export function createMarkedCellsMemory(): MarkedCellsMemory {
  let memory: CellMemory | undefined;
  return {
    memory(bytes) {
      if (!memory || memory.buffer.byteLength < bytes) memory = createCellMemory(bytes);
      return memory;
    },
    draws: 0,
  };
}

/** The first cells of a random order, drawn with replacement, repetitions left out, as bitmaps with their kinds. */
export interface MarkedCells {
  /** Draw until so many cells are marked; fewer than are marked already are not asked for. */
  markUpTo(count: number): CellBits;
}

/** What cells are drawn by. */
export interface MarkedCellsOptions {
  readonly cells: number;
  readonly order: RandomStream;
  readonly polarity: Polarity;
  readonly kinds: RandomStream;
}

/** @param within the cells that were marked in it before are not valid any longer */
export function createMarkedCells(
  { cells, order, polarity, kinds }: MarkedCellsOptions,
  within: MarkedCellsMemory,
): MarkedCells {
  const hasKinds = polarity.faults === 'stuck-at';
  const bytes = Math.ceil(cells / 8 / LINE) * LINE;
  const [faulty, stuckAt1] = [LINE, hasKinds ? LINE + bytes : LINE];
  const first = stuckAt1 + bytes;
  const second = hasKinds ? first + bytes : first;
  const list = second + bytes;
  const scratch = list + (hasKinds ? (MOST_LISTED + 4) * 4 : 0);
  const memory = within.memory(scratch + SCRATCH_BYTES);
  const { functions } = memory;
  new Uint8Array(memory.buffer, LINE, first - LINE).fill(0);
  const limit = Math.ceil((1 - (polarity.stuckAt1Share ?? 0.5)) * 2 ** 53);
  const place = {
    ...{ memory, cells, faulty, stuckAt1, bytes },
    arranged: [first, second] as const,
    kind: hasKinds ? undefined : FAULT_KINDS.indexOf(polarity.faults),
  };
  const most = hasKinds ? MOST_LISTED : MOST_DRAWS;
  let draws = 0;
  let marked = 0;

  function mark(count: number): void {
    const { key, trial, purpose } = order.address;
    const fresh = functions.markDraws(
      ...[key[0], key[1], trial, purpose],
      ...[draws, count, cells, faulty, hasKinds ? list : 0, scratch],
    );
    draws += count;
    within.draws += count;
    marked += fresh;
    if (!hasKinds) return;
    const ofKinds = kinds.address;
    functions.markKinds(
      ...[ofKinds.key[0], ofKinds.key[1], ofKinds.trial, ofKinds.purpose],
      ...[list, fresh, cells, Math.floor(limit / 2 ** 32), limit % 2 ** 32, stuckAt1, scratch],
    );
  }

  return {
    markUpTo(count) {
      // As many draws as cells are missing can give no cell too many; repetitions leave some for another round.
      while (marked < count) {
        mark(Math.min(count - marked, most, Math.max(FIRST_DRAWS, within.draws)));
      }
      return { ...place, faults: marked };
    },
  };
}

/** The faults of bitmaps as lists, which are made when they are asked for. */
export function listOfBits(
  bits: CellBits,
  roomFor: { cells(length: number): Float64Array; kinds(length: number): Uint8Array },
): FaultList {
  let cells: Float64Array | undefined;
  let kinds: Uint8Array | undefined;
  const list: FaultList = {
    bits,
    get cells() {
      cells ??= cellsOfBits(bits, roomFor.cells(bits.faults));
      return cells;
    },
    get kinds() {
      kinds ??= kindsOfBits(bits, list.cells, roomFor.kinds(bits.faults));
      return kinds;
    },
  };
  return list;
}
