import { type ConvolutionShape, featureCount, windowSize } from '../../../core/index.js';
import {
  convolutionGroup,
  type FaultySumsSpecification,
  type SumGroup,
  type SumPart,
} from '../../faulty-sums.js';
import { layoutBytes } from '../../layouts.js';
import type { Allocate } from '../module.js';
import { BLOCK_BYTES, PANEL_COLUMNS, roundUp } from '../plan.js';
import { planSums, type SumProgram } from './program.js';

/** Channels of a narrow block of packed weights. */
export const QUAD_COLUMNS = 4;

/** Bytes of the images of which windows are gathered together: with the weights of a layer they fit most level-3 caches. */
const INPUT_BYTES = 4 * 1024 * 1024;

const MAX_BLOCK_ROWS = 256;
const WORD_BYTES = 4;

/** Bytes that vector loads and stores may reach past the end of a pixel, of windows or of sums. */
const EXCESS_BYTES = 64;

/** How the channels of a part are packed: blocks of 16, and what is left in blocks of 4 where these are fewer lanes. */
export interface Columns {
  readonly panels: number;
  readonly quads: number;
}

/** A part in the memory of the kernels. */
export interface PlacedPart {
  readonly part: SumPart;
  /** Number in its group of parts. */
  readonly number: number;
  readonly program: SumProgram;
  readonly columns: Columns;
  readonly convolutionGroup: number;
  readonly masks: number;
  readonly bias: number;
  /** Descriptors one behind the other. */
  readonly runs: number;
  readonly stretches: number;
  readonly weights: number;
  /** Whether another part with the same weights has packed them. */
  readonly isPacked: boolean;
}

export interface PlacedGroup {
  readonly group: SumGroup;
  /** Whether the windows of all groups of the convolution are gathered together, one behind the other. */
  readonly isWhole: boolean;
  /** From the windows of one output position to those of the next. */
  readonly windowBytes: number;
  readonly positions: number;
  /** Most output positions whose windows are gathered together. */
  readonly blockRows: number;
  /** By group of the convolution, so that windows are gathered once for all parts of one. */
  readonly parts: readonly PlacedPart[];
}

/** A specification in the memory of the kernels. */
export interface PlacedSums {
  readonly specification: FaultySumsSpecification;
  /** Whether a window is gathered channel by channel, as int8 products are added, not pixel by pixel. */
  readonly byChannel: boolean;
  readonly descriptor: number;
  /** The same for all groups of the convolution together. */
  readonly wholeDescriptor: number;
  /** An address for each tap of a window, and a pixel of zero points, where windows are gathered channel by channel. */
  readonly taps: number;
  readonly padding: number;
  /** Of one window. */
  readonly windowBytes: number;
  readonly imageBytes: number;
  /** Most images whose windows are gathered together. */
  readonly blockImages: number;
  readonly groups: readonly PlacedGroup[];
}

/** Bytes that all specifications use in turn. */
export interface SharedBytes {
  readonly images: number;
  readonly staging: number;
  readonly windows: number;
  readonly sums: number;
  readonly results: number;
}

/** Plans a specification, and reserves what it alone uses. */
export function placeSums(specification: FaultySumsSpecification, allocate: Allocate): PlacedSums {
  const { format, shape } = specification;
  const isInt8 = format === 'int8';
  const taps = shape.kernel[0] * shape.kernel[1];
  const byChannel = isInt8 && taps > 1;
  const elementBytes = isInt8 ? 2 : 4;
  const windowBytes = roundUp(windowSize(shape) * elementBytes, WORD_BYTES);
  const imageBytes = featureCount(shape.input) * (isInt8 ? 1 : 4);
  const packed = new Map<SumPart['weights'], { layout: Int32Array; weights: number }[]>();

  function placePart(part: SumPart, number: number): PlacedPart {
    const program = planSums(format, part.steps, windowSize(shape));
    const columns = columnsOf(part.channels.length);
    const lanes = laneCount(columns);
    const { stretches } = program;
    const words = stretches.reduce((total, stretch) => total + stretch.words, 0);
    const runs = stretches.reduce((total, stretch) => total + stretch.runs.length, 0);
    const copies = packed.get(part.weights) ?? [];
    packed.set(part.weights, copies);
    const copy = copies.find(({ layout }) => isEqual(layout, program.layout));
    const weights = copy?.weights ?? allocate(words * lanes * WORD_BYTES);
    if (!copy) copies.push({ layout: program.layout, weights });
    return {
      part,
      number,
      program,
      columns,
      convolutionGroup: convolutionGroup(shape, part),
      masks: allocate(program.masks.byteLength),
      bias: allocate(lanes * WORD_BYTES),
      runs: allocate(runs * layoutBytes('SumRun')),
      stretches: allocate(stretches.length * layoutBytes('SumStretch')),
      weights,
      isPacked: copy !== undefined,
    };
  }

  return {
    specification,
    byChannel,
    descriptor: allocate(layoutBytes('GatherDescriptor')),
    wholeDescriptor: allocate(layoutBytes('GatherDescriptor')),
    taps: allocate(taps * WORD_BYTES),
    padding: allocate(shape.input.channels + EXCESS_BYTES),
    windowBytes,
    imageBytes,
    blockImages: Math.max(1, Math.floor(INPUT_BYTES / imageBytes)),
    groups: specification.groups.map((group) => {
      const mostChannels = group.parts.reduce(
        (most, { channels }) => Math.max(most, channels.length),
        0,
      );
      const isWhole = byChannel && coversGroups(shape, group);
      const gatheredBytes = isWhole ? wholeWindowBytes(shape) : windowBytes;
      const rowBytes = Math.max(gatheredBytes, roundUp(mostChannels, PANEL_COLUMNS) * WORD_BYTES);
      return {
        group,
        isWhole,
        windowBytes: gatheredBytes,
        positions: allocate(group.positions.byteLength),
        blockRows: Math.min(Math.max(1, Math.floor(BLOCK_BYTES / rowBytes)), MAX_BLOCK_ROWS),
        parts: group.parts
          .map(placePart)
          .filter(({ part }) => part.channels.length > 0)
          .sort((a, b) => a.convolutionGroup - b.convolutionGroup),
      };
    }),
  };
}

/** Of int16 windows of all groups of the convolution. */
export function wholeWindowBytes(shape: ConvolutionShape): number {
  return roundUp(windowSize(shape) * shape.groups * 2, WORD_BYTES);
}

/**
 * Whether parts lie in enough groups of the convolution to gather the windows of all. With a filter for each of 96
 * channels a run so takes 10 ns an output, not 31.
 */
function coversGroups(shape: ConvolutionShape, { parts }: SumGroup): boolean {
  const used = new Set(parts.map((part) => convolutionGroup(shape, part)));
  return shape.groups > 1 && 4 * used.size >= shape.groups;
}

/** Bytes that a specification uses while it is packed and while it runs. */
export function sharedBytes(placed: PlacedSums): SharedBytes {
  const { imageBytes, blockImages, groups } = placed;
  let [windows, sums, results] = [0, 0, 0];
  for (const { blockRows, windowBytes, parts } of groups) {
    windows = Math.max(windows, blockRows * windowBytes);
    for (const { part, columns } of parts) {
      sums = Math.max(sums, blockRows * laneCount(columns) * WORD_BYTES);
      results = Math.max(results, blockRows * part.channels.length * WORD_BYTES);
    }
  }
  return {
    images: blockImages * imageBytes + EXCESS_BYTES,
    staging: PANEL_COLUMNS * placed.windowBytes,
    windows: windows + EXCESS_BYTES,
    sums,
    results: results + EXCESS_BYTES,
  };
}

/** Channels of all blocks, those that are padding included. */
export function laneCount({ panels, quads }: Columns): number {
  return panels * PANEL_COLUMNS + quads * QUAD_COLUMNS;
}

function columnsOf(channels: number): Columns {
  const panels = Math.floor(channels / PANEL_COLUMNS);
  const quads = Math.ceil((channels % PANEL_COLUMNS) / QUAD_COLUMNS);
  // A whole block is as fast as three narrow ones.
  const isWide = quads * QUAD_COLUMNS > PANEL_COLUMNS - QUAD_COLUMNS;
  return isWide ? { panels: panels + 1, quads: 0 } : { panels, quads };
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
