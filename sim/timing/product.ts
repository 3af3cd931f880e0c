import { type ConvolutionShape, windowSize } from '../../core/index.js';
import type { SystolicArray } from '../hardware/systolic-array.js';

/**
 * One group of a layer as the product of two matrices, and its mapping on the array: two dimensions lie in space and
 * are cut into folds of the array's rows and columns, one runs in time. Column folds are the outer loop.
 */
export interface Product {
  /** M output positions, K window positions and N filters of one group. */
  readonly positions: number;
  readonly window: number;
  readonly filters: number;
  /** Extent along the rows and along the columns of the array. */
  readonly rowExtent: number;
  readonly columnExtent: number;
  readonly rowFolds: number;
  readonly columnFolds: number;
  /** Operands that stream through each row (and, output-stationary, each column) in a fold. */
  readonly steps: number;
  /** Cycles to load the stationary operand of a fold, one for each row of the array. */
  readonly loadCycles: number;
}

/** The product that each group of a layer is. A fully connected layer has one output position. */
export function productOf(shape: ConvolutionShape, array: SystolicArray): Product {
  const positions = shape.output.height * shape.output.width;
  const window = windowSize(shape);
  const filters = shape.output.channels / shape.groups;
  const map = (rowExtent: number, columnExtent: number, steps: number, loadCycles: number) => ({
    positions,
    window,
    filters,
    rowExtent,
    columnExtent,
    rowFolds: Math.ceil(rowExtent / array.rows),
    columnFolds: Math.ceil(columnExtent / array.columns),
    steps,
    loadCycles,
  });
  switch (array.dataflow) {
    case 'output-stationary':
      return map(positions, filters, window, 0);
    case 'weight-stationary':
      return map(window, filters, positions, array.rows);
    case 'input-stationary':
      return map(window, positions, filters, array.rows);
  }
}

/**
 * Cycles of one fold from its first operand to its last result: the load of the stationary operand, then
 * steps + rows + columns − 2. Edge folds take as long as whole ones.
 */
export function foldCycles({ loadCycles, steps }: Product, { rows, columns }: SystolicArray) {
  return loadCycles + steps + rows + columns - 2;
}

/**
 * Least distance in cycles between two tiles of a weight-stationary array that loads the next tile's weights behind the
 * current one: max(steps, 4, rows), as ONNXim models Gemmini (https://github.com/PSAL-POSTECH/ONNXim).
 */
export function preloadInterval({ steps }: Product, { rows }: SystolicArray): number {
  return Math.max(steps, MINIMUM_TILE_CYCLES, rows);
}

/** Cycles from the first operand of a tile to its last result where weights are preloaded, after ONNXim as well. */
export function preloadLatency({ steps }: Product, { rows, columns }: SystolicArray): number {
  return rows + columns - 2 + Math.max(steps, MINIMUM_TILE_CYCLES);
}

const MINIMUM_TILE_CYCLES = 4;
