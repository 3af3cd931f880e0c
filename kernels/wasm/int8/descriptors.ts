import type { Int8ConvolutionSpecification } from '../../backend.js';
import type { Fields } from '../../layouts.js';
import { convolutionFields, mapFields } from '../descriptors.js';
import type { DepthwisePlaces, TransformPlaces, WorkspacePlaces } from '../memory.js';
import type { ConvolutionPlan } from '../plan.js';
import type { TransformPlan } from './plan.js';

/** @param shared places of what all convolutions take turns in */
export function transformFields(
  plan: TransformPlan,
  { inputZeroPoint }: Int8ConvolutionSpecification,
  places: TransformPlaces,
  shared: WorkspacePlaces,
): Fields<'TransformDescriptor'> {
  const { input, output, pads } = plan.shape;
  return {
    ...mapFields(plan.shape),
    inputChannels: input.channels,
    outputChannels: output.channels,
    tilesY: plan.tilesY,
    tilesX: plan.tilesX,
    padTop: pads[0],
    padLeft: pads[1],
    inputZeroPoint,
    padding: places.padding,
    inputs: shared.transformedInputs,
    inputRow: plan.inputRow,
    inputElement: plan.inputElement,
    products: shared.products,
    productRow: plan.productRow,
    productElement: plan.productElement,
    weights: places.weights,
    panelBytes: plan.panelBytes,
    bias: places.bias,
    storedWeights: places.storedWeights,
    weightZeroPoints: places.weightZeroPoints,
    scratch: shared.tileScratch,
    accumulatorRow: plan.accumulatorRow,
  };
}

export function depthwiseFields(
  { shape, rowStride }: ConvolutionPlan,
  { inputZeroPoint }: Int8ConvolutionSpecification,
  { padding, weights, bias, taps }: DepthwisePlaces,
): Fields<'DepthwiseDescriptor'> {
  return {
    ...convolutionFields(shape),
    channels: shape.input.channels,
    zeroPoint: inputZeroPoint,
    rowStride: rowStride * 4,
    padding,
    weights,
    bias,
    taps,
  };
}
