import { type ConvolutionShape, ModelError, windowSize } from '../../core/index.js';
import { firstInput, groupsTogether, PANEL_COLUMNS, roundUp } from '../wasm/plan.js';
import type { NativeInstructionSet } from './library.js';

/** Bytes of the block of gathered windows, and of the block of accumulators: half of a level-2 cache of 1 MiB each. */
export const BLOCK_BYTES = 512 * 1024;

/** Taps that one 32-bit lane multiplies. */
export const STEP_TAPS = 4;

const MOST_BLOCK_ROWS = 256;

/** Weights of a tile that leave room for its rows in a level-1 cache of 32 KiB. */
const TILE_BYTES = 24 * 1024;

/** Time of a tap of a gathered window, and of each of its values, in multiply-accumulates; measured. */
const GATHER_COST = { tap: 192, value: 2 } as const;
const GATHER_COST_OF_DOT_PRODUCTS = { tap: 1536, value: 4 } as const;

const ACCUMULATOR_BYTES = 4;
const CACHE_LINE = 64;

/**
 * How an int8 convolution becomes matrix products in C, one per group: rows are output positions, columns output channels,
 * k the taps of the window in the order ky, kx, input channel. Weights stay int8, packed into panels
 * [step][16 channels][4 taps].
 */
export interface Int8NativePlan {
  readonly shape: ConvolutionShape;
  readonly algorithm: 'direct' | 'depthwise';
  /** Taps of a window, four a step. */
  readonly steps: number;
  readonly blockSteps: number;
  /** Groups of the products: those of the shape, or fewer where neighbours are multiplied as one. */
  readonly groups: number;
  readonly mergedGroups: number;
  readonly panelsPerGroup: number;
  readonly groupOutputs: number;
  /** Bytes from one gathered window to the next. */
  readonly windowStride: number;
  /** Accumulators from one output position to the next; those beyond the channels are undefined. */
  readonly rowStride: number;
  /** Most output positions of a block. */
  readonly blockRows: number;
  /** Bytes of the packed weights. */
  readonly weightBytes: number;
}

/**
 * A function of the shape and the instruction set.
 *
 * @throws ModelError when one output position exceeds the blocks
 */
export function planInt8Native(
  shape: ConvolutionShape,
  { tilePanels, tileSteps, dotProducts }: Omit<NativeInstructionSet, 'name' | 'supported'>,
): Int8NativePlan {
  const { input, output, kernel } = shape;
  const isDepthwise =
    shape.groups > 1 && shape.groups === input.channels && shape.groups === output.channels;
  const mergedGroups = isDepthwise
    ? 1
    : groupsTogether(shape, dotProducts ? GATHER_COST_OF_DOT_PRODUCTS : GATHER_COST);
  const groups = shape.groups / mergedGroups;
  const groupOutputs = output.channels / groups;
  const panelsPerGroup = Math.ceil(groupOutputs / PANEL_COLUMNS);
  const steps = roundUp(Math.ceil((windowSize(shape) * mergedGroups) / STEP_TAPS), tileSteps);
  const stepBytes = tilePanels * PANEL_COLUMNS * STEP_TAPS;
  const windowStride = oddLines(steps * STEP_TAPS);
  // The last panel of a group spills into the columns of the next group, which is multiplied later.
  const rowStride = isDepthwise
    ? roundUp(output.channels, PANEL_COLUMNS)
    : roundUp((groups - 1) * groupOutputs + panelsPerGroup * PANEL_COLUMNS, PANEL_COLUMNS);
  const rowBytes = Math.max(isDepthwise ? 0 : windowStride, rowStride * ACCUMULATOR_BYTES);
  if (rowBytes > BLOCK_BYTES) {
    throw new ModelError(
      `A convolution with a window of ${windowSize(shape)} values and ${output.channels} output channels needs ${rowBytes} bytes per output position; at most ${BLOCK_BYTES} are supported.`,
    );
  }
  return {
    shape,
    algorithm: isDepthwise ? 'depthwise' : 'direct',
    steps,
    blockSteps: Math.floor(TILE_BYTES / stepBytes / tileSteps) * tileSteps,
    groups,
    mergedGroups,
    panelsPerGroup,
    groupOutputs,
    windowStride,
    rowStride,
    blockRows: Math.min(Math.floor(BLOCK_BYTES / rowBytes), MOST_BLOCK_ROWS),
    weightBytes: isDepthwise
      ? output.channels * kernel[0] * kernel[1]
      : groups * panelsPerGroup * PANEL_COLUMNS * steps * STEP_TAPS,
  };
}

/** An odd number of cache lines: neighbouring windows then lie in different sets of the caches. */
function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / CACHE_LINE);
  return (lines % 2 === 0 ? lines + 1 : lines) * CACHE_LINE;
}

/** Where the packed weights have those of each output channel, and the taps of a channel among them. */
export interface PackedPlaces {
  /** Place of a channel's first tap. */
  readonly first: (channel: number) => number;
  /** The first input channel that a channel reads, among those of its group of the products. */
  readonly firstInput: (channel: number) => number;
  /** What a tap (ky, kx, input channel of the group of the products) adds to the place of a channel. */
  readonly offset: (tap: number, input: number) => number;
}

export function packedPlaces(plan: Int8NativePlan): PackedPlaces {
  const { shape, algorithm, steps, panelsPerGroup, groupOutputs } = plan;
  if (algorithm === 'depthwise') {
    const { channels } = shape.output;
    return {
      first: (channel) => channel,
      firstInput: () => 0,
      offset: (tap) => tap * channels,
    };
  }
  const groupInputs = shape.input.channels / plan.groups;
  return {
    first(channel) {
      const column = channel % groupOutputs;
      const group = (channel - column) / groupOutputs;
      const panel = group * panelsPerGroup + Math.floor(column / PANEL_COLUMNS);
      return (panel * steps * PANEL_COLUMNS + (column % PANEL_COLUMNS)) * STEP_TAPS;
    },
    firstInput: (channel) => firstInput(plan, channel),
    offset(tap, input) {
      const k = tap * groupInputs + input;
      return (k >>> 2) * (PANEL_COLUMNS * STEP_TAPS) + (k & 3);
    },
  };
}
