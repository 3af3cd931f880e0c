import type { ConvolutionShape } from '../../../core/index.js';
import type { SystolicArray } from '../../hardware/systolic-array.js';
import type { Product } from '../product.js';
import { type FetchMatrix, placeOf } from './fetch-matrix.js';

/** Folds of `used` columns each (fewer in the last), `steps` rows a fold. */
interface Folding {
  readonly extent: number;
  readonly width: number;
  readonly steps: number;
  readonly order: FetchMatrix['order'];
}

function folded({ extent, width, steps, order }: Folding) {
  const folds = Math.ceil(extent / width);
  const lastFoldColumns = extent - (folds - 1) * width;
  return {
    rows: folds * steps,
    columns: width,
    order,
    foldRows: steps,
    lastFoldColumns,
    /** Whether the entry lies beyond the columns that the last fold uses. */
    isUnused: (row: number, column: number) =>
      column >= lastFoldColumns && row >= (folds - 1) * steps,
  };
}

/** How one group's weights are fetched; each has one place. */
export function weightMatrix(product: Product, array: SystolicArray): FetchMatrix {
  const { isUnused, ...matrix } = folded(weightFolding(product, array));
  return { ...matrix, regular: true, isBlank: isUnused };
}

function weightFolding({ window, filters }: Product, { rows, columns, dataflow }: SystolicArray) {
  const ofFilters = { extent: filters, width: columns, steps: window };
  switch (dataflow) {
    case 'output-stationary':
      return { ...ofFilters, order: 'diagonal' } as const;
    case 'weight-stationary':
      return { ...ofFilters, order: 'row-major' } as const;
    case 'input-stationary':
      return { extent: window, width: rows, steps: filters, order: 'diagonal' } as const;
  }
}

/**
 * How one group's inputs are fetched: the M × K matrix of the pixel under each window position for each output
 * position, so most pixels have several places. Padding counts as pixels; what windows reach beyond it is blank.
 * SCALE-Sim's window positions are in the order ky, kx, channel.
 */
export function inputMatrix(
  shape: ConvolutionShape,
  product: Product,
  array: SystolicArray,
): FetchMatrix {
  const { isUnused, ...matrix } = folded(inputFolding(product, array));
  const positionsAreColumns = array.dataflow !== 'weight-stationary';
  const { columns, foldRows } = matrix;
  const channels = shape.input.channels / shape.groups;
  const [kernelHeight, kernelWidth] = shape.kernel;
  const [strideY, strideX] = shape.strides;
  const [dilationY, dilationX] = shape.dilations;
  const { height: outputHeight, width: outputWidth } = shape.output;
  const height = shape.input.height + shape.pads[0] + shape.pads[2];
  const width = shape.input.width + shape.pads[1] + shape.pads[3];

  const decode = (row: number, column: number) => {
    const fold = Math.floor(row / foldRows);
    const across = fold * columns + column;
    const along = row - fold * foldRows;
    const [position, window] = positionsAreColumns ? [across, along] : [along, across];
    const tap = Math.floor(window / channels);
    return {
      channel: window - tap * channels,
      y: Math.floor(position / outputWidth) * strideY + Math.floor(tap / kernelWidth) * dilationY,
      x: (position % outputWidth) * strideX + (tap % kernelWidth) * dilationX,
    };
  };
  const place = (position: number, window: number) => {
    const [across, along] = positionsAreColumns ? [position, window] : [window, position];
    const fold = Math.floor(across / columns);
    return placeOf(matrixWithBlanks, fold * foldRows + along, across - fold * columns);
  };
  const occursElsewhere = (row: number, column: number, holds: (place: number) => boolean) => {
    const { channel, y, x } = decode(row, column);
    for (let ky = 0; ky < kernelHeight; ky++) {
      const outputY = (y - ky * dilationY) / strideY;
      if (outputY < 0 || outputY >= outputHeight || !Number.isInteger(outputY)) continue;
      for (let kx = 0; kx < kernelWidth; kx++) {
        const outputX = (x - kx * dilationX) / strideX;
        if (outputX < 0 || outputX >= outputWidth || !Number.isInteger(outputX)) continue;
        const window = (ky * kernelWidth + kx) * channels + channel;
        if (holds(place(outputY * outputWidth + outputX, window))) return true;
      }
    }
    return false;
  };
  const reachesBeyond =
    (outputHeight - 1) * strideY + (kernelHeight - 1) * dilationY >= height ||
    (outputWidth - 1) * strideX + (kernelWidth - 1) * dilationX >= width;
  const isBlank = reachesBeyond
    ? (row: number, column: number) => {
        if (isUnused(row, column)) return true;
        const { y, x } = decode(row, column);
        return y >= height || x >= width;
      }
    : isUnused;
  const matrixWithBlanks: FetchMatrix = {
    ...matrix,
    regular: !reachesBeyond,
    isBlank,
    ...(kernelHeight * kernelWidth > 1 && { occursElsewhere }),
  };
  return matrixWithBlanks;
}

function inputFolding({ window, positions }: Product, { rows, columns, dataflow }: SystolicArray) {
  switch (dataflow) {
    case 'output-stationary':
      return { extent: positions, width: rows, steps: window, order: 'diagonal' } as const;
    case 'weight-stationary':
      return { extent: window, width: rows, steps: positions, order: 'diagonal' } as const;
    case 'input-stationary':
      return { extent: positions, width: columns, steps: window, order: 'row-major' } as const;
  }
}
