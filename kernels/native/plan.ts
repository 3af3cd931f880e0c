import { type ConvolutionShape, ModelError, windowSize } from '../../core/index.js';
import { firstInput, groupsTogether, PANEL_COLUMNS, roundUp } from '../wasm/plan.js';
import type { TileSizes } from './library.js';

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

/** Bytes of the blocks of F(4×4, 3×3): inputs, weights and products of tiles. Kept weights take half of a level-2 cache. */
export const TRANSFORMED_INPUT_BYTES = 2.75 * 2 ** 20;
export const TRANSFORMED_WEIGHT_BYTES = 640 * 1024;
export const TRANSFORMED_PRODUCT_BYTES = 672 * 1024;

const TRANSFORMED_ELEMENTS = 36;
const TRANSFORMED_OUTPUTS = 4;
const TRANSFORMED_VALUE_BYTES = 2;

/** Output channels whose tiles are computed together. */
const GROUP_CHANNELS = 4 * PANEL_COLUMNS;

/** Tiles of a block: few where weights are kept in the level-2 cache, many where they are transformed anew for each. */
const FEW_TILES = 24;
const MANY_TILES = 72;

/** Tiles of the products of one element. */
const TILE_ROWS = 6;

/**
 * Input channels of a block: the weights of a group of output channels then leave room for products in a level-2 cache.
 * Its vectors are whole.
 */
const BLOCK_CHANNELS = 64;

const MOST_TRANSFORMED_CHANNELS = 4096;

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
  /** Most output positions of a block that keeps the accumulators of all channels. */
  readonly blockRows: number;
  /** Most output positions of a block that keeps those of the panels of a tile. */
  readonly panelRows: number;
  /** Bytes of the packed weights. */
  readonly weightBytes: number;
  /** Undefined where a window has little padding. */
  readonly unpadded: UnpaddedPlan | undefined;
  /** Undefined where it cannot be computed by F(4×4, 3×3), or never takes less time so. */
  readonly transform: Int8NativeTransform | undefined;
}

/** How taps of padding are left out, and when: where padding is zero, and rows of products are images. */
export interface UnpaddedPlan {
  /** From so many images on. */
  readonly images: number;
  /** Most images of a block. */
  readonly block: number;
}

/** How the same weights are used by F(4×4, 3×3) in integers modulo 2^32 (docs/kernels.md), and when. */
export interface Int8NativeTransform {
  /** From so many images on. */
  readonly images: number;
  /** Most tiles of a block. */
  readonly blockTiles: number;
  /** Most input channels of a block. */
  readonly blockChannels: number;
  /** Whether there is a place for all transformed weights, so that a run transforms them once. */
  readonly keepsWeights: boolean;
}

/**
 * A function of the shape and the instruction set.
 *
 * @throws ModelError when one output position exceeds the blocks
 */
export function planInt8Native(shape: ConvolutionShape, sizes: TileSizes): Int8NativePlan {
  const { tilePanels, tileSteps, dotProducts, transforms } = sizes;
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
  const unpadded = planUnpadded(shape, sizes);
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
    panelRows: Math.min(Math.floor(BLOCK_BYTES / windowStride), MOST_BLOCK_ROWS),
    unpadded,
    transform: transforms ? planTransform(shape, unpadded) : undefined,
    weightBytes: isDepthwise
      ? output.channels * kernel[0] * kernel[1]
      : groups * panelsPerGroup * PANEL_COLUMNS * steps * STEP_TAPS,
  };
}

/** Most of the taps of a window that are worth leaving padding out: rows of images cost some time. */
const MOST_TAPS_INSIDE = 0.85;

function planUnpadded(
  shape: ConvolutionShape,
  { tileRows, tilePanels, tileSteps }: TileSizes,
): UnpaddedPlan | undefined {
  const { input, output, groups } = shape;
  if (groups !== 1 || input.channels % (STEP_TAPS * tileSteps) !== 0) return undefined;
  if (tapsInside(shape) > MOST_TAPS_INSIDE) return undefined;
  const images = 2 * tileRows;
  const positionBytes =
    output.height * output.width * tilePanels * PANEL_COLUMNS * ACCUMULATOR_BYTES;
  const block = Math.floor(BLOCK_BYTES / 2 / positionBytes / tileRows) * tileRows;
  return block >= images ? { images, block } : undefined;
}

/** The part of all taps of all windows that meets inputs. */
function tapsInside({ input, output, kernel, strides, pads, dilations }: ConvolutionShape): number {
  const alongAxis = (axis: 0 | 1, outputs: number, inputs: number): number => {
    let inside = 0;
    for (let place = 0; place < outputs; place++) {
      for (let tap = 0; tap < kernel[axis]; tap++) {
        const at = place * strides[axis] - pads[axis] + tap * dilations[axis];
        if (at >= 0 && at < inputs) inside++;
      }
    }
    return inside / (outputs * kernel[axis]);
  };
  return alongAxis(0, output.height, input.height) * alongAxis(1, output.width, input.width);
}

/**
 * Cycles of a pair of an input and an output channel, measured on one core with AVX-512 VNNI: of an output position
 * directly, of a tile's products, of its inputs for one output channel, of its outputs for one input channel, and of
 * transforming a kernel.
 */
const CYCLES = { position: 9 / 100, products: 36 / 52, inputs: 5, outputs: 11, kernel: 8 };

function planTransform(
  shape: ConvolutionShape,
  unpadded: UnpaddedPlan | undefined,
): Int8NativeTransform | undefined {
  const { input, output, kernel, strides, dilations, groups } = shape;
  if (
    groups !== 1 ||
    kernel.some((size) => size !== 3) ||
    [...strides, ...dilations].some((step) => step !== 1) ||
    [input.channels, output.channels].some(
      (channels) => channels % PANEL_COLUMNS !== 0 || channels > MOST_TRANSFORMED_CHANNELS,
    )
  ) {
    return undefined;
  }
  const tiles =
    Math.ceil(output.height / TRANSFORMED_OUTPUTS) * Math.ceil(output.width / TRANSFORMED_OUTPUTS);
  const windows = output.height * output.width * CYCLES.position;
  const perTile =
    CYCLES.products + CYCLES.inputs / output.channels + CYCLES.outputs / input.channels;
  /** Images above which the transforms of weights cost less than they gain over this many cycles an image. */
  const imagesFrom = (cycles: number): number =>
    cycles > tiles * perTile
      ? CYCLES.kernel / (cycles - tiles * perTile)
      : Number.POSITIVE_INFINITY;
  const overWindows = imagesFrom(windows);
  const images =
    unpadded && overWindows >= unpadded.images
      ? imagesFrom(windows * tapsInside(shape))
      : overWindows;
  if (images === Number.POSITIVE_INFINITY) return undefined;
  const places =
    Math.ceil(output.channels / GROUP_CHANNELS) * Math.ceil(input.channels / BLOCK_CHANNELS);
  const keepsWeights = places * blockBytes(GROUP_CHANNELS) <= TRANSFORMED_WEIGHT_BYTES;
  const mostTiles = keepsWeights ? FEW_TILES : MANY_TILES;
  const blocks = Math.ceil(input.channels / BLOCK_CHANNELS);
  const tilesThatFit = Math.floor(TRANSFORMED_INPUT_BYTES / blocks / blockBytes(TILE_ROWS));
  return {
    images: Math.ceil(images),
    blockTiles: Math.min(mostTiles, tilesThatFit * TILE_ROWS),
    blockChannels: BLOCK_CHANNELS,
    keepsWeights,
  };
}

/** Bytes of all elements of a block of input channels, of so many tiles or output channels. */
function blockBytes(count: number): number {
  return TRANSFORMED_ELEMENTS * oddLines(count * BLOCK_CHANNELS * TRANSFORMED_VALUE_BYTES);
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
