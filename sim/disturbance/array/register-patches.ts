import { windowSize } from '../../../core/index.js';
import { weightBits } from '../../../models/index.js';
import type { SystolicArray } from '../../hardware/systolic-array.js';
import { type ArrayFaults, checkArrayFaults } from '../array-faults.js';
import type { WeightPatches } from '../patches.js';
import { passedRegisters } from './weight-registers.js';
import {
  type ArrayWeights,
  isInt8,
  type Masks,
  masksOf,
  weightWordBits,
  windowOrder,
} from './window-weights.js';
import { isUnchanged } from './word-functions.js';

/**
 * The weights that faulty registers of a weight-stationary array change: numbers within the layer, ascending, with the
 * words that the array multiplies by as the weight memory would hold them. Each weight is in one element, so it is the
 * same at all output positions. None under other dataflows: there a weight passes other registers for other output
 * positions, which `disturbedSums` takes into account.
 *
 * @throws InputError when the array does not have such registers
 */
export function registerPatches(
  layer: ArrayWeights,
  faults: ArrayFaults,
  array: SystolicArray,
): Pick<WeightPatches, 'weights' | 'words'> {
  checkArrayFaults(faults, array);
  const { weightRegisters, shiftRegisters } = faults;
  const isSound = weightRegisters === undefined && shiftRegisters === undefined;
  if (isSound || array.dataflow !== 'weight-stationary') {
    return { weights: new Uint32Array(0), words: new Uint32Array(0) };
  }
  const columns = columnMasks(layer, faults, array);
  const rowOf = rowsOfFilter(layer, array);
  const filters = layer.shape.output.channels / layer.shape.groups;
  const stored = weightBits(layer.weights);
  const mask = isInt8(layer) ? (layer.wordMask ?? 0) : 0;

  let changed = 0;
  forEachFilter((first, masks) => {
    changed += countChanges(stored, first, rowOf, masks);
  });
  // One more, because what is no change is written, too, and then overwritten.
  const weights = new Uint32Array(changed + 1);
  const words = new Uint32Array(changed + 1);
  let count = 0;
  forEachFilter((first, { and, or, xor }) => {
    for (let place = 0; place < rowOf.length; place++) {
      const row = rowOf[place];
      const word = stored[first + place] | 0;
      const read = ((word & and[row]) | or[row]) ^ xor[row];
      weights[count] = first + place;
      words[count] = read ^ mask;
      count += read === word ? 0 : 1;
    }
  });
  return { weights: weights.subarray(0, count), words: words.subarray(0, count) };

  function forEachFilter(visit: (firstWeight: number, masks: Masks) => void): void {
    for (let channel = 0; channel < layer.shape.output.channels; channel++) {
      const masks = columns[(channel % filters) % array.columns];
      if (masks !== undefined) visit(channel * rowOf.length, masks);
    }
  }
}

/** What each column makes of weights, row by row; undefined where nothing is changed. */
function columnMasks(
  layer: ArrayWeights,
  faults: ArrayFaults,
  array: SystolicArray,
): (Masks | undefined)[] {
  const passed = passedRegisters(faults, array, weightWordBits(layer));
  return Array.from({ length: array.columns }, (_, column) => {
    const functions = Array.from(
      { length: array.rows },
      (_, row) => passed[row * array.columns + column],
    );
    return functions.every(isUnchanged) ? undefined : masksOf(functions, layer);
  });
}

/** The row of the array that holds each weight of a filter in network order. */
function rowsOfFilter(layer: ArrayWeights, { rows }: SystolicArray): Uint32Array {
  const rowOf = new Uint32Array(windowSize(layer.shape));
  for (const [k, place] of windowOrder(layer).entries()) rowOf[place] = k % rows;
  return rowOf;
}

function countChanges(
  stored: Uint8Array | Uint32Array,
  first: number,
  rowOf: Uint32Array,
  { and, or, xor }: Masks,
): number {
  let changes = 0;
  for (let place = 0; place < rowOf.length; place++) {
    const row = rowOf[place];
    const word = stored[first + place] | 0;
    const inverted = ((word & and[row]) | or[row]) ^ xor[row] ^ word;
    // Without a branch, which no processor could predict: 1 for any but 0.
    changes += (inverted | -inverted) >>> 31;
  }
  return changes;
}
