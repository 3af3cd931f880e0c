import { InputError } from '../core/index.js';
import { cellAt, cellCount } from '../fault/index.js';
import { type Network, weightedLayers } from '../models/index.js';
import {
  bitNumberOfCell,
  cellOfBitNumber,
  firstWeightOfLayers,
  type Placement,
  slotCount,
} from '../sim/index.js';

/** Scopes as users write them: `all`, or a kind and its name or number, `*` standing for each of them. */
export const SCOPE_PATTERN = /^(all|layer:.+|(bit|bank):(\d+|\*))$/;

/** The cells that may fail, numbered 0 … count − 1. */
export interface Scope {
  /** Number of cells. */
  readonly count: number;
  /** Index, in the geometry of the placement, of a cell of the scope. */
  cellAt(number: number): number;
  /** Whether a cell, by its index in the geometry, lies in the scope. */
  has(cell: number): boolean;
}

/**
 * The scopes that a user's word stands for in one network and its weight memory: itself, or with `*` one for each
 * layer with weights, bit of a weight word, or bank.
 *
 * @throws InputError when there is no such layer, bit or bank
 */
export function expandScope(scope: string, network: Network, placement: Placement): string[] {
  const [kind, name] = splitScope(scope);
  if (kind === 'all') return [scope];
  const names = namesOf(kind, network, placement);
  if (name === '*') return names.map((each) => `${kind}:${each}`);
  if (!names.includes(name)) {
    const known = kind === 'layer' ? `one of ${names.join(', ')}` : `0 to ${names.length - 1}`;
    throw new InputError(
      `scope ${scope}: ${network.name} with ${network.format} words has no such ${kind}: expected ${known}`,
    );
  }
  return [scope];
}

function namesOf(kind: string, network: Network, placement: Placement): string[] {
  if (kind === 'layer') return weightedLayers(network).map(({ name }) => name);
  const count = kind === 'bit' ? placement.weightBits : placement.geometry.banks;
  return Array.from({ length: count }, (_, number) => String(number));
}

/** Everything after the first colon is the name, so layers may have colons in theirs. */
function splitScope(scope: string): [kind: string, name: string] {
  const colon = scope.indexOf(':');
  return colon < 0 ? [scope, ''] : [scope.slice(0, colon), scope.slice(colon + 1)];
}

/**
 * The cells of an expanded scope.
 *
 * - `all`: every cell.
 * - `layer:NAME`: the cells that hold weights of that layer at some time of an inference.
 * - `bit:NUMBER`: the cells that hold this bit of a weight-sized place, used or not; 0 is the least significant.
 * - `bank:NUMBER`: the cells of a bank.
 */
export function createScope(scope: string, network: Network, placement: Placement): Scope {
  const [kind, name] = splitScope(scope);
  const { geometry, memory, weightBits } = placement;
  switch (kind) {
    case 'layer':
      return slotScope(slotsOfLayer(name, network, placement), placement);
    case 'bit': {
      const bit = Number(name);
      return {
        count: slotCount(memory, weightBits),
        cellAt: (slot) => cellOfBitNumber(memory, slot * weightBits + bit),
        has: (cell) => bitNumberOfCell(memory, cell) % weightBits === bit,
      };
    }
    case 'bank': {
      const bank = Number(name);
      const count = geometry.rows * geometry.columns;
      return {
        count,
        cellAt: (number) => bank * count + number,
        has: (cell) => cellAt(geometry, cell).bank === bank,
      };
    }
    default:
      return { count: cellCount(geometry), cellAt: (cell) => cell, has: () => true };
  }
}

/** Weight-sized places, ascending. */
interface Slots {
  readonly count: number;
  at(position: number): number;
  has(slot: number): boolean;
}

function slotScope(slots: Slots, { memory, weightBits }: Placement): Scope {
  return {
    count: slots.count * weightBits,
    cellAt(number) {
      const position = Math.floor(number / weightBits);
      const bit = number - position * weightBits;
      return cellOfBitNumber(memory, slots.at(position) * weightBits + bit);
    },
    has: (cell) => slots.has(Math.floor(bitNumberOfCell(memory, cell) / weightBits)),
  };
}

function slotsOfLayer(name: string, network: Network, placement: Placement): Slots {
  const index = weightedLayers(network).findIndex((layer) => layer.name === name);
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
