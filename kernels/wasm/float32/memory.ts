import type { ConvolutionShape } from '../../../core/index.js';
import {
  type Float32Plan,
  planFloat32Convolution,
  type WinogradTiles,
  winogradTiles,
} from '../../float32/plan.js';
import { layoutBytes } from '../../layouts.js';
import { thresholdBytes } from '../descriptors.js';
import type { Allocate } from '../module.js';
import { type ConvolutionPlan, PANEL_COLUMNS, planConvolution, roundUp } from '../plan.js';

/** Bytes of the transformed inputs of a block of tiles at most, and of their products. */
const TRANSFORM_BLOCK_BYTES = 4 * 2 ** 20;

/**
 * What the transformed inputs of a block of tiles aim at. Each block reads all transformed weights again,
 * from beyond the level-2 cache in wide layers: 128 tiles a block were 6 % faster over VGG-16 than 32.
 */
const TILE_BLOCK_BYTES = 2 ** 21;
const FEWEST_TILES = 128;
const MOST_TILES = 256;

/** One line of the largest tile: 6 pixels of 2,048 channels. */
const ZERO_BYTES = 6 * 2048 * 4;

/** A tile of 6×6 values of four channels. */
const SCRATCH_BYTES = 6 * 6 * 16;

/**
 * Groups of fewer output channels are computed side by side: a panel of their own would be mostly empty. Where four
 * lanes read different inputs, loading these costs as much as a panel of which a quarter is used.
 */
const FEWEST_PANEL_CHANNELS = { fours: PANEL_COLUMNS, others: PANEL_COLUMNS / 4 } as const;

const FLOAT32_BYTES = 4;
const CACHE_LINE = 64;

/** How a float32 convolution lies in memory. */
export interface Float32Layout {
  readonly plan: Float32Plan;
  /**
   * The direct copy of the weights, which every convolution has. Side by side, as if there were one group: the weights
   * of all output channels follow each other in the same panels.
   */
  readonly direct: ConvolutionPlan;
  /** Whether lanes are output channels of several groups, or of a filter for each channel. */
  readonly sideBySide: boolean;
  readonly winograd: WinogradLayout | undefined;
}

export interface WinogradLayout extends WinogradTiles {
  /** Tiles transformed and multiplied together; a matter of speed only. */
  readonly tileBlock: number;
  /** Bytes from one element of a tile to the next; an odd number of cache lines spreads them over the sets. */
  readonly inputPlane: number;
  readonly outputPlane: number;
  readonly weightPlane: number;
}

/** @throws ModelError when one output position exceeds the blocks */
export function layoutFloat32Convolution(shape: Float32Plan['shape']): Float32Layout {
  const plan = planFloat32Convolution(shape);
  const tiles = winogradTiles(plan);
  const groupInputs = shape.input.channels / shape.groups;
  const groupOutputs = shape.output.channels / shape.groups;
  const fewest = groupOutputs % 4 === 0 ? 'fours' : 'others';
  const sideBySide = shape.groups > 1 && groupOutputs < FEWEST_PANEL_CHANNELS[fewest];
  const oneGroup = { ...shape, input: { ...shape.input, channels: groupInputs }, groups: 1 };
  return {
    plan,
    direct: planConvolution(sideBySide ? oneGroup : shape, 'float32'),
    sideBySide,
    winograd: tiles && layoutWinograd(plan, tiles),
  };
}

function layoutWinograd({ shape }: Float32Plan, tiles: WinogradTiles): WinogradLayout {
  const inputs = shape.input.channels * FLOAT32_BYTES;
  const outputs = shape.output.channels * FLOAT32_BYTES;
  const tileBytes = Math.max(inputs, outputs) * tiles.elements;
  const fitting = Math.floor((TRANSFORM_BLOCK_BYTES - tiles.elements * 2 * CACHE_LINE) / tileBytes);
  const wanted = Math.max(Math.floor(TILE_BLOCK_BYTES / tileBytes), FEWEST_TILES);
  const tileBlock = Math.min(fitting, wanted, MOST_TILES);
  return {
    ...tiles,
    tileBlock,
    inputPlane: oddLines(tileBlock * inputs),
    outputPlane: oddLines(tileBlock * outputs),
    weightPlane: inputs * shape.output.channels,
  };
}

function oddLines(bytes: number): number {
  const lines = Math.ceil(bytes / CACHE_LINE);
  return (lines + 1 - (lines % 2)) * CACHE_LINE;
}

/** Addresses of what the convolutions that are not `direct` share. */
export interface SharedFloat32Places {
  readonly inputs: number;
  readonly products: number;
  readonly zeros: number;
  readonly scratch: number;
  /** Numbers and biases of up to 16 channels. */
  readonly channelList: number;
  readonly channelBias: number;
}

/** Addresses of what belongs to one float32 convolution. */
export interface Float32Places {
  readonly gatherDescriptor: number;
  readonly finishDescriptor: number;
  /** A finish descriptor without clip and ReLU. */
  readonly sumDescriptor: number;
  readonly directProduct: number;
  /** The direct copy of the weights. */
  readonly weights: number;
  /** A vector of as many values as a row of sums. */
  readonly bias: number;
  /** Room for one a neuron. */
  readonly thresholds: number;
  /** Undefined for a `direct` convolution. */
  readonly fast: FastPlaces | undefined;
  /** Undefined unless groups are computed side by side. */
  readonly groups: GroupsPlaces | undefined;
}

/** Addresses of what a convolution has whose groups are computed side by side. */
export interface GroupsPlaces {
  readonly descriptor: number;
  /** A pixel of zeros. */
  readonly padding: number;
  readonly firstInputs: number;
  readonly taps: number;
}

export interface FastPlaces {
  readonly shared: SharedFloat32Places;
  readonly product: number;
  readonly channelProduct: number;
  readonly winogradDescriptor: number;
  readonly transformedWeights: number;
}

/** Places float32 convolutions; the first that is not `direct` also places what such ones share. */
export function float32Placer(allocate: Allocate): (layout: Float32Layout) => Float32Places {
  let shared: SharedFloat32Places | undefined;
  return ({ plan, direct, sideBySide, winograd }) => {
    const vectorBytes = direct.rowStride * FLOAT32_BYTES;
    const places = {
      gatherDescriptor: allocate(layoutBytes('GatherDescriptor')),
      finishDescriptor: allocate(layoutBytes('Float32FinishDescriptor')),
      sumDescriptor: allocate(layoutBytes('Float32FinishDescriptor')),
      directProduct: allocate(layoutBytes('ProductDescriptor')),
      weights: allocate(direct.packedWeights * FLOAT32_BYTES),
      bias: allocate(vectorBytes),
      thresholds: allocate(thresholdBytes(direct.shape)),
      groups: sideBySide ? placeGroups(plan.shape, allocate) : undefined,
    };
    if (plan.algorithm === 'direct') return { ...places, fast: undefined };
    shared ??= placeShared(allocate);
    const transformedBytes = winograd ? winograd.elements * winograd.weightPlane : 0;
    return {
      ...places,
      fast: {
        shared,
        product: allocate(layoutBytes('ProductDescriptor')),
        channelProduct: allocate(layoutBytes('ProductDescriptor')),
        winogradDescriptor: allocate(layoutBytes('WinogradDescriptor')),
        transformedWeights: allocate(transformedBytes),
      },
    };
  };
}

function placeGroups(
  { input, output, kernel }: ConvolutionShape,
  allocate: Allocate,
): GroupsPlaces {
  return {
    descriptor: allocate(layoutBytes('Float32GroupsDescriptor')),
    padding: allocate(roundUp(input.channels, PANEL_COLUMNS) * FLOAT32_BYTES),
    firstInputs: allocate(roundUp(output.channels, PANEL_COLUMNS) * 4),
    taps: allocate(kernel[0] * kernel[1] * 4),
  };
}

function placeShared(allocate: Allocate): SharedFloat32Places {
  return {
    inputs: allocate(TRANSFORM_BLOCK_BYTES),
    products: allocate(TRANSFORM_BLOCK_BYTES),
    zeros: allocate(ZERO_BYTES),
    scratch: allocate(SCRATCH_BYTES),
    channelList: allocate(PANEL_COLUMNS * 4),
    channelBias: allocate(PANEL_COLUMNS * FLOAT32_BYTES),
  };
}
