import { FAULT_KINDS, type FaultMap, requireGeometry } from '../../fault/index.js';
import type { ArrayFaults } from '../disturbance/array-faults.js';
import type { WordFaults } from '../disturbance/struck-words.js';
import { registerBitOf } from '../memory/array-registers.js';
import { findDataBits, NO_SLOT } from '../memory/weight-memory.js';
import type { PlacedStorage } from './placed-storage.js';

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

function soundWords(length: number): WordFaults {
  return {
    and: new Uint32Array(length).fill(0xffffffff),
    or: new Uint32Array(length),
    xor: new Uint32Array(length),
  };
}

function addFault({ and, or, xor }: WordFaults, word: number, bit: number, kind: number): void {
  const mask = 1 << bit;
  if (kind === STUCK_AT_0) and[word] &= ~mask;
  else if (kind === STUCK_AT_1) or[word] |= mask;
  else xor[word] ^= mask;
}

/**
 * The faults of a map in the registers of an array, or in its accumulator memory.
 *
 * @throws InputError when the map is of another memory
 */
export function arrayFaultsOf(
  map: FaultMap,
  { name, cells, geometry }: PlacedStorage,
): ArrayFaults {
  requireGeometry(map, geometry, `The fault map of ${name}`);
  if (map.cells.length === 0) return {};
  if (cells.kind === 'accumulator-memory') {
    const faults = soundWords(cells.slots);
    const slots = new Float64Array(map.cells.length);
    const bits = new Uint8Array(map.cells.length);
    findDataBits(cells.memory, 32, map.cells, slots, bits);
    for (const [fault, slot] of slots.entries()) {
      if (slot !== NO_SLOT) addFault(faults, slot, bits[fault], map.kinds[fault]);
    }
    return { accumulatorMemory: { slots: cells.slots, faults } };
  }
  if (cells.kind !== 'registers') throw new Error(`${name} is no part of the array`);
  const { registers } = cells;
  const { rows, columns } = registers.array;
  const banks = Array.from({ length: geometry.banks }, () => soundWords(rows * columns));
  for (const [fault, cell] of map.cells.entries()) {
    const { bank, element, bit } = registerBitOf(registers, cell);
    addFault(banks[bank], element, bit, map.kinds[fault]);
  }
  const [faults, shifting] = banks;
  switch (registers.storage) {
    case 'accumulators':
      return { sums: faults };
    case 'multipliers':
      return { products: faults };
    case 'weight-registers':
      return { weightRegisters: faults, ...(shifting && { shiftRegisters: shifting }) };
  }
}
