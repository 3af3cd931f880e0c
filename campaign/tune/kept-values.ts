import type { Network } from '../../models/index.js';
import type { RestartPoint, WeightPatches } from '../../sim/index.js';
import { valuesAt } from './start-point.js';
import type { StoredValues } from './tune-data.js';

/** One rate and map of a search, and what is kept of it between tasks. */
export interface Cell {
  readonly index: number;
  readonly rate: number;
  readonly map: number;
  patches?: WeightPatches | undefined;
  stored?: StoredValues | undefined;
}

/** A share of the memory that one task may fill with faulty words. */
export interface Grant {
  readonly bytes: number;
}

/**
 * What a search keeps between tasks, within a budget. Values in front of a layer lie in two buffers that are made
 * once: those of the layer that is tuned in one, those of the layer before in the other. V8 does not count the
 * bytes of a SharedArrayBuffer as those of its garbage, so that making new ones for each layer fills the machine.
 */
export interface CellMemory {
  /** The runs of the next tasks start at this point. */
  enter(point: RestartPoint): void;
  /** Where the values at the point last entered go; undefined: there is no room for this cell. */
  roomFor(cell: Cell, key: string): StoredValues | undefined;
  /** Room for the faulty words of a task that is about to start; nothing where they are kept already. */
  grant(cell: Cell): Grant;
  /** The task has ended; its faulty words, where they fitted into what was granted. */
  settle(cell: Cell, grant: Grant, patches: WeightPatches | undefined): void;
  /** Forget all faulty words. */
  dropPatches(): void;
}

/**
 * @param points all that will be entered
 * @param images a cell has
 * @param budget bytes
 * @param tasks that may run at the same time
 */
export function createCellMemory(
  network: Network,
  cells: readonly Cell[],
  points: readonly RestartPoint[],
  { images, budget, tasks }: { images: number; budget: number; tasks: number },
): CellMemory {
  const bytesPerValue = network.format === 'int8' ? 1 : Float32Array.BYTES_PER_ELEMENT;
  const bytesAt = (point: RestartPoint) => images * valuesAt(network, point) * bytesPerValue;
  const wanted = cells.length * Math.max(...points.map(bytesAt));
  const bufferBytes = Math.min(Math.floor(budget / 3), wanted);
  const buffers = [new SharedArrayBuffer(bufferBytes), new SharedArrayBuffer(bufferBytes)];
  const patchBudget = budget - 2 * bufferBytes;
  let entered: RestartPoint | undefined;
  let buffer = buffers[0];
  let patchBytes = 0;
  let granted = 0;

  return {
    enter(point) {
      if (entered?.layer === point.layer) return;
      entered = point;
      buffer = buffers[buffer === buffers[0] ? 1 : 0];
      for (const cell of cells) {
        if (cell.stored?.values.buffer === buffer) cell.stored = undefined;
      }
    },
    roomFor({ index, stored }, key) {
      if (!entered) throw new Error('no point was entered');
      if (stored?.point.layer === entered.layer && stored.key === key) return stored;
      const bytes = bytesAt(entered);
      if ((index + 1) * bytes > bufferBytes) return undefined;
      const place = [buffer, index * bytes, bytes / bytesPerValue] as const;
      const values =
        network.format === 'int8' ? new Uint8Array(...place) : new Float32Array(...place);
      return { point: entered, values, key };
    },
    grant({ patches }) {
      const free = patchBudget - patchBytes - granted;
      const bytes = patches ? 0 : Math.floor(free / tasks);
      granted += bytes;
      return { bytes };
    },
    settle(cell, { bytes }, patches) {
      granted -= bytes;
      if (!patches || cell.patches) return;
      cell.patches = patches;
      patchBytes += bytesOfPatches(patches);
    },
    dropPatches() {
      for (const cell of cells) cell.patches = undefined;
      patchBytes = 0;
    },
  };
}

/** Bytes that the faulty words of a map take. */
export function bytesOfPatches({ weights, words }: WeightPatches): number {
  return weights.byteLength + words.byteLength;
}
