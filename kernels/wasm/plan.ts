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

/** Widest window of groups that are multiplied as one. */
const MOST_MERGED_WINDOW = 4096;

/** Time of a tap of a gathered window, and of each of its values, in multiply-accumulates; measured. */
const GATHER_COST = { tap: 96, value: 2 } as const;

/**
 * How a convolution becomes matrix products, one per group: rows are output positions, columns output
 * channels, k the taps of the window in the order ky, kx, input channel. Weights are packed into panels
 * [⌈k / depth⌉][16 columns][depth]; a group whose output channels are not a multiple of 16 ends in a panel with
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
  /** Groups of the products: those of the shape, or fewer where neighbours are multiplied as one. */
  readonly groups: number;
  /** Groups of the shape that are multiplied as one, their weights for each other's inputs zero. */
  readonly mergedGroups: number;
  /** Input and output channels of a group of the products. */
  readonly groupInputs: number;
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
  // Of float32 a zero weight times an infinite input would be NaN.
  const mergedGroups = format === 'int8' ? groupsTogether(shape, GATHER_COST) : 1;
  const groups = shape.groups / mergedGroups;
  const paddedWindow = roundUp(windowSize(shape) * mergedGroups, depth);
  const groupOutputs = shape.output.channels / groups;
  const panelsPerGroup = Math.ceil(groupOutputs / PANEL_COLUMNS);
  // The last panel of a group spills into the columns of the next group, which is multiplied later.
  const rowStride = roundUp(
    (groups - 1) * groupOutputs + panelsPerGroup * PANEL_COLUMNS,
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
    groups,
    mergedGroups,
    groupInputs: shape.input.channels / groups,
    groupOutputs,
    panelsPerGroup,
    rowStride,
    blockRows: Math.min(Math.floor(BLOCK_BYTES / rowBytes), MAX_BLOCK_ROWS),
    packedWeights: groups * panelsPerGroup * PANEL_COLUMNS * paddedWindow,
  };
}

/**
 * How many neighbouring groups to multiply as one: few output channels fill a panel only together, and inputs that lie
 * side by side are gathered in fewer pieces. A divisor of the groups; more of them cost products with zeros.
 *
 * @param gather time of a tap of a gathered window, and of each of its values, in multiply-accumulates
 */
export function groupsTogether(
  shape: ConvolutionShape,
  gather: { readonly tap: number; readonly value: number },
): number {
  const { output, kernel, groups } = shape;
  const taps = kernel[0] * kernel[1];
  let best = 1;
  let leastCost = Infinity;
  for (let merged = 1; merged <= groups; merged++) {
    const window = windowSize(shape) * merged;
    if (merged > 1 && window > MOST_MERGED_WINDOW) break;
    if (groups % merged !== 0) continue;
    const columns = roundUp((output.channels / groups) * merged, PANEL_COLUMNS);
    const cost = (columns * window + gather.tap * taps + gather.value * window) / merged;
    if (cost < leastCost) {
      leastCost = cost;
      best = merged;
    }
  }
  return best;
}

/** Index into the packed weights of the weight with this index in network order. */
export function packedIndex(plan: ConvolutionPlan, index: number): number {
  const { shape, depth } = plan;
  const window = windowSize(shape);
  const taps = shape.kernel[0] * shape.kernel[1];
  const output = Math.floor(index / window);
  const place = index - output * window;
  const input = Math.floor(place / taps);
  const k = (place - input * taps) * plan.groupInputs + firstInput(plan, output) + input;
  return packedColumn(plan, output) + Math.floor(k / depth) * PANEL_COLUMNS * depth + (k % depth);
}

/** Index into the packed weights of the column of an output channel: where its k = 0 lies. */
export function packedColumn(plan: ConvolutionPlan, output: number): number {
  const { groupOutputs, panelsPerGroup, paddedWindow, depth } = plan;
  const column = output % groupOutputs;
  const group = (output - column) / groupOutputs;
  const panel = group * panelsPerGroup + Math.floor(column / PANEL_COLUMNS);
  return panel * paddedWindow * PANEL_COLUMNS + (column % PANEL_COLUMNS) * depth;
}

/** The first input channel that an output channel reads, among those of its group of the products. */
export function firstInput(
  { shape, mergedGroups }: Pick<ConvolutionPlan, 'shape' | 'mergedGroups'>,
  output: number,
): number {
  const group = Math.floor((output * shape.groups) / shape.output.channels);
  return (group % mergedGroups) * (shape.input.channels / shape.groups);
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
