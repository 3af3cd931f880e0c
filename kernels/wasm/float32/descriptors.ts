import type { ConvolutionShape } from '../../../core/index.js';
import type { Fields } from '../../layouts.js';
import { convolutionFields, mapFields } from '../descriptors.js';
import type {
  FastPlaces,
  Float32Layout,
  Float32Places,
  GroupsPlaces,
  WinogradLayout,
} from './memory.js';

/** Without a clip. */
export function float32FinishFields(
  { output }: ConvolutionShape,
  relu: boolean,
  thresholds: number,
): Fields<'Float32FinishDescriptor'> {
  return {
    channels: output.channels,
    clip: 0,
    thresholds,
    relu: relu ? 1 : 0,
    thresholdStride: 0,
    positions: output.height * output.width,
  };
}

/** Of one convolution, its places in memory and those that all share. */
export function winogradFields(
  { plan }: Float32Layout,
  layout: WinogradLayout,
  { weights, bias }: Float32Places,
  { shared, transformedWeights }: FastPlaces,
): Fields<'WinogradDescriptor'> {
  const { input, output, pads } = plan.shape;
  return {
    ...mapFields(plan.shape),
    inputChannels: input.channels,
    outputChannels: output.channels,
    padTop: pads[0],
    padLeft: pads[1],
    tileOutputs: layout.outputs,
    tileRows: layout.rows,
    tileColumns: layout.columns,
    inputPlane: layout.inputPlane,
    outputPlane: layout.outputPlane,
    weightPlane: layout.weightPlane,
    weights: transformedWeights,
    packed: weights,
    bias,
    zeros: shared.zeros,
    scratch: shared.scratch,
  };
}

/** Of a convolution whose groups are computed side by side. */
export function groupsFields(
  { plan, direct }: Float32Layout,
  { weights, bias }: Float32Places,
  { padding, firstInputs, taps }: GroupsPlaces,
): Fields<'Float32GroupsDescriptor'> {
  const { shape } = plan;
  return {
    ...convolutionFields(shape),
    inputChannels: shape.input.channels,
    outputChannels: shape.output.channels,
    groups: shape.groups,
    weights,
    bias,
    sumBytes: direct.rowStride * 4,
    padding,
    firstInputs,
    taps,
  };
}
