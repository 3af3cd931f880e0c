import { type ConvolutionShape, featureCount, type PoolingShape } from '../../core/index.js';
import type { ClipMode, Float32Clip, Int8Clip, Int8ConvolutionSpecification } from '../backend.js';
import { type ConvolutionPlan, PANEL_COLUMNS } from './plan.js';

// Each function lists 32-bit fields in the order of the class of the same name in kernels/assembly.

/** Fields of `GatherDescriptor`. */
export function gatherDescriptor(plan: ConvolutionPlan, zeroPoint: number): number[] {
  const { input, output, kernel, strides, pads, dilations, groups } = plan.shape;
  return [
    input.height,
    input.width,
    input.channels,
    output.height,
    output.width,
    ...kernel,
    ...strides,
    pads[0],
    pads[1],
    ...dilations,
    input.channels / groups,
    zeroPoint,
    plan.paddedWindow * plan.elementBytes,
  ];
}

/** Values of the field `clip` of the finish descriptors; 0 is no clip. */
const CLIP_CODES: Readonly<Record<ClipMode, number>> = { 'clip-zero': 1, clamp: 2 };

const THRESHOLD_BYTES = 4;

/** Where a finish descriptor has the fields that depend on the clip. */
export interface ClipFields {
  readonly clip: number;
  readonly thresholdStride: number;
}

/** Of `Int8FinishDescriptor`. */
export const INT8_CLIP_FIELDS: ClipFields = { clip: 2, thresholdStride: 8 };

/** Writes the mode of a clip, whose thresholds are in place, and how they lie. */
export function writeClip(
  fields: Int32Array,
  { clip: mode, thresholdStride }: ClipFields,
  clip: Int8Clip | Float32Clip | undefined,
  { output }: ConvolutionShape,
): void {
  fields[mode] = clip ? CLIP_CODES[clip.mode] : 0;
  const isPerChannel = !clip || clip.thresholds.length === output.channels;
  fields[thresholdStride] = isPerChannel ? 0 : output.channels * THRESHOLD_BYTES;
}

/** Bytes of the thresholds of all neurons; kernels read whole groups of 16. */
export function thresholdBytes({ output }: ConvolutionShape): number {
  return (featureCount(output) + PANEL_COLUMNS) * THRESHOLD_BYTES;
}

/**
 * Fields of `Int8FinishDescriptor`, without a clip.
 * @param rowStride accumulators from one output position to the next
 */
export function int8FinishDescriptor(
  rowStride: number,
  { shape, outputZeroPoint, low, high }: Int8ConvolutionSpecification,
  thresholds: number,
  multipliers: number,
): number[] {
  const { channels, height, width } = shape.output;
  return [
    channels,
    rowStride * 4,
    0,
    thresholds,
    multipliers,
    outputZeroPoint,
    low,
    high,
    0,
    height * width,
  ];
}

/** Fields of `PoolingDescriptor`. */
export function poolingDescriptor({
  input,
  output,
  kernel,
  strides,
  pads,
}: PoolingShape): number[] {
  return [
    input.channels,
    input.height,
    input.width,
    output.height,
    output.width,
    ...kernel,
    ...strides,
    pads[0],
    pads[1],
  ];
}
