import { windowSize } from '../../../core/index.js';
import type { SumSteps } from '../../../kernels/index.js';
import type { Dataflow, SystolicArray } from '../../hardware/systolic-array.js';
import { type AccumulatorMemoryFaults, type ArrayFaults, partialSumSlot } from '../array-faults.js';
import { type ElementFunctions, stepsDownColumn, stepsInElements } from './sum-steps.js';
import { passedRegisters } from './weight-registers.js';
import { type ArrayWeights, isInt8, weightWordBits } from './window-weights.js';
import {
  isUnchanged,
  keyOf,
  signExtended,
  UNCHANGED,
  type WordFunction,
  wordFunctions,
} from './word-functions.js';

/** How an output comes about: bias, then product after product. */
export interface Chain {
  /** Of the disturbed chains of a plan. */
  readonly id: number;
  /** Undefined where only weights are changed. */
  readonly steps: SumSteps | undefined;
  readonly weights: PassedWeights;
}

/** What weights have passed. */
export interface PassedWeights {
  /** Equal for equal functions. */
  readonly id: number;
  /** Of stored words: weights of window position k pass number k mod their count. */
  readonly functions: readonly WordFunction[];
}

/** The chains of the outputs of a group: output position m of filter n. */
export interface Chains {
  /** Undefined where the output is sound, or differs by weights alone that are changed at all positions. */
  chainOf(m: number, n: number): Chain | undefined;
  /** Output positions of one class have the same chain in each filter. */
  positionClass(m: number): number;
  /** Filters of one class have the same chain at each output position. */
  filterClass(n: number): number;
}

export function chainsOf(layer: ArrayWeights, faults: ArrayFaults, array: SystolicArray): Chains {
  return CHAINS[array.dataflow]({
    array,
    window: windowSize(layer.shape),
    elements: elementFunctions(layer, faults, array),
    passed: passedRegisters(faults, array, weightWordBits(layer)),
    memory: memoryOf(faults.accumulatorMemory, array),
  });
}

/** The registers that a chain passes. */
interface Registers {
  readonly array: SystolicArray;
  /** K: products of a chain. */
  readonly window: number;
  readonly elements: ElementFunctions;
  /** What the weights that each element multiplies by have passed. */
  readonly passed: readonly WordFunction[];
  readonly memory: Memory;
}

const CHAINS: Readonly<Record<Dataflow, (registers: Registers) => Chains>> = {
  'output-stationary': outputStationaryChains,
  'weight-stationary': (registers) => {
    const { array, memory } = registers;
    const { columns } = array;
    return {
      chainOf: columnChains(registers, (_, n) => n % columns, false),
      // All positions where the memory is sound are alike.
      positionClass: (m) => (memory.isStruckAt(m) ? 1 + (m % memory.period) : 0),
      filterClass: (n) => n % columns,
    };
  },
  'input-stationary': (registers) => {
    const { columns } = registers.array;
    return {
      chainOf: columnChains(registers, (m) => m % columns, true),
      positionClass: (m) => m % columns,
      filterClass: (n) => n % registers.memory.period,
    };
  },
};

function outputStationaryChains({ array, window, elements, passed }: Registers): Chains {
  const { rows, columns } = array;
  const stepsIn = stepsInElements(window);
  const numberOf = numbering();
  const weightsNumberOf = numbering();
  return {
    chainOf(m, n) {
      const element = (m % rows) * columns + (n % columns);
      const product = elements.products[element];
      const sum = elements.sums[element];
      const weights = passed[element];
      if (isUnchanged(product) && isUnchanged(sum) && isUnchanged(weights)) return undefined;
      const text = [product, sum, weights].map(keyOf).join(' ');
      return {
        // Columns have filters of their own: together they would be other weights for each combination of columns.
        id: numberOf(`${n % columns} ${text}`),
        steps: stepsIn(product, sum),
        weights: { id: weightsNumberOf(keyOf(weights)), functions: [weights] },
      };
    },
    positionClass: (m) => m % rows,
    filterClass: (n) => n % columns,
  };
}

/** @param weightsAlone whether an output is disturbed where nothing but its weights is */
function columnChains(
  { array, window, elements, passed, memory }: Registers,
  columnOf: (m: number, n: number) => number,
  weightsAlone: boolean,
): Chains['chainOf'] {
  const weightsOf = columnWeights(passed, array);
  const known = new Map<number, Chain | undefined>();
  return (m, n) => {
    const column = columnOf(m, n);
    const read = memory.numberAt(m, n);
    const id = read * array.columns + column;
    if (!known.has(id)) known.set(id, chain(id, column, memory.functions[read]));
    return known.get(id);
  };

  function chain(id: number, column: number, read: WordFunction): Chain | undefined {
    const steps = stepsDownColumn(elements, array, column, window, read);
    const weights = weightsOf(column);
    const isDisturbed =
      steps !== undefined || (weightsAlone && !weights.functions.every(isUnchanged));
    return isDisturbed ? { id, steps, weights } : undefined;
  }
}

function columnWeights(
  passed: readonly WordFunction[],
  { rows, columns }: SystolicArray,
): (column: number) => PassedWeights {
  const numberOf = numbering();
  return (column) => {
    const ofRows = Array.from({ length: rows }, (_, row) => passed[row * columns + column]);
    // Weights of sound registers are read faster by one function.
    const functions = ofRows.every(isUnchanged) ? [UNCHANGED] : ofRows;
    return { id: numberOf(functions.map(keyOf).join(' ')), functions };
  };
}

function elementFunctions(
  layer: ArrayWeights,
  { products, sums }: ArrayFaults,
  { rows, columns }: SystolicArray,
): ElementFunctions {
  const elements = rows * columns;
  return {
    products: isInt8(layer)
      ? wordFunctions(products, elements, 18).map((read) => signExtended(read, 18))
      : wordFunctions(products, elements),
    sums: wordFunctions(sums, elements),
  };
}

/** What is read of the memory of partial sums. */
interface Memory {
  /** Number among `functions` of what is read where the sum of output position m and filter n lies; 0 is sound. */
  numberAt(m: number, n: number): number;
  readonly functions: readonly WordFunction[];
  /** Output positions (weights stay) or filters (inputs stay) so far apart share slots. */
  readonly period: number;
  /** Where weights stay: whether a sum of output position m lies in a faulty slot. */
  isStruckAt(m: number): boolean;
}

/** As where there is none. */
const SOUND: Memory = {
  numberAt: () => 0,
  functions: [UNCHANGED],
  period: 1,
  isStruckAt: () => false,
};

function memoryOf(faults: AccumulatorMemoryFaults | undefined, array: SystolicArray): Memory {
  if (faults === undefined) return SOUND;
  const { slots } = faults;
  const numberOf = numbering();
  const functions = [UNCHANGED];
  const numbers = new Uint32Array(slots);
  for (const [slot, read] of wordFunctions(faults.faults, slots).entries()) {
    if (isUnchanged(read)) continue;
    numbers[slot] = 1 + numberOf(keyOf(read));
    functions[numbers[slot]] = read;
  }
  const numberAt = (m: number, n: number) => numbers[partialSumSlot(array, slots, m, n)];
  return {
    numberAt,
    functions,
    period: slots / greatestCommonDivisor(slots, array.columns),
    isStruckAt(m) {
      for (let column = 0; column < array.columns; column++) {
        if (numberAt(m, column) !== 0) return true;
      }
      return false;
    },
  };
}

/** Numbers from 0, the same for the same text. */
function numbering(): (text: string) => number {
  const numbers = new Map<string, number>();
  return (text) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
