import { WinogradDescriptor } from './winograd';

/**
 * Transforms the 3×3 kernels of `count` output channels and one input channel from the packed weights into the
 * transformed ones: G·g·Gᵀ in float64, rounded once; see `transformKernel` in kernels/float32/winograd.ts.
 */
export function transformFloat32Kernels(
  d: WinogradDescriptor,
  output: i32,
  input: i32,
  count: i32,
): void {
  for (let i = 0; i < count; i++) transformKernel(d, output + i, input);
}

function transformKernel(d: WinogradDescriptor, output: i32, input: i32): void {
  const panel = (output >> 4) * d.inputChannels;
  const column = (<usize>(output & 15)) << 2;
  const source = d.packed + ((<usize>(panel * 9 + input)) << 6) + column;
  const target = d.weights + ((<usize>(panel + input)) << 6) + column;
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
  const plane = <usize>d.weightPlane;
  if (d.tileOutputs == 2) {
    const line: usize = 4 * plane;
    let place = target;
    storeLine4(place, plane, g00, g01, g02, 1);
    place += line;
    storeLine4(place, plane, g00 + g10 + g20, g01 + g11 + g21, g02 + g12 + g22, 2);
    place += line;
    storeLine4(place, plane, g00 - g10 + g20, g01 - g11 + g21, g02 - g12 + g22, 2);
    place += line;
    storeLine4(place, plane, g20, g21, g22, 1);
    return;
  }
  const line: usize = 6 * plane;
  let place = target;
  storeLine6(place, plane, g00, g01, g02, 4);
  place += line;
  storeLine6(place, plane, -g00 - g10 - g20, -g01 - g11 - g21, -g02 - g12 - g22, 6);
  place += line;
  storeLine6(place, plane, -g00 + g10 - g20, -g01 + g11 - g21, -g02 + g12 - g22, 6);
  place += line;
  const even0 = g00 + 2 * g10 + 4 * g20;
  const even1 = g01 + 2 * g11 + 4 * g21;
  const even2 = g02 + 2 * g12 + 4 * g22;
  storeLine6(place, plane, even0, even1, even2, 24);
  place += line;
  const odd0 = g00 - 2 * g10 + 4 * g20;
  const odd1 = g01 - 2 * g11 + 4 * g21;
  const odd2 = g02 - 2 * g12 + 4 * g22;
  storeLine6(place, plane, odd0, odd1, odd2, 24);
  place += line;
  storeLine6(place, plane, g20, g21, g22, 1);
}

/** One line of elements of F(2×2,3×3) from a line of (G·g times its scale). */
function storeLine4(target: usize, plane: usize, g0: f64, g1: f64, g2: f64, scale: f64): void {
  const half = 2 * scale;
  store<f32>(target, <f32>(g0 / scale));
  store<f32>(target + plane, <f32>((g0 + g1 + g2) / half));
  store<f32>(target + 2 * plane, <f32>((g0 - g1 + g2) / half));
  store<f32>(target + 3 * plane, <f32>(g2 / scale));
}

/** One line of elements of F(4×4,3×3) from a line of (G·g times its scale). */
function storeLine6(target: usize, plane: usize, g0: f64, g1: f64, g2: f64, scale: f64): void {
  store<f32>(target, <f32>(g0 / (4 * scale)));
  store<f32>(target + plane, <f32>((-g0 - g1 - g2) / (6 * scale)));
  store<f32>(target + 2 * plane, <f32>((-g0 + g1 - g2) / (6 * scale)));
  store<f32>(target + 3 * plane, <f32>((g0 + 2 * g1 + 4 * g2) / (24 * scale)));
  store<f32>(target + 4 * plane, <f32>((g0 - 2 * g1 + 4 * g2) / (24 * scale)));
  store<f32>(target + 5 * plane, <f32>(g2 / scale));
}
