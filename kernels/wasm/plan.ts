import { type ConvolutionShape, ModelError, windowSize } from '../../core/index.js';

/** The arithmetic of a convolution kernel. */
export type KernelFormat = 'int8' | 'float32';

/** Output channels of one packed panel: four vectors of four 32-bit accumulators. */
export const PANEL_COLUMNS = 16;

/** Bytes of the block of gathered windows, and of the block of accumulators: each fits a level-2 cache. */
export const BLOCK_BYTES = 512 * 1024;

const MAX_BLOCK_ROWS = 256;

/** Bytes of a panel multiplied by one call: half of a level-1 cache of 32 KiB. */
const TILE_BYTES = 16 * 1024;

const ACCUMULATOR_BYTES = 4;

/**
 * How a convolution becomes matrix products, one per group: rows are output positions, columns output
 * channels, k the taps of the window in the order ky, kx, input channel. Weights are packed into panels
 * [⌈k / depth⌉][16 columns][depth]; a group whose channels are not a multiple of 16 ends in a panel with
 * columns of zeros.
 */
export interface ConvolutionPlan {
  readonly shape: ConvolutionShape;
  readonly format: KernelFormat;
  /** Bytes of a gathered activation and of a packed weight: int16 or float32. */
  readonly elementBytes: number;
  /** Neighbouring k that one 32-bit lane multiplies: 2 int16 or 1 float32. */
  readonly depth: number;
  /** Values along k, padded to a multiple of `depth`. */
  readonly paddedWindow: number;
  /** Values along k of one tile. */
  readonly tileWindow: number;
  /** Output channels of a group. */
  readonly groupOutputs: number;
  readonly panelsPerGroup: number;
  /** Accumulators from one output position to the next; those beyond the channels are undefined. */
  readonly rowStride: number;
  /** Most output positions of a block. */
  readonly blockRows: number;
  /** Number of packed weights, zeros included. */
  readonly packedWeights: number;
}

/** @throws ModelError when one output position exceeds the blocks */
export function planConvolution(shape: ConvolutionShape, format: KernelFormat): ConvolutionPlan {
  const elementBytes = format === 'int8' ? 2 : 4;
  const depth = format === 'int8' ? 2 : 1;
  const paddedWindow = roundUp(windowSize(shape), depth);
  const groupOutputs = shape.output.channels / shape.groups;
  const panelsPerGroup = Math.ceil(groupOutputs / PANEL_COLUMNS);
  // The last panel of a group spills into the columns of the next group, which is multiplied later.
  const rowStride = roundUp(
    (shape.groups - 1) * groupOutputs + panelsPerGroup * PANEL_COLUMNS,
    PANEL_COLUMNS,
  );
  const rowBytes = Math.max(paddedWindow * elementBytes, rowStride * ACCUMULATOR_BYTES);
  if (rowBytes > BLOCK_BYTES) {
    throw new ModelError(
      `A convolution with a window of ${windowSize(shape)} values and ${shape.output.channels} output channels needs ${rowBytes} bytes per output position; at most ${BLOCK_BYTES} are supported.`,
    );
  }
  return {
    shape,
    format,
    elementBytes,
    depth,
    paddedWindow,
    tileWindow: TILE_BYTES / (PANEL_COLUMNS * elementBytes),
    groupOutputs,
    panelsPerGroup,
    rowStride,
    blockRows: Math.min(Math.floor(BLOCK_BYTES / rowBytes), MAX_BLOCK_ROWS),
    packedWeights: shape.groups * panelsPerGroup * PANEL_COLUMNS * paddedWindow,
  };
}

/** Index into the packed weights of the weight with this index in network order. */
export function packedIndex(plan: ConvolutionPlan, index: number): number {
  const { shape, groupOutputs, panelsPerGroup, paddedWindow, depth } = plan;
  const taps = shape.kernel[0] * shape.kernel[1];
  const groupInputs = shape.input.channels / shape.groups;
  const tap = index % taps;
  const filterChannel = (index - tap) / taps;
  const input = filterChannel % groupInputs;
  const output = (filterChannel - input) / groupInputs;
  const k = tap * groupInputs + input;
  const column = output % groupOutputs;
  const group = (output - column) / groupOutputs;
  const panel = group * panelsPerGroup + Math.floor(column / PANEL_COLUMNS);
  const row = panel * (paddedWindow / depth) + Math.floor(k / depth);
  return (row * PANEL_COLUMNS + (column % PANEL_COLUMNS)) * depth + (k % depth);
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
