/** Laid out as in kernels/layouts.ts. */
@unmanaged
export class GatherDescriptor {
  inputHeight: i32;
  inputWidth: i32;
  inputChannels: i32;
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
  /** Input channels of one group. */
  groupChannels: i32;
  zeroPoint: i32;
  /** Bytes from one row of the block to the next. */
  rowStride: i32;
}

/**
 * Windows of uint8 activations as int16 rows, input zero point subtracted, padding 0, in the order
 * (ky, kx, input channel). What follows an odd window is undefined: its packed weight is 0.
 */
export function gatherUint8(
  descriptor: GatherDescriptor,
  input: usize,
  block: usize,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  gather<u8>(descriptor, input, block, firstRow, rows, group);
}

/** Windows of float32 activations as rows in the order (ky, kx, input channel), padding +0. */
export function gatherFloat32(
  descriptor: GatherDescriptor,
  input: usize,
  block: usize,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  gather<f32>(descriptor, input, block, firstRow, rows, group);
}

function gatheredBytes<T>(): i32 {
  return isFloat<T>() ? 4 : 2;
}

/** Rows count image-major output positions. */
function gather<T>(
  d: GatherDescriptor,
  input: usize,
  block: usize,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  const positions = d.outputHeight * d.outputWidth;
  const imageBytes = <usize>(d.inputHeight * d.inputWidth * d.inputChannels) * sizeof<T>();
  const groupOffset = <usize>(group * d.groupChannels) * sizeof<T>();
  let image = input + <usize>(firstRow / positions) * imageBytes + groupOffset;
  let y = (firstRow % positions) / d.outputWidth;
  let x = firstRow % d.outputWidth;
  for (let row = 0; row < rows; row++) {
    gatherWindow<T>(d, image, block, y, x);
    block += d.rowStride;
    if (++x == d.outputWidth) {
      x = 0;
      if (++y == d.outputHeight) {
        y = 0;
        image += imageBytes;
      }
    }
  }
}

export function gatherWindow<T>(
  d: GatherDescriptor,
  image: usize,
  target: usize,
  y: i32,
  x: i32,
): void {
  const channels = d.groupChannels;
  const tapBytes = channels * gatheredBytes<T>();
  const pixelBytes = <usize>d.inputChannels * sizeof<T>();
  const firstX = x * d.strideX - d.padLeft;
  let inputY = y * d.strideY - d.padTop;
  // Neighbouring taps of one row of the kernel are then neighbours in the input: copied as one run.
  const contiguous = d.dilationX == 1 && channels == d.inputChannels;
  for (let ky = 0; ky < d.kernelHeight; ky++) {
    if (<u32>inputY >= <u32>d.inputHeight) {
      target = clear(target, d.kernelWidth * tapBytes);
    } else {
      const line = image + <usize>(inputY * d.inputWidth) * pixelBytes;
      if (contiguous) {
        const first = min(max(-firstX, 0), d.kernelWidth);
        const last = max(min(d.inputWidth - firstX, d.kernelWidth), first);
        const source = line + <usize>(firstX + first) * pixelBytes;
        target = clear(target, first * tapBytes);
        target = copy<T>(target, source, (last - first) * channels, d.zeroPoint);
        target = clear(target, (d.kernelWidth - last) * tapBytes);
      } else {
        let inputX = firstX;
        for (let kx = 0; kx < d.kernelWidth; kx++) {
          if (<u32>inputX >= <u32>d.inputWidth) target = clear(target, tapBytes);
          else target = copy<T>(target, line + <usize>inputX * pixelBytes, channels, d.zeroPoint);
          inputX += d.dilationX;
        }
      }
    }
    inputY += d.dilationY;
  }
}

/** Clear `bytes` (a multiple of 2) from `target`; returns the end. */
function clear(target: usize, bytes: i32): usize {
  const end = target + bytes;
  for (; target + 16 <= end; target += 16) v128.store(target, i64x2.splat(0));
  for (; target < end; target += 2) store<i16>(target, 0);
  return end;
}

/** Copy `count` activations, widening uint8; returns the end of what was written. */
function copy<T>(target: usize, source: usize, count: i32, zeroPoint: i32): usize {
  const end = target + count * gatheredBytes<T>();
  if (isFloat<T>()) {
    for (; target + 16 <= end; target += 16, source += 16) v128.store(target, v128.load(source));
    for (; target < end; target += 4, source += 4) store<u32>(target, load<u32>(source));
  } else {
    const zero = i16x8.splat(<i16>zeroPoint);
    for (; target + 16 <= end; target += 16, source += 8) {
      v128.store(target, i16x8.sub(v128.load8x8_u(source), zero));
    }
    for (; target < end; target += 2, source++) {
      store<i16>(target, <i16>(<i32>load<u8>(source) - zeroPoint));
    }
  }
  return end;
}
