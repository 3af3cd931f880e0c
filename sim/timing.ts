import { type ConvolutionShape, multiplyAccumulates, windowSize } from '../core/index.js';
import type { SystolicArray } from './systolic-array.js';

/** Cycles that one image spends in a layer or a network. */
export interface Timing {
  readonly computeCycles: number;
  /** Cycles that the array waits for memory; 0 at ideal bandwidth. */
  readonly stallCycles: number;
  /** `computeCycles + stallCycles`, as SCALE-Sim prints it: one less for each product than the hardware takes. */
  readonly totalCycles: number;
  /** Cycles of the hardware: from the first operand at an edge of the array to the last result. */
  readonly hardwareCycles: number;
  /**
   * Multiply-accumulates over totalCycles × processing elements (SCALE-Sim's overall utilisation), a
   * fraction. On arrays of one processing element the printed offset can take it just above 1.
   */
  readonly utilization: number;
}

export interface LayerTiming extends Timing {
  /** Share of processing elements with work, over all folds (SCALE-Sim's mapping efficiency), 0…1. */
  readonly mappingEfficiency: number;
}

export interface NetworkTiming {
  readonly layers: readonly LayerTiming[];
  readonly total: Timing;
}

/** A layer mapped on the array: two dimensions in space, cut into folds, and one in time. */
interface Mapping {
  /** Extent along the rows and the columns of the array. */
  readonly rows: number;
  readonly columns: number;
  /** Operands that stream through a fold. */
  readonly steps: number;
  /** Cycles to load the stationary operand of a fold, one for each row of the array. */
  readonly load: number;
}

/**
 * Timing of one image in one layer at ideal bandwidth. With M output positions, K window positions and N filters
 * on an R×C array, folds one after the other and edge folds at full cost, a product takes
 * - output-stationary: ⌈M/R⌉·⌈N/C⌉·(K + R + C − 2) cycles,
 * - weight-stationary: ⌈K/R⌉·⌈N/C⌉·(M + 2R + C − 2) cycles,
 * - input-stationary: ⌈K/R⌉·⌈M/C⌉·(N + 2R + C − 2) cycles,
 *
 * and SCALE-Sim v2 prints one less (https://github.com/scalesim-project/scale-sim-v2). Each group of a grouped
 * convolution is a product of its own. A fully connected layer has M = 1.
 */
export function layerTiming(shape: ConvolutionShape, array: SystolicArray): LayerTiming {
  const mapping = mapLayer(shape, array);
  const folds = Math.ceil(mapping.rows / array.rows) * Math.ceil(mapping.columns / array.columns);
  const cyclesPerFold = mapping.load + mapping.steps + array.rows + array.columns - 2;
  const hardwareCycles = shape.groups * folds * cyclesPerFold;
  return {
    ...timing(hardwareCycles, shape.groups, multiplyAccumulates(shape), array),
    mappingEfficiency: (mapping.rows * mapping.columns) / (folds * array.rows * array.columns),
  };
}

/** Timing of one image in the weighted layers of a network, which run one after the other. */
export function networkTiming(
  shapes: readonly ConvolutionShape[],
  array: SystolicArray,
): NetworkTiming {
  const layers = shapes.map((shape) => layerTiming(shape, array));
  let hardwareCycles = 0;
  let products = 0;
  let operations = 0;
  for (const [index, shape] of shapes.entries()) {
    hardwareCycles += layers[index].hardwareCycles;
    products += shape.groups;
    operations += multiplyAccumulates(shape);
  }
  return { layers, total: timing(hardwareCycles, products, operations, array) };
}

function mapLayer(shape: ConvolutionShape, array: SystolicArray): Mapping {
  const positions = shape.output.height * shape.output.width;
  const window = windowSize(shape);
  const filters = shape.output.channels / shape.groups;
  switch (array.dataflow) {
    case 'output-stationary':
      return { rows: positions, columns: filters, steps: window, load: 0 };
    case 'weight-stationary':
      return { rows: window, columns: filters, steps: positions, load: array.rows };
    case 'input-stationary':
      return { rows: window, columns: positions, steps: filters, load: array.rows };
  }
}

function timing(
  hardwareCycles: number,
  products: number,
  operations: number,
  array: SystolicArray,
): Timing {
  const computeCycles = hardwareCycles - products;
  return {
    computeCycles,
    stallCycles: 0,
    totalCycles: computeCycles,
    hardwareCycles,
    // A single multiplication on a single processing element counts 0 cycles.
    utilization: operations / (Math.max(computeCycles, 1) * array.rows * array.columns),
  };
}
