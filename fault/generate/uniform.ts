import { memoryForSpeed, PURPOSE } from '../../core/index.js';
import type { FaultKind } from '../fault-kind.js';
import { type FaultList, mergeFaults } from '../fault-list.js';
import { type FaultMap, mapOfFaults } from '../fault-map.js';
import { type CellGeometry, cellCount, checkGeometry } from '../geometry.js';
import type { CellSelection } from '../model/selection.js';
import type { FaultBuffers } from './fault-buffers.js';
import { createFaultOrder, faultCount } from './fault-order.js';
import {
  createMarkedCells,
  listOfBits,
  type MarkedCells,
  type MarkedCellsMemory,
} from './marked-cells.js';
import { cellsOfPart, type MemoryPart, memoryParts, partStream } from './parts.js';
import { kindsOf, type Polarity } from './polarity.js';
import { requireRoomForFaults } from './room.js';

/** What the faulty cells of a map do; `stuck-at` is stuck-at-0 or stuck-at-1 with equal probability. */
export type UniformFaults = FaultKind | 'stuck-at';

/** One trial of faults that strike every cell with the same probability. */
export interface UniformFaultOptions {
  readonly geometry: CellGeometry;
  readonly faults: UniformFaults;
  readonly seed: number;
  readonly trial: number;
}

/**
 * Faults drawn uniformly, without replacement, from all cells of a memory.
 *
 * All maps of one (geometry, seed, trial) are prefixes of one random order of the cells, and the kind
 * belongs to the cell: a map at a higher rate holds every fault of a map at a lower one. The number of
 * faults in data cells is floor(rate · data cells), plus one with the probability of the remainder. Check
 * and spare cells fail at the same rate by streams of their own: they do not change the data faults.
 *
 * @param options.rate Share of the cells that are faulty, 0 … 1.
 * @throws InputError when the rate, geometry, seed or trial is out of range.
 */
export function uniformFaultMap(
  options: UniformFaultOptions & { readonly rate: number },
): FaultMap {
  return nestedUniformFaultMaps(options, [options.rate])[0];
}

/**
 * The maps that `uniformFaultMap` gives for several rates of one trial, for about the cost of the
 * largest; in the order of `rates`.
 */
export function nestedUniformFaultMaps(
  { geometry, faults, seed, trial }: UniformFaultOptions,
  rates: readonly number[],
): FaultMap[] {
  const faultsAt = createUniformFaults({ geometry, seed, trial, polarity: { faults } });
  const maps = new Array<FaultMap>(rates.length);
  const ascending = rates.map((_, index) => index).sort((a, b) => rates[a] - rates[b]);
  for (const index of ascending) {
    maps[index] = mapOfFaults(faultsAt(rates[index]), {
      geometry,
      provenance: {
        source: 'generated',
        model: { model: 'uniform', faults },
        seed,
        trial,
        rate: rates[index],
      },
    });
  }
  return maps;
}

/** What a generator of faults needs besides its model and rate. */
export interface GeneratorOptions {
  readonly geometry: CellGeometry;
  readonly seed: number;
  readonly trial: number;
  readonly polarity: Polarity;
  /** The only cells that fail; undefined: all, check and spare cells included. */
  readonly selection?: CellSelection | undefined;
  /** Undefined: the faults keep memory of their own. */
  readonly buffers?: FaultBuffers | undefined;
}

/** The faults of one trial by their rate; a rate that is not below the last one costs only what it adds. */
export type FaultsAtRate = (rate: number) => FaultList;

/** Uniform faults; with a selection the rate is the share of its cells. */
export function createUniformFaults(options: GeneratorOptions): FaultsAtRate {
  const { geometry, selection } = options;
  checkGeometry(geometry, 'The memory');
  const parts = memoryParts(geometry).filter((part) => part.number === 0 || !selection);
  const { buffers } = options;
  const lists = parts.map((part) =>
    createPartFaults(part, { ...options, buffers: buffers?.ofPart(part.number) }),
  );
  const roomFor =
    buffers &&
    ((length: number) => ({
      cells: buffers.mergedCells(length),
      kinds: buffers.mergedKinds(length),
    }));
  return (rate) => {
    const drawn = lists.map((faultsAt) => faultsAt(rate));
    return drawn.length === 1 && drawn[0].bits ? drawn[0] : mergeFaults(drawn, roomFor);
  };
}

/**
 * One drawn cell among so many, or more, is worth bitmaps of the memory, where there is room for them: a pass over 2,048
 * bits takes about as long as one fault in a list.
 */
const BITMAP_SPACING = 2048;

/** Bitmaps of drawn cells, without their kinds and with them; compiled code numbers cells in 32 bits. */
function hasRoomForBitmaps(cells: number): boolean {
  return cells < 2 ** 32 && cells / 2 <= memoryForSpeed();
}

function createPartFaults(
  part: MemoryPart,
  { geometry, seed, trial, polarity, selection, buffers }: GeneratorOptions,
): FaultsAtRate {
  const stream = (purpose: number) => partStream(seed, trial, purpose, part.number);
  const cells = selection?.count ?? cellCount(part.geometry);
  const remainder = stream(PURPOSE.faultCount).uniform(0);
  const newOrder = () => createFaultOrder(cells, stream(PURPOSE.faultOrder), buffers);
  const kinds = stream(PURPOSE.faultKind);
  const isWhole = cellCount(part.geometry) === cellCount(geometry);
  const newMarks = (within: MarkedCellsMemory) =>
    createMarkedCells({ cells, order: stream(PURPOSE.faultOrder), polarity, kinds }, within);
  let order = newOrder();
  let walked = 0;
  let marks: MarkedCells | undefined;
  let marked = 0;
  return (rate) => {
    const count = faultCount(rate, cells, remainder);
    requireRoomForFaults(count, rate, geometry);
    const isDense = count * BITMAP_SPACING >= cells && count <= Math.floor(cells / 2);
    if (buffers && !selection && count > 0 && isDense && hasRoomForBitmaps(cells)) {
      if (count < marked) marks = undefined;
      marks ??= newMarks(buffers.markedCells);
      marked = count;
      const list = listOfBits(marks.markUpTo(count), buffers);
      return isWhole ? list : placedList(list);
    }
    if (count < walked) order = newOrder();
    walked = count;
    const prefix = order.prefix(count);
    const positions = buffers ? prefix : prefix.slice();
    const faulty = selection ? positions.map((position) => selection.at(position)) : positions;
    const list = {
      cells: faulty,
      kinds: kindsOf(faulty, polarity, kinds, buffers?.kinds(faulty.length)),
    };
    return isWhole ? list : placedList(list);
  };

  /** With the numbers that the cells have in the memory. */
  function placedList(list: FaultList): FaultList {
    const { length } = list.cells;
    return {
      cells: cellsOfPart(geometry, part, list.cells, buffers?.placedCells(length)),
      kinds: list.kinds,
    };
  }
}
