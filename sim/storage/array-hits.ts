import { windowSize } from '../../core/index.js';
import { type FaultMap, requireGeometry } from '../../fault/index.js';
import type { WeightedLayer } from '../../models/index.js';
import { type Dataflow, preloads, type SystolicArray } from '../hardware/systolic-array.js';
import { type RegisterStorage, registerBitOf } from '../memory/array-registers.js';
import { findDataBits, NO_SLOT } from '../memory/weight-memory.js';
import type { PlacedStorage } from './placed-storage.js';

/** A layer that runs on an array. */
export type ArrayLayer = Pick<WeightedLayer, 'name' | 'shape'>;

/** What of a layer comes through one register or slot of an array. */
export interface Passing {
  /** Outputs (positions × channels) that are made with what it holds at some time. */
  readonly outputs: number;
  /** Of weight registers: weights of the layer that it holds, or hands on, at some time. */
  readonly weights?: number;
}

/** A faulty cell of an array, and a layer of which something comes through it. */
export interface ArrayHit extends Passing {
  /** Of the fault in its map. */
  readonly fault: number;
  /** The processing element whose register it is; undefined: it is in the accumulator memory. */
  readonly element: ArrayElement | undefined;
  /** Of the accumulator memory; undefined: it is in a register. */
  readonly slot: number | undefined;
  readonly bit: number;
  readonly layer: string;
}

/** A processing element of an array. */
export interface ArrayElement {
  readonly row: number;
  readonly column: number;
}

/** A register of one element. */
interface Register extends ArrayElement {
  /** Of weight registers of an array that preloads: 0 is in use, 1 shifts in. */
  readonly bank: number;
}

/** The sizes of a layer on an array. */
interface LayerSize {
  /** Output positions. */
  readonly positions: number;
  /** Filters of a group. */
  readonly filters: number;
  readonly groups: number;
  /** Products of an output. */
  readonly window: number;
}

/**
 * Every layer of which something comes through each faulty register, or slot of the accumulator memory: cells in the
 * map's order, layers in network order. What a fault then does depends on operands, and is left open.
 *
 * @param layers those that run on the array
 * @throws InputError (on the first step) when the map is of another memory
 */
export function* arrayHits(
  map: FaultMap,
  storage: PlacedStorage,
  layers: readonly ArrayLayer[],
  array: SystolicArray,
): Generator<ArrayHit, void, undefined> {
  requireGeometry(map, storage.geometry, 'The fault map');
  const sizes = layers.map((layer) => ({ name: layer.name, size: sizeOf(layer) }));
  for (const { fault, bit, element, slot, passing } of placesOf(map, storage, array)) {
    for (const { name, size } of sizes) {
      const found = passing(size);
      if (found.outputs > 0) yield { fault, element, slot, bit, layer: name, ...found };
    }
  }
}

function sizeOf({ shape }: ArrayLayer): LayerSize {
  const { output, groups } = shape;
  return {
    positions: output.height * output.width,
    filters: output.channels / groups,
    groups,
    window: windowSize(shape),
  };
}

/** Where a faulty cell is, and what comes through there. */
interface Place extends Pick<ArrayHit, 'fault' | 'element' | 'slot' | 'bit'> {
  readonly passing: (size: LayerSize) => Passing;
}

function* placesOf(
  map: FaultMap,
  { name, cells }: PlacedStorage,
  array: SystolicArray,
): Generator<Place, void, undefined> {
  if (cells.kind === 'registers') {
    const { registers } = cells;
    const passing = THROUGH_REGISTERS[registers.storage][array.dataflow];
    for (const [fault, cell] of map.cells.entries()) {
      const { bank, element: number, bit } = registerBitOf(registers, cell);
      const row = Math.floor(number / array.columns);
      const element = { row, column: number - row * array.columns };
      const register = { ...element, bank };
      yield {
        fault,
        element,
        slot: undefined,
        bit,
        passing: (size) => passing(size, register, array),
      };
    }
    return;
  }
  if (cells.kind !== 'accumulator-memory') throw new Error(`${name} is no part of the array`);
  const { memory, slots: count } = cells;
  const slots = new Float64Array(map.cells.length);
  const bits = new Uint8Array(map.cells.length);
  findDataBits(memory, 32, map.cells, slots, bits);
  for (const [fault, slot] of slots.entries()) {
    if (slot === NO_SLOT) continue;
    yield {
      ...{ fault, element: undefined, slot, bit: bits[fault] },
      passing: (size) => ({ outputs: throughSlot(size, slot, count, array) }),
    };
  }
}

type ThroughRegister = (size: LayerSize, register: Register, array: SystolicArray) => Passing;

/** What comes through a register: element (k mod R, …) makes product k, and sums and weights move as the dataflow says. */
const THROUGH_REGISTERS: Readonly<
  Record<RegisterStorage, Readonly<Record<Dataflow, ThroughRegister>>>
> = {
  multipliers: {
    'output-stationary': outputsOfElement,
    'weight-stationary': (size, register, array) =>
      register.row < size.window ? outputsOfFilters(size, register, array) : NOTHING,
    'input-stationary': (size, register, array) =>
      register.row < size.window ? outputsOfPositions(size, register, array) : NOTHING,
  },
  // Partial sums move down through every row, those without work included.
  accumulators: {
    'output-stationary': outputsOfElement,
    'weight-stationary': outputsOfFilters,
    'input-stationary': outputsOfPositions,
  },
  'weight-registers': {
    'output-stationary': (
      { positions, filters, groups, window },
      { row, column },
      { rows, columns },
    ) => {
      const ownFilters = countAt(filters, columns, column) * groups;
      const outputs = countFrom(positions, rows, row) * ownFilters;
      return { outputs, weights: outputs > 0 ? window * ownFilters : 0 };
    },
    'weight-stationary': (size, register, array) => {
      const { rows, columns } = array;
      const isInUse = preloads(array) && register.bank === 0;
      const weightsOfFilter = (isInUse ? countAt : countFrom)(size.window, rows, register.row);
      const weights =
        weightsOfFilter * countAt(size.filters, columns, register.column) * size.groups;
      return { outputs: weights > 0 ? size.positions * (weights / weightsOfFilter) : 0, weights };
    },
    'input-stationary': (
      { positions, filters, groups, window },
      { row, column },
      { rows, columns },
    ) => {
      const reached = countFrom(positions, columns, column);
      const weightsOfFilter = countAt(window, rows, row);
      return reached > 0 && weightsOfFilter > 0
        ? { outputs: reached * filters * groups, weights: weightsOfFilter * filters * groups }
        : { outputs: 0, weights: 0 };
    },
  },
};

const NOTHING: Passing = { outputs: 0 };

/** Outputs that stay in one element. */
function outputsOfElement(
  { positions, filters, groups }: LayerSize,
  { row, column }: Register,
  { rows, columns }: SystolicArray,
): Passing {
  return { outputs: countAt(positions, rows, row) * countAt(filters, columns, column) * groups };
}

/** Outputs of the filters of a column. */
function outputsOfFilters(
  { positions, filters, groups }: LayerSize,
  { column }: Register,
  { columns }: SystolicArray,
): Passing {
  return { outputs: positions * countAt(filters, columns, column) * groups };
}

/** Outputs at the positions of a column. */
function outputsOfPositions(
  { positions, filters, groups }: LayerSize,
  { column }: Register,
  { columns }: SystolicArray,
): Passing {
  return { outputs: countAt(positions, columns, column) * filters * groups };
}

/**
 * Outputs whose partial sums lie in a slot (see `partialSumSlot`): an array of C columns fills C neighbouring places for
 * each position (weights stay) or filter (inputs stay), and place p is slot p mod `slots`.
 */
function throughSlot(
  { positions, filters, groups }: LayerSize,
  slot: number,
  slots: number,
  { dataflow, columns }: SystolicArray,
): number {
  const [lines, across] =
    dataflow === 'input-stationary' ? [filters, positions] : [positions, filters];
  // Places slot, slot + slots, …: their columns repeat after as many as the array has, or sooner.
  const places = countAt(lines * columns, slots, slot);
  let outputs = 0;
  for (let turn = 0; turn < Math.min(places, columns); turn += 1) {
    const column = (slot + turn * slots) % columns;
    outputs += countAt(places, columns, turn) * countAt(across, columns, column);
  }
  return outputs * groups;
}

/** How many of the numbers 0 … count − 1 are `at` modulo `period`. */
function countAt(count: number, period: number, at: number): number {
  return at < count ? Math.floor((count - 1 - at) / period) + 1 : 0;
}

/** How many of the numbers 0 … count − 1 are `least` or more modulo `period`. */
function countFrom(count: number, period: number, least: number): number {
  const whole = Math.floor(count / period);
  return whole * (period - least) + Math.max(0, count - whole * period - least);
}
