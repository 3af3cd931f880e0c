import { type ConvolutionShape, featureCount, type PoolingShape } from '../../core/index.js';
import type { ClipMode, Float32Clip, Int8Clip, Int8ConvolutionSpecification } from '../backend.js';
import { type Fields, fieldIndices } from '../layouts.js';
import { type ConvolutionPlan, type KernelFormat, PANEL_COLUMNS } from './plan.js';

/** Heights and widths of what a convolution takes and makes. */
export function mapFields({ input, output }: ConvolutionShape) {
  return {
    inputHeight: input.height,
    inputWidth: input.width,
    outputHeight: output.height,
    outputWidth: output.width,
  };
}

/** Maps and window of a convolution. */
export function convolutionFields(shape: ConvolutionShape) {
  const { kernel, strides, pads, dilations } = shape;
  return {
    ...mapFields(shape),
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideY: strides[0],
    strideX: strides[1],
    padTop: pads[0],
    padLeft: pads[1],
    dilationY: dilations[0],
    dilationX: dilations[1],
  };
}

/** @param zeroPoint what padding holds */
export function gatherFields(
  { shape, groupInputs, paddedWindow, elementBytes }: ConvolutionPlan,
  zeroPoint: number,
): Fields<'GatherDescriptor'> {
  return {
    ...convolutionFields(shape),
    inputChannels: shape.input.channels,
    groupChannels: groupInputs,
    zeroPoint,
    rowStride: paddedWindow * elementBytes,
  };
}

/** Values of the field `clip` of the finish descriptors; 0 is no clip. */
export const CLIP_CODES: Readonly<Record<ClipMode, number>> = { 'clip-zero': 1, clamp: 2 };

const THRESHOLD_BYTES = 4;

/** Where a finish descriptor has the fields that depend on the clip. */
type ClipFields = Pick<
  Fields<'Int8FinishDescriptor' | 'Float32FinishDescriptor'>,
  'clip' | 'thresholdStride'
>;

const FINISH_FIELDS = {
  int8: fieldIndices('Int8FinishDescriptor'),
  float32: fieldIndices('Float32FinishDescriptor'),
};

/** Writes the mode of a clip, whose thresholds are in place, and how they lie. */
export function writeClip(
  fields: Int32Array,
  format: KernelFormat,
  clip: Int8Clip | Float32Clip | undefined,
  { output }: ConvolutionShape,
): void {
  const { clip: mode, thresholdStride }: ClipFields = FINISH_FIELDS[format];
  fields[mode] = clip ? CLIP_CODES[clip.mode] : 0;
  const isPerChannel = !clip || clip.thresholds.length === output.channels;
  fields[thresholdStride] = isPerChannel ? 0 : output.channels * THRESHOLD_BYTES;
}

/** Bytes of the thresholds of all neurons; kernels read whole groups of 16. */
export function thresholdBytes({ output }: ConvolutionShape): number {
  return (featureCount(output) + PANEL_COLUMNS) * THRESHOLD_BYTES;
}

/**
 * Without a clip.
 * @param rowStride accumulators from one output position to the next
 */
export function int8FinishFields(
  rowStride: number,
  { shape, outputZeroPoint, low, high }: Int8ConvolutionSpecification,
  thresholds: number,
  multipliers: number,
): Fields<'Int8FinishDescriptor'> {
  const { channels, height, width } = shape.output;
  return {
    channels,
    rowStride: rowStride * 4,
    clip: 0,
    thresholds,
    multipliers,
    zeroPoint: outputZeroPoint,
    low,
    high,
    thresholdStride: 0,
    positions: height * width,
  };
}

/** Written for each run, so field by field: spread objects take 17 µs in Node 20, and this 0.1 µs. */
export function poolingFields({
  input,
  output,
  kernel,
  strides,
  pads,
}: PoolingShape): Fields<'PoolingDescriptor'> {
  return {
    channels: input.channels,
    inputHeight: input.height,
    inputWidth: input.width,
    outputHeight: output.height,
    outputWidth: output.width,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideY: strides[0],
    strideX: strides[1],
    padTop: pads[0],
    padLeft: pads[1],
  };
}
