import { preloads, type SystolicArray } from '../../hardware/systolic-array.js';
import type { ArrayFaults } from '../array-faults.js';
import { after, UNCHANGED, type WordFunction, wordFunctions } from './word-functions.js';

/**
 * What each element, row by row, multiplies by in place of a stored weight, which has passed the registers from the edge
 * where weights enter: those of its column down to its row, or where inputs stay, those of its row up to its column.
 *
 * @param bits of a stored weight
 */
export function passedRegisters(
  { weightRegisters, shiftRegisters }: ArrayFaults,
  array: SystolicArray,
  bits: number,
): readonly WordFunction[] {
  const { rows, columns, dataflow } = array;
  const elements = rows * columns;
  const inUse = wordFunctions(weightRegisters, elements, bits);
  const shifting = preloads(array) ? wordFunctions(shiftRegisters, elements, bits) : inUse;
  const hop = dataflow === 'input-stationary' ? 1 : columns;
  const passed = new Array<WordFunction>(elements);
  for (let element = 0; element < elements; element++) {
    const isFirst = dataflow === 'input-stationary' ? element % columns === 0 : element < columns;
    const before = isFirst ? UNCHANGED : passed[element - hop];
    passed[element] = after(shifting[element], before);
  }
  return preloads(array)
    ? passed.map((functions, element) => after(inUse[element], functions))
    : passed;
}
