import type { ConvolutionShape } from '../../../core/index.js';
import type { ClipFields } from '../descriptors.js';
import type { FastPlaces, Float32Layout, Float32Places, WinogradLayout } from './memory.js';

// Each function lists 32-bit fields in the order of the class of the same name in kernels/assembly.

/** Indices of the fields of `Float32FinishDescriptor` that depend on the clip. */
export const FLOAT32_CLIP_FIELDS: ClipFields = { clip: 1, thresholdStride: 4 };

/** Fields of `Float32FinishDescriptor`, without a clip. */
export function finishDescriptor(
  { output }: ConvolutionShape,
  relu: boolean,
  thresholds: number,
): number[] {
  return [output.channels, 0, thresholds, relu ? 1 : 0, 0, output.height * output.width];
}

/** Fields of `ProductDescriptor`: bytes between rows of A, between panels of B and between rows of C. */
export function productDescriptor(product: {
  readonly rowBytes: number;
  readonly panelBytes: number;
  readonly panels: number;
  readonly sumBytes: number;
}): number[] {
  return [product.rowBytes, product.panelBytes, product.panels, product.sumBytes];
}

/** Fields of `WinogradDescriptor`. */
export function winogradDescriptor(
  { plan }: Float32Layout,
  layout: WinogradLayout,
  { weights, bias }: Float32Places,
  { shared, transformedWeights }: FastPlaces,
): number[] {
  const { input, output, pads } = plan.shape;
  return [
    input.height,
    input.width,
    input.channels,
    output.height,
    output.width,
    output.channels,
    pads[0],
    pads[1],
    layout.outputs,
    layout.rows,
    layout.columns,
    layout.inputPlane,
    layout.outputPlane,
    layout.weightPlane,
    transformedWeights,
    weights,
    bias,
    shared.zeros,
    shared.scratch,
  ];
}
