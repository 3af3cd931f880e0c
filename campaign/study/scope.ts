import { excerpt, InputError } from '../../core/index.js';
import { type CellSelection, dataCellCount, dataGeometry } from '../../fault/index.js';
import { layerNamed, type Network, weightedLayers } from '../../models/index.js';
import {
  cellOfWeightBit,
  firstWeightOfLayers,
  type Placement,
  slotCount,
  type WeightMemory,
  weightBitOfCell,
} from '../../sim/index.js';

/** Networks, accelerators, scopes, fault models and rates in all their combinations. */
export const MOST_CONDITIONS = 100_000;

/** Scopes as users write them: `all`, or a kind and its name or number, `*` standing for each of them. */
export const SCOPE_PATTERN = /^(all|layer:.+|(bit|bank):(\d+|\*))$/;

/** The data cells that may fail, by their data indices, in an order of their own; named as users write it. */
export type Scope = CellSelection;

/**
 * The scopes that a user's word stands for in one network and its weight memory: itself, or with `*` one for each
 * layer with weights, bit of a weight word, or bank.
 *
 * @throws InputError when there is no such layer, bit or bank
 */
export function expandScope(scope: string, network: Network, placement: Placement): string[] {
  const [kind, name] = splitScope(scope);
  if (kind === 'all') return [scope];
  if (kind === 'layer') return expandLayers(scope, name, network);
  const count = kind === 'bit' ? placement.weightBits : placement.geometry.banks;
  if (name !== '*' && Number(name) < count) return [scope];
  if (name !== '*') throw unknownScope(scope, kind, network, `0 to ${count - 1}`);
  if (count > MOST_CONDITIONS) {
    throw new InputError(
      `scope ${scope}: ${count} of them, expected at most ${MOST_CONDITIONS}: name some, such as ${kind}:0.`,
    );
  }
  return Array.from({ length: count }, (_, number) => `${kind}:${number}`);
}

function expandLayers(scope: string, wanted: string, network: Network): string[] {
  const names = weightedLayers(network).map(({ name }) => name);
  if (wanted === '*') return names.map((name) => `layer:${name}`);
  if (names.includes(wanted)) return [scope];
  throw unknownScope(scope, 'layer', network, `one of ${excerpt(names.join(', '))}`);
}

function unknownScope(
  scope: string,
  kind: string,
  { name, format }: Network,
  expected: string,
): InputError {
  return new InputError(
    `scope ${excerpt(scope)}: ${name} with ${format} words has no such ${kind}: expected ${expected}`,
  );
}

/** Everything after the first colon is the name, so layers may have colons in theirs. */
function splitScope(scope: string): [kind: string, name: string] {
  const colon = scope.indexOf(':');
  return colon < 0 ? [scope, ''] : [scope.slice(0, colon), scope.slice(colon + 1)];
}

/**
 * The cells of an expanded scope.
 *
 * - `all`: every data cell.
 * - `layer:NAME`: the cells that hold weights of that layer at some time of an inference.
 * - `bit:NUMBER`: the cells that hold this bit of a weight-sized place, used or not; 0 is the least significant.
 * - `bank:NUMBER`: the cells of a bank.
 */
export function createScope(scope: string, network: Network, placement: Placement): Scope {
  const [kind, name] = splitScope(scope);
  const { geometry, weightBits } = placement;
  const memory = dataMemory(placement.memory);
  switch (kind) {
    case 'layer':
      return slotScope(scope, slotsOfLayer(name, network, placement), memory, weightBits);
    case 'bit': {
      const bit = Number(name);
      return {
        name: scope,
        count: slotCount(memory, weightBits),
        at: (slot) => cellOfWeightBit(memory, weightBits, slot * weightBits + bit),
        has: (cell) => weightBitOfCell(memory, weightBits, cell) % weightBits === bit,
      };
    }
    case 'bank': {
      const bank = Number(name);
      const { rows, columns } = dataGeometry(geometry);
      const count = rows * columns;
      return {
        name: scope,
        count,
        at: (position) => bank * count + position,
        has: (cell) => Math.floor(cell / count) === bank,
      };
    }
    default:
      return { name: scope, count: dataCellCount(geometry), at: (cell) => cell, has: () => true };
  }
}

/** The memory without spare and check cells: its cells are numbered by their data indices. */
function dataMemory({ banks, rows, wordBits, columnMux }: WeightMemory): WeightMemory {
  return { banks, rows, wordBits, columnMux };
}

/** Weight-sized places, ascending. */
interface Slots {
  readonly count: number;
  at(position: number): number;
  has(slot: number): boolean;
}

function slotScope(name: string, slots: Slots, memory: WeightMemory, weightBits: 8 | 32): Scope {
  return {
    name,
    count: slots.count * weightBits,
    at(position) {
      const slot = Math.floor(position / weightBits);
      const bit = position - slot * weightBits;
      return cellOfWeightBit(memory, weightBits, slots.at(slot) * weightBits + bit);
    },
    has: (cell) => slots.has(Math.floor(weightBitOfCell(memory, weightBits, cell) / weightBits)),
  };
}

function slotsOfLayer(name: string, network: Network, placement: Placement): Slots {
  const index = weightedLayers(network).indexOf(layerNamed(network, name));
  const [first, end] = firstWeightOfLayers(network).slice(index, index + 2);
  if (placement.kind === 'resident') {
    // Resident weights lie behind one another in network order.
    const start = placement.slotOf(first);
    const count = end - first;
    return {
      count,
      at: (position) => start + position,
      has: (slot) => slot >= start && slot < start + count,
    };
  }
  const distinct = new Set<number>();
  for (let weight = first; weight < end; weight += 1) distinct.add(placement.slotOf(weight));
  const slots = Float64Array.from(distinct).sort();
  return {
    count: slots.length,
    at: (position) => slots[position],
    has: (slot) => distinct.has(slot),
  };
}
