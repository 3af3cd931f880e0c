import { type ConvolutionShape, multiplyAccumulates } from '../../core/index.js';
import { preloads, type SystolicArray } from '../hardware/systolic-array.js';
import { foldCycles, type Product, preloadInterval, preloadLatency, productOf } from './product.js';
import {
  type LayerTiming,
  type NetworkTiming,
  type SramAccesses,
  type Stalls,
  stallCyclesOf,
  type Timing,
} from './result.js';

/**
 * Timing of one image in one layer at ideal bandwidth, or with the stalls that a model of finite bandwidth found. With M
 * output positions, K window positions and N filters on an R×C array, folds one after the other and edge folds at full
 * cost, a product takes
 * - output-stationary: ⌈M/R⌉·⌈N/C⌉·(K + R + C − 2) cycles,
 * - weight-stationary: ⌈K/R⌉·⌈N/C⌉·(M + 2R + C − 2) cycles,
 * - input-stationary: ⌈K/R⌉·⌈M/C⌉·(N + 2R + C − 2) cycles,
 *
 * and SCALE-Sim v2 prints one less (https://github.com/scalesim-project/scale-sim-v2). Each group of a grouped
 * convolution is a product of its own. A fully connected layer has M = 1.
 *
 * A weight-stationary array that preloads overlaps its F folds of all groups: R + (F − 1)·max(M, 4, R) cycles until
 * the last tile has its weights, and R + C − 2 + max(M, 4) for that tile (ONNXim's model of Gemmini).
 */
export function timingWithStalls(
  shape: ConvolutionShape,
  array: SystolicArray,
  stalls?: Stalls,
): LayerTiming {
  const product = productOf(shape, array);
  const { rowExtent, columnExtent, rowFolds, columnFolds } = product;
  const folds = rowFolds * columnFolds;
  const computeCycles =
    stalls?.computeCycles ?? idealCycles(product, array, shape.groups) - shape.groups;
  const stallCycles = stalls === undefined ? 0 : stallCyclesOf(stalls.causes);
  return {
    ...timing(computeCycles, stallCycles, shape.groups, multiplyAccumulates(shape), array),
    mappingEfficiency: (rowExtent * columnExtent) / (folds * array.rows * array.columns),
    sram: sramAccesses(product, array, shape.groups),
    ...(stalls !== undefined && { stalls: stalls.causes, memory: stalls.memory }),
  };
}

/** The timing of a network from that of its layers. */
export function sumLayers(
  shapes: readonly ConvolutionShape[],
  layers: readonly LayerTiming[],
  array: SystolicArray,
): NetworkTiming {
  let computeCycles = 0;
  let stallCycles = 0;
  let products = 0;
  let operations = 0;
  for (const [index, shape] of shapes.entries()) {
    computeCycles += layers[index].computeCycles;
    stallCycles += layers[index].stallCycles;
    products += shape.groups;
    operations += multiplyAccumulates(shape);
  }
  return { layers, total: timing(computeCycles, stallCycles, products, operations, array) };
}

/** Cycles of the hardware for all groups of a layer that never waits. */
function idealCycles(product: Product, array: SystolicArray, groups: number): number {
  const folds = groups * product.rowFolds * product.columnFolds;
  if (!preloads(array)) return folds * foldCycles(product, array);
  return (
    array.rows + (folds - 1) * preloadInterval(product, array) + preloadLatency(product, array)
  );
}

function timing(
  computeCycles: number,
  stallCycles: number,
  products: number,
  operations: number,
  array: SystolicArray,
): Timing {
  const totalCycles = computeCycles + stallCycles;
  return {
    computeCycles,
    stallCycles,
    totalCycles,
    hardwareCycles: totalCycles + products,
    // A single multiplication on a single processing element counts 0 cycles.
    utilization: operations / (Math.max(totalCycles, 1) * array.rows * array.columns),
  };
}

/**
 * Reads and writes of the SRAMs. A streamed operand is read again for every fold of the dimension that it does not
 * lie along, a stationary one once; outputs are written once for every fold of the window, and read back between.
 */
function sramAccesses(product: Product, array: SystolicArray, groups: number): SramAccesses {
  const { positions, window, filters, rowFolds, columnFolds } = product;
  const inputs = groups * positions * window;
  const weights = groups * window * filters;
  const outputs = groups * positions * filters;
  if (array.dataflow === 'output-stationary') {
    const folds = groups * rowFolds * columnFolds;
    return {
      inputReads: inputs * columnFolds,
      weightReads: weights * rowFolds,
      outputWrites: outputs,
      partialSumReads: 0,
      scaleSimOutputWrites: outputs + folds * (array.rows + array.columns),
    };
  }
  const weightStationary = array.dataflow === 'weight-stationary';
  return {
    inputReads: weightStationary ? inputs * columnFolds : inputs,
    weightReads: weightStationary ? weights : weights * columnFolds,
    outputWrites: outputs * rowFolds,
    partialSumReads: outputs * (rowFolds - 1),
    scaleSimOutputWrites: outputs * rowFolds,
  };
}
