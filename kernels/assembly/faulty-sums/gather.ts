import { GatherDescriptor, gatherWindow } from '../gather';

/**
 * Windows of some output positions, in the order ky, kx, input channel, as `gatherUint8` makes them.
 *
 * @param positions `count` of each image: u32 y · output width + x
 * @param firstRow rows count image-major positions
 */
export function gatherPositionsUint8(
  descriptor: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  gatherPositions<u8>(descriptor, input, block, positions, count, firstRow, rows, group);
}

/** As `gatherPositionsUint8`, as `gatherFloat32` makes them. */
export function gatherPositionsFloat32(
  descriptor: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  gatherPositions<f32>(descriptor, input, block, positions, count, firstRow, rows, group);
}

function gatherPositions<T>(
  d: GatherDescriptor,
  input: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  const imageBytes = <usize>(d.inputHeight * d.inputWidth * d.inputChannels) * sizeof<T>();
  let image = input + <usize>(firstRow / count) * imageBytes;
  image += <usize>(group * d.groupChannels) * sizeof<T>();
  let next = firstRow % count;
  for (let row = 0; row < rows; row++) {
    const position = load<i32>(positions + ((<usize>next) << 2));
    gatherWindow<T>(d, image, block, position / d.outputWidth, position % d.outputWidth);
    block += d.rowStride;
    if (++next == count) {
      next = 0;
      image += imageBytes;
    }
  }
}

/** Rows and columns of a plane: all that windows reach, padding included. */
function planeHeight(d: GatherDescriptor): i32 {
  return (d.outputHeight - 1) * d.strideY + (d.kernelHeight - 1) * d.dilationY + 1;
}

function planeWidth(d: GatherDescriptor): i32 {
  return (d.outputWidth - 1) * d.strideX + (d.kernelWidth - 1) * d.dilationX + 1;
}

/** One image as int16 [input channel][plane], zero point subtracted, padding 0. */
export function unfoldPlanes(d: GatherDescriptor, image: usize, planes: usize): void {
  const height = planeHeight(d);
  const width = planeWidth(d);
  const planeBytes = (<usize>(height * width)) << 1;
  memory.fill(planes, 0, <usize>d.inputChannels * planeBytes);
  const rows = min(d.inputHeight, height - d.padTop);
  const columns = min(d.inputWidth, width - d.padLeft);
  for (let y = 0; y < rows; y++) {
    let line = image + <usize>(y * d.inputWidth * d.inputChannels);
    let plane = planes + ((<usize>((y + d.padTop) * width + d.padLeft)) << 1);
    for (let channel = 0; channel < d.inputChannels; channel++) {
      let source = line;
      let target = plane;
      for (let x = 0; x < columns; x++) {
        store<i16>(target, <i16>(<i32>load<u8>(source) - d.zeroPoint));
        source += d.inputChannels;
        target += 2;
      }
      line++;
      plane += planeBytes;
    }
  }
}

/**
 * Windows of some output positions of unfolded images, in the order input channel, ky, kx. Up to 6 bytes past a window
 * are written.
 */
export function gatherPlanes(
  d: GatherDescriptor,
  planes: usize,
  block: usize,
  positions: usize,
  count: i32,
  firstRow: i32,
  rows: i32,
  group: i32,
): void {
  const width = planeWidth(d);
  const planeBytes = (<usize>(planeHeight(d) * width)) << 1;
  const imageBytes = <usize>d.inputChannels * planeBytes;
  let image = planes + <usize>(firstRow / count) * imageBytes;
  image += <usize>(group * d.groupChannels) * planeBytes;
  const lineBytes = (<usize>(width * d.dilationY)) << 1;
  let next = firstRow % count;
  for (let row = 0; row < rows; row++) {
    const position = load<i32>(positions + ((<usize>next) << 2));
    const y = (position / d.outputWidth) * d.strideY;
    const x = (position % d.outputWidth) * d.strideX;
    let plane = image + ((<usize>(y * width + x)) << 1);
    let target = block;
    for (let channel = 0; channel < d.groupChannels; channel++) {
      let line = plane;
      for (let ky = 0; ky < d.kernelHeight; ky++) {
        target = copyLine(target, line, d.kernelWidth, d.dilationX);
        line += lineBytes;
      }
      plane += planeBytes;
    }
    block += d.rowStride;
    if (++next == count) {
      next = 0;
      image += imageBytes;
    }
  }
}

/** Copies `count` int16 that lie `dilation` apart; returns the end of what was written. */
function copyLine(target: usize, source: usize, count: i32, dilation: i32): usize {
  const end = target + ((<usize>count) << 1);
  if (dilation == 1) {
    for (; target < end; target += 8, source += 8) store<u64>(target, load<u64>(source));
  } else {
    for (; target < end; target += 2, source += (<usize>dilation) << 1) {
      store<u16>(target, load<u16>(source));
    }
  }
  return end;
}
