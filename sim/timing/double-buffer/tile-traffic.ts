import type { ConvolutionShape } from '../../../core/index.js';
import type { SystolicArray } from '../../hardware/systolic-array.js';
import type { Product } from '../product.js';
import { pixelsOf } from './pixels.js';

/** Words that each SRAM holds. */
export interface Capacities {
  readonly input: number;
  readonly weights: number;
  /** Partial sums, 32 bits each. */
  readonly output: number;
}

/**
 * What an SRAM keeps for later tiles: the whole operand of a group, the words of the current tile (and then the next
 * tile may take only what that leaves free), or nothing, so that a tile larger than a half passes through in halves.
 */
export type Kept = 'operand' | 'tile' | 'nothing';

/** The words of one operand that each tile fetches. */
export interface OperandTraffic {
  readonly kept: Kept;
  words(rowFold: number, columnFold: number): number;
}

/**
 * How partial sums of a column fold are held until its last row fold: in one half, while the other drains; in the whole
 * SRAM; or not at all, so that each row fold writes them to memory and the next reads them back.
 */
export type Accumulation = 'half' | 'whole' | 'memory';

export interface OutputTraffic {
  readonly accumulation: Accumulation;
  /** Partial sums that the tile reads back. */
  partialSums(rowFold: number, columnFold: number): number;
  /** Outputs, or partial sums, that leave after (or, where they do not fit a half, during) the tile. */
  outputs(rowFold: number, columnFold: number): number;
  /** Whether what leaves is final: otherwise it is partial sums. */
  isFinal(rowFold: number): boolean;
}

/** Words that each tile moves between the SRAMs and memory. */
export interface TileTraffic {
  readonly input: OperandTraffic;
  readonly weights: OperandTraffic;
  readonly output: OutputTraffic;
}

/**
 * The words that each tile moves. The rules, from an operand's use in the loop nest (column folds outer, row folds
 * inner):
 * - an operand of a group that fits its SRAM is fetched once (half of it where the next group must be prefetched);
 * - what consecutive tiles share is fetched once: the weights of an output-stationary column fold, if they fit the
 *   SRAM; where a half holds them, the input rows (or at least columns) from one tile of output positions to the next,
 *   and an input channel that two weight-stationary tiles share;
 * - everything else is fetched again for each tile that reads it;
 * - partial sums stay if the SRAM holds those of a column fold.
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
    input: inputTraffic(shape, product, array, capacities.input),
    weights: weightTraffic(product, array, shape.groups, capacities.weights),
    output: outputTraffic(product, array, capacities.output),
  };
}

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

function weightTraffic(
  product: Product,
  array: SystolicArray,
  groups: number,
  capacity: number,
): OperandTraffic {
  const { window, filters, rowFolds } = product;
  const { rowsOf, columnsOf } = foldSizes(product, array);
  const operandStays = window * filters <= lasting(groups, capacity);
  const otherwise = operandStays ? 'operand' : 'nothing';
  switch (array.dataflow) {
    case 'output-stationary': {
      const tileStays = rowFolds > 1 && window * columnsOf(0) <= capacity;
      return {
        kept: tileStays && !operandStays ? 'tile' : otherwise,
        words: (rowFold, columnFold) =>
          rowFold > 0 && (tileStays || operandStays) ? 0 : window * columnsOf(columnFold),
      };
    }
    case 'weight-stationary':
      return {
        kept: otherwise,
        words: (rowFold, columnFold) => rowsOf(rowFold) * columnsOf(columnFold),
      };
    case 'input-stationary':
      return {
        kept: otherwise,
        words: (rowFold, columnFold) =>
          columnFold > 0 && operandStays ? 0 : rowsOf(rowFold) * filters,
      };
  }
}

function inputTraffic(
  shape: ConvolutionShape,
  product: Product,
  array: SystolicArray,
  capacity: number,
): OperandTraffic {
  const { positions, window } = product;
  const taps = shape.kernel[0] * shape.kernel[1];
  const channels = window / taps;
  const pixels = pixelsOf(shape);
  const half = capacity / 2;
  const operandStays = channels * pixels.all <= lasting(shape.groups, capacity);
  const kept = operandStays ? 'operand' : 'nothing';
  const range = (fold: number, width: number, extent: number) =>
    [fold * width, Math.min((fold + 1) * width, extent)] as const;

  /** Pixels of a channel to fetch for the positions of each fold of so many. */
  const areasOf = (width: number) => {
    const rowsStay = operandStays || channels * pixels.rowWindow(width) <= half;
    return Array.from({ length: Math.ceil(positions / width) }, (_, fold) => {
      const [from, to] = range(fold, width, positions);
      if (rowsStay) return pixels.fresh(from, to);
      const columnsStay = channels * pixels.tile(from, to, false) <= half;
      return pixels.tile(from, to, columnsStay);
    });
  };

  if (array.dataflow === 'output-stationary') {
    const areas = areasOf(array.rows);
    return {
      kept,
      words: (rowFold, columnFold) =>
        columnFold > 0 && operandStays ? 0 : channels * areas[rowFold],
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
    const channelsStay = operandStays || channelsOfFold * pixels.all <= half;
    return {
      kept,
      words: (rowFold, columnFold) => {
        if (columnFold > 0 && operandStays) return 0;
        const [from, to] = range(rowFold, array.rows, window);
        return channelsStay
          ? pixels.all * freshChannels(from, to)
          : touched(from, to, pixels.all, positions);
      },
    };
  }

  const areas = areasOf(array.columns);
  return {
    kept,
    words: (rowFold, columnFold) => {
      const area = areas[columnFold];
      const [from, to] = range(rowFold, array.rows, window);
      if (operandStays || channelsOfFold * area <= half) return area * freshChannels(from, to);
      const [first, end] = range(columnFold, array.columns, positions);
      return touched(from, to, area, end - first);
    },
  };
}

function outputTraffic(product: Product, array: SystolicArray, capacity: number): OutputTraffic {
  const { steps, rowFolds } = product;
  const { rowsOf, columnsOf } = foldSizes(product, array);
  if (array.dataflow === 'output-stationary') {
    return {
      accumulation: 'memory',
      partialSums: () => 0,
      outputs: (rowFold, columnFold) => rowsOf(rowFold) * columnsOf(columnFold),
      isFinal: () => true,
    };
  }
  const sums = steps * columnsOf(0);
  const stays = rowFolds > 1 && sums <= capacity;
  return {
    accumulation: !stays ? 'memory' : sums <= capacity / 2 ? 'half' : 'whole',
    partialSums: (rowFold, columnFold) =>
      rowFold === 0 || stays ? 0 : steps * columnsOf(columnFold),
    outputs: (rowFold, columnFold) =>
      stays && rowFold < rowFolds - 1 ? 0 : steps * columnsOf(columnFold),
    isFinal: (rowFold) => rowFold === rowFolds - 1,
  };
}
