import { WinogradDescriptor } from './float32-winograd';

/**
 * Transforms the 3×3 kernel of one output and one input channel from the packed weights into the
 * transformed ones: G·g·Gᵀ in float64, rounded once; see `transformKernel` in kernels/float32/winograd.ts.
 */
export function transformFloat32Kernel(d: WinogradDescriptor, output: i32, input: i32): void {
  const panel = (output >> 4) * d.inputChannels;
  const column = (<usize>(output & 15)) << 2;
  const source = d.packed + ((<usize>(panel * 9 + input)) << 6) + column;
  let target = d.weights + ((<usize>(panel + input)) << 6) + column;
  const tap = (<usize>d.inputChannels) << 6;
  const g00 = <f64>load<f32>(source);
  const g01 = <f64>load<f32>(source + tap);
  const g02 = <f64>load<f32>(source + 2 * tap);
  const g10 = <f64>load<f32>(source + 3 * tap);
  const g11 = <f64>load<f32>(source + 4 * tap);
  const g12 = <f64>load<f32>(source + 5 * tap);
  const g20 = <f64>load<f32>(source + 6 * tap);
  const g21 = <f64>load<f32>(source + 7 * tap);
  const g22 = <f64>load<f32>(source + 8 * tap);
  const outputs = d.tileOutputs;
  const size = outputs + 2;
  const plane = <usize>d.weightPlane;
  for (let i = 0; i < size; i++) {
    const h0 = scaledElement(outputs, i, g00, g10, g20);
    const h1 = scaledElement(outputs, i, g01, g11, g21);
    const h2 = scaledElement(outputs, i, g02, g12, g22);
    for (let j = 0; j < size; j++) {
      const product = scale(outputs, i) * scale(outputs, j);
      store<f32>(target, <f32>(scaledElement(outputs, j, h0, h1, h2) / product));
      target += plane;
    }
  }
}

/** Element `index` of G·g along one axis, times its scale. */
function scaledElement(outputs: i32, index: i32, g0: f64, g1: f64, g2: f64): f64 {
  if (index == 0) return g0;
  if (index == outputs + 1) return g2;
  if (outputs == 2) return index == 1 ? g0 + g1 + g2 : g0 - g1 + g2;
  if (index == 1) return -g0 - g1 - g2;
  if (index == 2) return -g0 + g1 - g2;
  return index == 3 ? g0 + 2 * g1 + 4 * g2 : g0 - 2 * g1 + 4 * g2;
}

function scale(outputs: i32, index: i32): f64 {
  if (index == outputs + 1) return 1;
  if (outputs == 2) return index == 0 ? 1 : 2;
  if (index == 0) return 4;
  return index < 3 ? 6 : 24;
}
