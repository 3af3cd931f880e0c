/** Laid out as in kernels/layouts.ts. */
@unmanaged
class DepthwiseDescriptor {
  inputHeight: i32;
  inputWidth: i32;
  channels: i32;
  outputHeight: i32;
  outputWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
  dilationY: i32;
  dilationX: i32;
  zeroPoint: i32;
  /** Bytes from one row of accumulators to the next. */
  rowStride: i32;
  /** A pixel of zero points: what padding reads. */
  padding: usize;
  /** Weights [8 channels][pair of taps][8][2] in int16. */
  weights: usize;
  bias: usize;
  /** Room for the address of each tap of a window, and one more. */
  taps: usize;
}

/**
 * Accumulators of `rows` output positions from `firstRow` on, counted image-major, of a convolution in
 * which each channel has a filter of its own: lanes are channels, and pairs of taps are added together.
 */
export function accumulateDepthwise(
  d: DepthwiseDescriptor,
  input: usize,
  accumulators: usize,
  firstRow: i32,
  rows: i32,
): void {
  const positions = d.outputHeight * d.outputWidth;
  const imageBytes = <usize>(d.inputHeight * d.inputWidth * d.channels);
  let image = input + <usize>(firstRow / positions) * imageBytes;
  let y = (firstRow % positions) / d.outputWidth;
  let x = firstRow % d.outputWidth;
  for (let row = 0; row < rows; row++) {
    accumulateWindow(d, locateTaps(d, image, y, x), accumulators);
    accumulators += d.rowStride;
    if (++x == d.outputWidth) {
      x = 0;
      if (++y == d.outputHeight) {
        y = 0;
        image += imageBytes;
      }
    }
  }
}

/** Writes the addresses of the taps of a window, an even number of them; returns their end. */
function locateTaps(d: DepthwiseDescriptor, image: usize, y: i32, x: i32): usize {
  let tap = d.taps;
  let inputY = y * d.strideY - d.padTop;
  for (let ky = 0; ky < d.kernelHeight; ky++, inputY += d.dilationY) {
    let inputX = x * d.strideX - d.padLeft;
    for (let kx = 0; kx < d.kernelWidth; kx++, inputX += d.dilationX, tap += 4) {
      const inside = <u32>inputY < <u32>d.inputHeight && <u32>inputX < <u32>d.inputWidth;
      const pixel = image + <usize>((inputY * d.inputWidth + inputX) * d.channels);
      store<usize>(tap, inside ? pixel : d.padding);
    }
  }
  if (!((tap - d.taps) & 4)) return tap;
  store<usize>(tap, d.padding);
  return tap + 4;
}

function accumulateWindow(d: DepthwiseDescriptor, end: usize, accumulators: usize): void {
  const zeroPoint = i16x8.splat(<i16>d.zeroPoint);
  const taps = d.taps;
  let weights = d.weights;
  let bias = d.bias;
  for (let channel: usize = 0; channel < <usize>d.channels; channel += 8) {
    let low = v128.load(bias);
    let high = v128.load(bias, 16);
    for (let tap = taps; tap < end; tap += 8, weights += 32) {
      const first = i16x8.sub(v128.load8x8_u(load<usize>(tap) + channel), zeroPoint);
      const second = i16x8.sub(v128.load8x8_u(load<usize>(tap, 4) + channel), zeroPoint);
      const lowPairs = v128.shuffle<i16>(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
      const highPairs = v128.shuffle<i16>(first, second, 4, 12, 5, 13, 6, 14, 7, 15);
      low = i32x4.add(low, i32x4.dot_i16x8_s(lowPairs, v128.load(weights)));
      high = i32x4.add(high, i32x4.dot_i16x8_s(highPairs, v128.load(weights, 16)));
    }
    v128.store(accumulators, low);
    v128.store(accumulators, high, 16);
    accumulators += 32;
    bias += 32;
  }
}
