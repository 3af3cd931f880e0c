import type { ConvolutionShape } from '../../../core/index.js';
import type { SystolicArray } from '../../systolic-array.js';
import type { Product } from '../product.js';
import { pixelsOf } from './pixels.js';

/** Words that each SRAM holds. */
export interface Capacities {
  readonly input: number;
  readonly weights: number;
  /** Partial sums, 32 bits each. */
  readonly output: number;
}

/** Words that a tile moves between one SRAM and memory. */
export interface TileTraffic {
  /** Words to fetch for the tile at (row fold, column fold) of a group. */
  input(rowFold: number, columnFold: number): number;
  weights(rowFold: number, columnFold: number): number;
  /** Partial sums to read back. */
  partialSums(rowFold: number, columnFold: number): number;
  /** Outputs, or partial sums, that leave after (or, where they do not fit a half, during) the tile. */
  outputs(rowFold: number, columnFold: number): number;
  /** Whether the output half is handed over after each tile, or only after the last row fold of a column fold. */
  readonly outputsAccumulate: boolean;
}

/**
 * The words that each tile moves. The rules, from an operand's use in the loop nest (column folds outer, row folds
 * inner):
 * - an operand of a group that fits its SRAM is fetched once (half of it where the next group must be prefetched);
 * - what consecutive tiles share stays where a half holds it: the weights of an output-stationary column fold; input
 *   rows from one tile of output positions to the next; an input channel that two weight-stationary tiles share;
 * - everything else is fetched again for each tile that reads it;
 * - partial sums stay where a half holds those of a column fold; else each row fold writes them and the next reads
 *   them back.
 *
 * Window positions are in network order (input channel, ky, kx). Padding is not fetched.
 */
export function tileTraffic(
  shape: ConvolutionShape,
  product: Product,
  array: SystolicArray,
  capacities: Capacities,
): TileTraffic {
  return {
    input: inputWords(shape, product, array, capacities.input),
    weights: weightWords(product, array, shape.groups, capacities.weights),
    ...outputWords(product, array, shape.groups, capacities.output),
  };
}

type WordsOfTile = (rowFold: number, columnFold: number) => number;

/** Words that may stay for a whole group. */
function lasting(groups: number, capacity: number): number {
  return groups === 1 ? capacity : Math.floor(capacity / 2);
}

function foldSizes({ rowExtent, columnExtent }: Product, { rows, columns }: SystolicArray) {
  return {
    rowsOf: (fold: number) => Math.min(rows, rowExtent - fold * rows),
    columnsOf: (fold: number) => Math.min(columns, columnExtent - fold * columns),
  };
}

function weightWords(
  product: Product,
  array: SystolicArray,
  groups: number,
  capacity: number,
): WordsOfTile {
  const { window, filters } = product;
  const { rowsOf, columnsOf } = foldSizes(product, array);
  const wholeStays = window * filters <= lasting(groups, capacity);
  switch (array.dataflow) {
    case 'output-stationary': {
      const tileStays = window * columnsOf(0) <= capacity / 2 || wholeStays;
      return (rowFold, columnFold) =>
        rowFold > 0 && tileStays ? 0 : window * columnsOf(columnFold);
    }
    case 'weight-stationary':
      return (rowFold, columnFold) => rowsOf(rowFold) * columnsOf(columnFold);
    case 'input-stationary':
      return (rowFold, columnFold) =>
        columnFold > 0 && wholeStays ? 0 : rowsOf(rowFold) * filters;
  }
}

function inputWords(
  shape: ConvolutionShape,
  product: Product,
  array: SystolicArray,
  capacity: number,
): WordsOfTile {
  const { positions, window, columnFolds } = product;
  const taps = shape.kernel[0] * shape.kernel[1];
  const channels = window / taps;
  const pixels = pixelsOf(shape);
  const half = capacity / 2;
  const wholeStays = channels * pixels.all <= lasting(shape.groups, capacity);
  const range = (fold: number, width: number, extent: number) =>
    [fold * width, Math.min((fold + 1) * width, extent)] as const;

  if (array.dataflow === 'output-stationary') {
    const rowsStay = channels * pixels.rowWindow(array.rows) <= half;
    return (rowFold, columnFold) => {
      if (columnFold > 0 && wholeStays) return 0;
      const [from, to] = range(rowFold, array.rows, positions);
      return channels * (wholeStays || rowsStay ? pixels.fresh(from, to) : pixels.tile(from, to));
    };
  }

  /** Channels of window positions from … to − 1 that no earlier row fold touches. */
  const freshChannels = (from: number, to: number) => Math.ceil(to / taps) - Math.ceil(from / taps);
  /** Words of window positions from … to − 1 where a channel has `area` pixels under `outputs` positions. */
  const touched = (from: number, to: number, area: number, outputs: number) => {
    let words = 0;
    for (let at = from; at < to; ) {
      const end = Math.min(to, (Math.floor(at / taps) + 1) * taps);
      words += Math.min(area, (end - at) * outputs);
      at = end;
    }
    return words;
  };
  /** Most channels that the window positions of one row fold touch. */
  const channelsOfFold = Math.min(channels, Math.ceil((array.rows - 1) / taps) + 1);

  if (array.dataflow === 'weight-stationary') {
    const channelsStay = channelsOfFold * pixels.all <= half;
    return (rowFold, columnFold) => {
      if (columnFold > 0 && wholeStays) return 0;
      const [from, to] = range(rowFold, array.rows, window);
      return wholeStays || channelsStay
        ? pixels.all * freshChannels(from, to)
        : touched(from, to, pixels.all, positions);
    };
  }

  const rowsStay = wholeStays || channels * pixels.rowWindow(array.columns) <= half;
  const areas = Array.from({ length: columnFolds }, (_, fold) => {
    const [from, to] = range(fold, array.columns, positions);
    return rowsStay ? pixels.fresh(from, to) : pixels.tile(from, to);
  });
  return (rowFold, columnFold) => {
    const area = areas[columnFold];
    const [from, to] = range(rowFold, array.rows, window);
    if (rowsStay || channelsOfFold * area <= half) return area * freshChannels(from, to);
    const [first, end] = range(columnFold, array.columns, positions);
    return touched(from, to, area, end - first);
  };
}

function outputWords(
  product: Product,
  array: SystolicArray,
  groups: number,
  capacity: number,
): Pick<TileTraffic, 'partialSums' | 'outputs' | 'outputsAccumulate'> {
  const { steps, rowFolds, columnFolds } = product;
  const { rowsOf, columnsOf } = foldSizes(product, array);
  if (array.dataflow === 'output-stationary') {
    return {
      partialSums: () => 0,
      outputs: (rowFold, columnFold) => rowsOf(rowFold) * columnsOf(columnFold),
      outputsAccumulate: false,
    };
  }
  const sums = steps * columnsOf(0);
  const outputsAccumulate =
    sums <= capacity / 2 || (columnFolds === 1 && groups === 1 && sums <= capacity);
  return {
    partialSums: (rowFold, columnFold) =>
      rowFold === 0 || outputsAccumulate ? 0 : steps * columnsOf(columnFold),
    outputs: (rowFold, columnFold) =>
      outputsAccumulate && rowFold < rowFolds - 1 ? 0 : steps * columnsOf(columnFold),
    outputsAccumulate,
  };
}
