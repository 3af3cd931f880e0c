import type { PoolingShape } from '../../core/index.js';
import type { ClipMode, Int8ConvolutionSpecification } from '../backend.js';
import type { ConvolutionPlan } from './plan.js';

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
export const CLIP_CODES: Readonly<Record<ClipMode, number>> = { 'clip-zero': 1, clamp: 2 };

/** Index of the field `clip` of the finish descriptors. */
export const CLIP_FIELD = 2;

/** Fields of `Int8FinishDescriptor`, without a clip. */
export function int8FinishDescriptor(
  plan: ConvolutionPlan,
  { outputZeroPoint, low, high }: Int8ConvolutionSpecification,
  thresholds: number,
  multipliers: number,
): number[] {
  const { channels } = plan.shape.output;
  return [channels, plan.rowStride * 4, 0, thresholds, multipliers, outputZeroPoint, low, high];
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
