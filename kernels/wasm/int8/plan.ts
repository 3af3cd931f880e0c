import type { ConvolutionShape } from '../../../core/index.js';
import { BLOCK_BYTES, PANEL_COLUMNS, roundUp } from '../plan.js';

/**
 * How an int8 convolution is computed. `winograd-4x4`: F(4×4, 3×3) in integers modulo 2^32.
 * `toeplitz-2x2`: a padded 3×3 convolution of 2×2 maps by 9 products. `depthwise`: a filter for each channel, channels side by side.
 * `fully-connected`: one output position, weights packed in one byte each. `direct`: gathered windows times packed weights.
 */
export type Int8Algorithm =
  | 'winograd-4x4'
  | 'toeplitz-2x2'
  | 'depthwise'
  | 'fully-connected'
  | 'direct';

/** Bytes of the shared block of transformed inputs, and of the block of products. */
export const INPUT_BYTES = 2.5 * 2 ** 20;
export const PRODUCT_BYTES = 1.25 * 2 ** 20;

/** Output channels whose Winograd proof may fail before the whole layer runs directly. */
export const SIDE_CHANNELS = PANEL_COLUMNS;

const CACHE_LINE = 64;

/** Half of a level-2 cache of 1 MiB: what the products of one block take at most. */
const PRODUCT_BLOCK_BYTES = 640 * 1024;

/** A changed kernel, whose stores are scattered, costs as much as 13 to 35 transformed in order (88 to 350, and 7 to 10 ns). */
const REBUILD_FRACTION = 16;

/** Images and tiles are joined into blocks of at most this many tiles. */
const MAX_BLOCK_TILES = 64;

/** Below this many channels transforms cost more than the products they save. */
const LEAST_CHANNELS = 16;

/**
 * A convolution by transformed tiles: for each of `elements` positions of a transformed tile one matrix
 * product, rows tiles, columns output channels, k input channels. Lengths are in bytes unless they say
 * otherwise.
 */
export interface TransformPlan {
  readonly algorithm: 'winograd-4x4' | 'toeplitz-2x2';
  readonly shape: ConvolutionShape;
  /** Height and width of a tile of outputs. */
  readonly side: 2 | 4;
  /** Products of a pair of channels in a tile. */
  readonly elements: 9 | 36;
  readonly tilesY: number;
  readonly tilesX: number;
  /** Panels of 16 output channels. */
  readonly panels: number;
  /** One element of one panel of transformed weights. */
  readonly panelBytes: number;
  readonly weightBytes: number;
  /** From tile to tile, and from element to element, of transformed inputs and of products. */
  readonly inputRow: number;
  readonly inputElement: number;
  readonly productRow: number;
  readonly productElement: number;
  /** From one output position to the next. */
  readonly accumulatorRow: number;
  /** Tiles and panels computed together. */
  readonly blockTiles: number;
  readonly blockPanels: number;
  /** Tiles computed together when all their accumulators are kept. */
  readonly keptTiles: number;
  /** Changed 3×3 kernels above which all of them are transformed anew. */
  readonly mostChanged: number;
}

export type Int8Plan =
  | TransformPlan
  | { readonly algorithm: Exclude<Int8Algorithm, TransformPlan['algorithm']> };

/** The algorithm for a convolution and its tiles: a function of the shape alone. */
export function planInt8Convolution(shape: ConvolutionShape): Int8Plan {
  const algorithm = chooseAlgorithm(shape);
  if (algorithm === 'winograd-4x4' || algorithm === 'toeplitz-2x2') {
    return planTransform(shape, algorithm);
  }
  return { algorithm };
}

function chooseAlgorithm(shape: ConvolutionShape): Int8Algorithm {
  const { input, output, kernel, strides, dilations, groups, pads } = shape;
  const { channels, height, width } = output;
  if (groups > 1 && groups === input.channels && groups === channels) return 'depthwise';
  if (groups === 1 && height === 1 && width === 1) return 'fully-connected';
  const isPlain3x3 =
    groups === 1 &&
    [...kernel].every((size) => size === 3) &&
    [...strides, ...dilations].every((step) => step === 1);
  if (!isPlain3x3 || Math.min(input.channels, channels) < LEAST_CHANNELS) return 'direct';
  // One kept tile of accumulators and one transformed tile must fit their blocks.
  if (Math.max(input.channels, channels) > 4096) return 'direct';
  if (
    height === 2 &&
    width === 2 &&
    input.height === 2 &&
    input.width === 2 &&
    pads[0] === 1 &&
    pads[1] === 1
  ) {
    return 'toeplitz-2x2';
  }
  const products = 36 * Math.ceil(height / 4) * Math.ceil(width / 4);
  return products * 1.25 <= 9 * height * width ? 'winograd-4x4' : 'direct';
}

function planTransform(
  shape: ConvolutionShape,
  algorithm: TransformPlan['algorithm'],
): TransformPlan {
  const { input, output } = shape;
  const side = algorithm === 'winograd-4x4' ? 4 : 2;
  const elements = algorithm === 'winograd-4x4' ? 36 : 9;
  const panels = Math.ceil(output.channels / PANEL_COLUMNS);
  const panelBytes = Math.ceil(input.channels / 2) * PANEL_COLUMNS * 4;
  const inputRow = roundUp(input.channels, 8) * 2;
  const blockTiles = Math.min(
    MAX_BLOCK_TILES,
    Math.floor((INPUT_BYTES / elements - 2 * CACHE_LINE) / inputRow),
  );
  const columnBytes = elements * blockTiles * PANEL_COLUMNS * 4;
  const blockPanels = Math.min(panels, Math.max(1, Math.floor(PRODUCT_BLOCK_BYTES / columnBytes)));
  const productRow = blockPanels * PANEL_COLUMNS * 4;
  const accumulatorRow = (panels + 1) * PANEL_COLUMNS * 4;
  return {
    algorithm,
    shape,
    side,
    elements,
    tilesY: Math.ceil(output.height / side),
    tilesX: Math.ceil(output.width / side),
    panels,
    panelBytes,
    weightBytes: panels * elements * panelBytes,
    inputRow,
    inputElement: oddLines(blockTiles * inputRow),
    productRow,
    productElement: oddLines(blockTiles * productRow),
    accumulatorRow,
    blockTiles,
    blockPanels,
    keptTiles: Math.min(blockTiles, Math.floor(BLOCK_BYTES / (side * side * accumulatorRow))),
    mostChanged: Math.ceil((input.channels * output.channels) / REBUILD_FRACTION),
  };
}

/** An odd number of cache lines: the elements of a tile then lie in different sets of the caches. */
function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / CACHE_LINE);
  return (lines % 2 === 0 ? lines + 1 : lines) * CACHE_LINE;
}
