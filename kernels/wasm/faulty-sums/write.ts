import { windowSize } from '../../../core/index.js';
import { type Fields, fieldNames, layoutBytes } from '../../layouts.js';
import { convolutionFields } from '../descriptors.js';
import type { KernelFunctions } from '../module.js';
import { PANEL_COLUMNS } from '../plan.js';
import { writeDescriptor } from '../workspace.js';
import {
  laneCount,
  type PlacedGroup,
  type PlacedPart,
  type PlacedSums,
  QUAD_COLUMNS,
  wholeWindowBytes,
} from './places.js';
import { RUN_KINDS, type Run } from './program.js';

/** Addresses of what all specifications use in turn. */
export interface SharedPlaces {
  readonly images: number;
  readonly staging: number;
  readonly windows: number;
  readonly sums: number;
  readonly results: number;
}

const WORD_BYTES = 4;

/** Writes what the kernels read of a specification: descriptors, positions, biases, masks and packed weights. */
export function writeSums(
  buffer: ArrayBuffer,
  functions: KernelFunctions,
  placed: PlacedSums,
  shared: SharedPlaces,
): void {
  const { specification, descriptor, wholeDescriptor, padding, windowBytes, groups } = placed;
  const { shape, inputZeroPoint } = specification;
  const gatherFields: Fields<'GatherDescriptor'> = {
    ...convolutionFields(shape),
    inputChannels: shape.input.channels,
    groupChannels: shape.input.channels / shape.groups,
    zeroPoint: inputZeroPoint,
    rowStride: windowBytes,
  };
  writeDescriptor({ buffer }, descriptor, 'GatherDescriptor', gatherFields);
  writeDescriptor({ buffer }, wholeDescriptor, 'GatherDescriptor', {
    ...gatherFields,
    groupChannels: shape.input.channels,
    rowStride: wholeWindowBytes(shape),
  });
  new Uint8Array(buffer, padding, shape.input.channels).fill(inputZeroPoint);
  for (const placedGroup of groups) {
    const { group, positions, parts } = placedGroup;
    new Uint32Array(buffer, positions, group.positions.length).set(group.positions);
    for (const part of parts) {
      writePart(buffer, placed, placedGroup, part, shared);
      if (!part.isPacked) packPart(buffer, functions, placed, part, shared.staging);
    }
  }
}

function writePart(
  buffer: ArrayBuffer,
  { specification }: PlacedSums,
  { isWhole, windowBytes }: PlacedGroup,
  { part, program, columns, convolutionGroup, masks, bias, runs, stretches, weights }: PlacedPart,
  shared: SharedPlaces,
): void {
  const { format } = specification;
  new Int32Array(buffer, masks, program.masks.length).set(program.masks);
  const List = format === 'int8' ? Int32Array : Float32Array;
  const numbers = new List(buffer, bias, laneCount(columns)).fill(0);
  for (const [lane, channel] of part.channels.entries())
    numbers[lane] = specification.bias[channel];
  const elementBytes = format === 'int8' ? 2 : 4;
  const window = isWhole ? convolutionGroup * windowSize(specification.shape) : 0;
  const runFields = fieldNames('SumRun').length;
  const runBytes = layoutBytes('SumRun');
  let nextRun = runs;
  let nextWeights = weights;
  for (const [number, { first, words, runs: ownRuns, dense }] of program.stretches.entries()) {
    const end = nextRun + ownRuns.length * runBytes;
    const address = stretches + number * layoutBytes('SumStretch');
    writeDescriptor({ buffer }, address, 'SumStretch', {
      windows: shared.windows + (window + first) * elementBytes,
      windowBytes,
      words,
      weights: nextWeights,
      panels: columns.panels,
      quads: columns.quads,
      bias: number === 0 ? bias : 0,
      sums: shared.sums,
      runs: nextRun,
      runsEnd: end,
      dense: dense ? 1 : 0,
    });
    const view = new Int32Array(buffer, nextRun, ownRuns.length * runFields);
    for (const [place, run] of ownRuns.entries()) {
      writeRun(view, place * runFields, run, masks, format === 'int8' ? 2 : 1);
    }
    nextRun = end;
    nextWeights += words * laneCount(columns) * WORD_BYTES;
  }
}

const RUN_FIELDS = fieldNames('SumRun');

function writeRun(view: Int32Array, first: number, run: Run, masks: number, depth: number): void {
  const { kind, words, products } = run;
  const isOdd = kind === 'plain' && products < words * depth;
  const fields: Fields<'SumRun'> = {
    kind: RUN_KINDS[kind],
    words,
    excess: isOdd ? 2 : 0,
    masks: masks + run.masks * WORD_BYTES,
    maskBytes: run.maskStride * WORD_BYTES,
  };
  for (const [index, name] of RUN_FIELDS.entries()) view[first + index] = fields[name];
}

/** Copies the weights of one block of channels after the other to where the kernels pack them. */
function packPart(
  buffer: ArrayBuffer,
  functions: KernelFunctions,
  { specification, windowBytes }: PlacedSums,
  { part, program, columns, stretches, weights }: PlacedPart,
  staging: number,
): void {
  const isInt8 = specification.format === 'int8';
  const pack = isInt8 ? functions.packFaultySumsInt16 : functions.packFaultySumsFloat32;
  const window = windowSize(specification.shape);
  const elementBytes = isInt8 ? 2 : 4;
  const stride = windowBytes / elementBytes;
  const Values = isInt8 ? Int16Array : Float32Array;
  const rows = new Values(buffer, staging, PANEL_COLUMNS * stride);
  const lanes = laneCount(columns);
  for (let lane = 0; lane < lanes; ) {
    const width = lane < columns.panels * PANEL_COLUMNS ? PANEL_COLUMNS : QUAD_COLUMNS;
    for (let row = 0; row < width; row++) {
      const first = row * stride;
      if (lane + row < part.channels.length) {
        const source = (lane + row) * window;
        rows.set(part.weights.subarray(source, source + window), first);
      } else rows.fill(0, first, first + window);
    }
    let stretchWeights = weights;
    for (const [number, { first, words }] of program.stretches.entries()) {
      pack(
        stretches + number * layoutBytes('SumStretch'),
        staging + first * elementBytes,
        windowBytes,
        width,
        stretchWeights + lane * words * WORD_BYTES,
      );
      stretchWeights += lanes * words * WORD_BYTES;
    }
    lane += width;
  }
}
