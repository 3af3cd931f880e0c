import { WinogradDescriptor } from './float32-winograd';

/** Address of weight (ky, kx) = (0, 0) of a kernel in the packed panels. */
function packedKernel(d: WinogradDescriptor, output: i32, input: i32): usize {
  const panel = (output >> 4) * 9 * d.inputChannels + input;
  return d.packed + ((<usize>panel) << 6) + ((<usize>(output & 15)) << 2);
}

function transformedKernel(d: WinogradDescriptor, output: i32, input: i32): usize {
  const row = (output >> 4) * d.inputChannels + input;
  return d.weights + ((<usize>row) << 6) + ((<usize>(output & 15)) << 2);
}

/** One element of G·g along an axis, times its scale, in float64; `element` counts 0…5. */
function element4x4(element: i32, g0: f64, g1: f64, g2: f64): f64 {
  if (element == 0) return g0;
  if (element == 1) return -g0 - g1 - g2;
  if (element == 2) return -g0 + g1 - g2;
  if (element == 3) return g0 + 2 * g1 + 4 * g2;
  if (element == 4) return g0 - 2 * g1 + 4 * g2;
  return g2;
}

function element2x2(element: i32, g0: f64, g1: f64, g2: f64): f64 {
  if (element == 0) return g0;
  if (element == 1) return g0 + g1 + g2;
  if (element == 2) return g0 - g1 + g2;
  return g2;
}

function scale4x4(element: i32): f64 {
  if (element == 0) return 4;
  if (element == 5) return 1;
  return element < 3 ? 6 : 24;
}

function scale2x2(element: i32): f64 {
  return element == 0 || element == 3 ? 1 : 2;
}

/** Transforms one kernel for F(4×4,3×3): in float64, rounded once; see `transformKernel`. */
export function transformFloat32Kernel4x4(d: WinogradDescriptor, output: i32, input: i32): void {
  const tap = (<usize>d.inputChannels) << 6;
  const line: usize = tap * 3;
  const source = packedKernel(d, output, input);
  let target = transformedKernel(d, output, input);
  const plane = <usize>d.weightPlane;
  const g00 = <f64>load<f32>(source);
  const g01 = <f64>load<f32>(source + tap);
  const g02 = <f64>load<f32>(source + 2 * tap);
  const g10 = <f64>load<f32>(source + line);
  const g11 = <f64>load<f32>(source + line + tap);
  const g12 = <f64>load<f32>(source + line + 2 * tap);
  const g20 = <f64>load<f32>(source + 2 * line);
  const g21 = <f64>load<f32>(source + 2 * line + tap);
  const g22 = <f64>load<f32>(source + 2 * line + 2 * tap);
  for (let i = 0; i < 6; i++) {
    const h0 = element4x4(i, g00, g10, g20);
    const h1 = element4x4(i, g01, g11, g21);
    const h2 = element4x4(i, g02, g12, g22);
    for (let j = 0; j < 6; j++) {
      store<f32>(target, <f32>(element4x4(j, h0, h1, h2) / (scale4x4(i) * scale4x4(j))));
      target += plane;
    }
  }
}

/** As `transformFloat32Kernel4x4`, for F(2×2,3×3). */
export function transformFloat32Kernel2x2(d: WinogradDescriptor, output: i32, input: i32): void {
  const tap = (<usize>d.inputChannels) << 6;
  const line: usize = tap * 3;
  const source = packedKernel(d, output, input);
  let target = transformedKernel(d, output, input);
  const plane = <usize>d.weightPlane;
  const g00 = <f64>load<f32>(source);
  const g01 = <f64>load<f32>(source + tap);
  const g02 = <f64>load<f32>(source + 2 * tap);
  const g10 = <f64>load<f32>(source + line);
  const g11 = <f64>load<f32>(source + line + tap);
  const g12 = <f64>load<f32>(source + line + 2 * tap);
  const g20 = <f64>load<f32>(source + 2 * line);
  const g21 = <f64>load<f32>(source + 2 * line + tap);
  const g22 = <f64>load<f32>(source + 2 * line + 2 * tap);
  for (let i = 0; i < 4; i++) {
    const h0 = element2x2(i, g00, g10, g20);
    const h1 = element2x2(i, g01, g11, g21);
    const h2 = element2x2(i, g02, g12, g22);
    for (let j = 0; j < 4; j++) {
      store<f32>(target, <f32>(element2x2(j, h0, h1, h2) / (scale2x2(i) * scale2x2(j))));
      target += plane;
    }
  }
}
