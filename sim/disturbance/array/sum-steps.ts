import type { SumSteps, WordMasks } from '../../../kernels/index.js';
import type { SystolicArray } from '../../hardware/systolic-array.js';
import { after, isUnchanged, UNCHANGED, type WordFunction } from './word-functions.js';

/** What the registers of each element, row by row, make of products and sums. */
export interface ElementFunctions {
  readonly products: readonly WordFunction[];
  readonly sums: readonly WordFunction[];
}

/**
 * Steps of sums that stay in one element, where every product is made: all window positions alike.
 *
 * @returns undefined where the element is sound
 */
export type StepsInElement = (product: WordFunction, sum: WordFunction) => SumSteps | undefined;

export function stepsInElements(window: number): StepsInElement {
  const at = Uint32Array.from({ length: window }, (_, k) => k);
  // Steps of all elements share what is equal: an array of 128 × 128 would otherwise take 100 KB an element.
  const arrays = new Map<number, Uint32Array>();
  const filled = (mask: number) => {
    const known = arrays.get(mask);
    if (known) return known;
    const array = new Uint32Array(window).fill(mask);
    arrays.set(mask, array);
    return array;
  };
  const masks = ({ and, or, xor }: WordFunction): WordMasks => ({
    and: filled(and),
    or: filled(or),
    xor: filled(xor),
  });
  return (product, sum) =>
    isUnchanged(product) && isUnchanged(sum)
      ? undefined
      : { at, product: masks(product), sum: masks(sum) };
}

/**
 * Steps of sums that move down a column, through every row once a fold, and after each fold into a memory and back:
 * window position k is added in row k mod R.
 *
 * @param memory what is read of the memory
 * @returns undefined where nothing is disturbed
 */
export function stepsDownColumn(
  { products, sums }: ElementFunctions,
  { rows, columns }: SystolicArray,
  column: number,
  window: number,
  memory: WordFunction,
): SumSteps | undefined {
  const rowSteps = Array.from(
    { length: rows },
    (_, row): Step => ({
      product: products[row * columns + column],
      sum: sums[row * columns + column],
    }),
  );
  const lastRow = (window - 1) % rows;
  // The last sum passes the rows below on its way out; at the end of a fold it passes the memory.
  const passingOut = rowSteps.slice(lastRow).reduce((sum, row) => after(row.sum, sum), UNCHANGED);
  const last: Step = { product: rowSteps[lastRow].product, sum: after(memory, passingOut) };
  const foldEnd = rowSteps[rows - 1];
  rowSteps[rows - 1] = { product: foldEnd.product, sum: after(memory, foldEnd.sum) };

  const isStep = ({ product, sum }: Step) => !isUnchanged(product) || !isUnchanged(sum);
  const faultyRows = rowSteps.flatMap((step, row) => (isStep(step) ? [{ step, row }] : []));
  const writer = createWriter(Math.ceil(window / rows) * faultyRows.length + 1);
  for (let first = 0; first < window; first += rows) {
    for (const { step, row } of faultyRows) {
      if (first + row < window - 1) writer.add(first + row, step);
    }
  }
  if (isStep(last)) writer.add(window - 1, last);
  return writer.steps();
}

interface Step {
  readonly product: WordFunction;
  readonly sum: WordFunction;
}

function createWriter(capacity: number) {
  const at = new Uint32Array(capacity);
  const product = createMasks(capacity);
  const sum = createMasks(capacity);
  let count = 0;
  return {
    add(k: number, step: Step): void {
      at[count] = k;
      setMasks(product, count, step.product);
      setMasks(sum, count, step.sum);
      count += 1;
    },
    steps(): SumSteps | undefined {
      if (count === 0) return undefined;
      return {
        at: at.subarray(0, count),
        product: firstMasks(product, count),
        sum: firstMasks(sum, count),
      };
    },
  };
}

function createMasks(count: number): WordMasks {
  return {
    and: new Uint32Array(count),
    or: new Uint32Array(count),
    xor: new Uint32Array(count),
  };
}

function setMasks(masks: WordMasks, place: number, { and, or, xor }: WordFunction): void {
  masks.and[place] = and;
  masks.or[place] = or;
  masks.xor[place] = xor;
}

function firstMasks({ and, or, xor }: WordMasks, count: number): WordMasks {
  return {
    and: and.subarray(0, count),
    or: or.subarray(0, count),
    xor: xor.subarray(0, count),
  };
}
