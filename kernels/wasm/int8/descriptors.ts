import type { Int8ConvolutionSpecification } from '../../backend.js';
import type { DepthwisePlaces, TransformPlaces, WorkspacePlaces } from '../memory.js';
import type { ConvolutionPlan } from '../plan.js';
import type { TransformPlan } from './plan.js';

/** Fields of `TransformDescriptor` in kernels/assembly/int8/transform.ts, in its order. */
export function transformDescriptor(
  plan: TransformPlan,
  { inputZeroPoint }: Int8ConvolutionSpecification,
  places: TransformPlaces,
  shared: WorkspacePlaces,
): number[] {
  const { input, output, pads } = plan.shape;
  return [
    input.height,
    input.width,
    input.channels,
    output.height,
    output.width,
    output.channels,
    plan.tilesY,
    plan.tilesX,
    pads[0],
    pads[1],
    inputZeroPoint,
    places.padding,
    shared.transformedInputs,
    plan.inputRow,
    plan.inputElement,
    shared.products,
    plan.productRow,
    plan.productElement,
    places.weights,
    plan.panelBytes,
    places.bias,
    places.storedWeights,
    places.weightZeroPoints,
    shared.tileScratch,
    plan.accumulatorRow,
  ];
}

/** Fields of `DepthwiseDescriptor` in kernels/assembly/int8/depthwise.ts, in its order. */
export function depthwiseDescriptor(
  { shape, rowStride }: ConvolutionPlan,
  { inputZeroPoint }: Int8ConvolutionSpecification,
  places: DepthwisePlaces,
): number[] {
  const { input, output, kernel, strides, pads, dilations } = shape;
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
    inputZeroPoint,
    rowStride * 4,
    places.padding,
    places.weights,
    places.bias,
    places.taps,
  ];
}
