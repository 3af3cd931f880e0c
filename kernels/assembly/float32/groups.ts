/** Bytes of the weights of one tap and input channel for a panel of 16 output channels. */
const PANEL_ROW: usize = 64;

/** Laid out as in kernels/layouts.ts. */
@unmanaged
class Float32GroupsDescriptor {
  inputHeight: i32;
  inputWidth: i32;
  inputChannels: i32;
  outputHeight: i32;
  outputWidth: i32;
  outputChannels: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
  dilationY: i32;
  dilationX: i32;
  groups: i32;
  /** Weights [panel of 16 output channels][ky, kx, input channel of the group][16]. */
  weights: usize;
  bias: usize;
  /** Bytes from one row of sums to the next. */
  sumBytes: i32;
  /** A pixel of zeros: what padding reads. */
  padding: usize;
  /** Bytes before the first input channel of each output channel's group, padded to 16 channels. */
  firstInputs: usize;
  /** Room for the address of each tap of a window. */
  taps: usize;
}

/**
 * Sums of `rows` output positions from `firstRow` on, counted image-major, of a convolution in groups of few output
 * channels, a filter for each channel included: lanes are output channels. Each sum starts at its bias and adds
 * products, rounded one by one, for ky, then kx, then the input channel, ascending.
 */
export function addFloat32Groups(
  d: Float32GroupsDescriptor,
  input: usize,
  sums: usize,
  firstRow: i32,
  rows: i32,
): void {
  const positions = d.outputHeight * d.outputWidth;
  const imageBytes = (<usize>(d.inputHeight * d.inputWidth * d.inputChannels)) << 2;
  let image = input + <usize>(firstRow / positions) * imageBytes;
  let y = (firstRow % positions) / d.outputWidth;
  let x = firstRow % d.outputWidth;
  for (let row = 0; row < rows; row++) {
    addWindow(d, locateTaps(d, image, y, x), sums);
    sums += d.sumBytes;
    if (++x == d.outputWidth) {
      x = 0;
      if (++y == d.outputHeight) {
        y = 0;
        image += imageBytes;
      }
    }
  }
}

/** Writes the addresses of the pixels of a window; returns their end. */
function locateTaps(d: Float32GroupsDescriptor, image: usize, y: i32, x: i32): usize {
  let tap = d.taps;
  let inputY = y * d.strideY - d.padTop;
  for (let ky = 0; ky < d.kernelHeight; ky++, inputY += d.dilationY) {
    let inputX = x * d.strideX - d.padLeft;
    for (let kx = 0; kx < d.kernelWidth; kx++, inputX += d.dilationX, tap += 4) {
      const inside = <u32>inputY < <u32>d.inputHeight && <u32>inputX < <u32>d.inputWidth;
      const pixel = image + ((<usize>((inputY * d.inputWidth + inputX) * d.inputChannels)) << 2);
      store<usize>(tap, inside ? pixel : d.padding);
    }
  }
  return tap;
}

/** Whole panels of 16 channels, then four channels at a time; sums beyond the last channel are undefined. */
function addWindow(d: Float32GroupsDescriptor, end: usize, sums: usize): void {
  const groupOutputs = d.outputChannels / d.groups;
  const inputBytes = (<usize>(d.inputChannels / d.groups)) << 2;
  const panelBytes = ((end - d.taps) >> 2) * (inputBytes >> 2) * PANEL_ROW;
  const bytes = (<usize>d.outputChannels) << 2;
  let weights = d.weights;
  for (let channel: usize = 0; channel < bytes; channel += PANEL_ROW, weights += panelBytes) {
    if (groupOutputs & 3 && !(groupOutputs == 1 && inputBytes == 4)) {
      const last = min(bytes, channel + PANEL_ROW);
      for (let c = channel; c < last; c += 16) {
        addAny(d, end, inputBytes, weights + (c - channel), c, sums + c);
      }
    } else if (bytes - channel >= PANEL_ROW) {
      if (groupOutputs & 3) addNeighbours(d, end, weights, channel, sums + channel);
      else addSame(d, end, inputBytes, weights, channel, sums + channel);
    } else {
      for (let c = channel; c < bytes; c += 16) {
        const first = weights + (c - channel);
        if (groupOutputs & 3) addFourNeighbours(d, end, first, c, sums + c);
        else addFourSame(d, end, inputBytes, first, c, sums + c);
      }
    }
  }
}

/** 16 channels, each with a filter of its own. */
function addNeighbours(
  d: Float32GroupsDescriptor,
  end: usize,
  weights: usize,
  channel: usize,
  sums: usize,
): void {
  const bias = d.bias + channel;
  let s0 = v128.load(bias);
  let s1 = v128.load(bias, 16);
  let s2 = v128.load(bias, 32);
  let s3 = v128.load(bias, 48);
  for (let tap = d.taps; tap < end; tap += 4, weights += PANEL_ROW) {
    const pixel = load<usize>(tap) + channel;
    s0 = f32x4.add(s0, f32x4.mul(v128.load(pixel), v128.load(weights)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(pixel, 16), v128.load(weights, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(pixel, 32), v128.load(weights, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(pixel, 48), v128.load(weights, 48)));
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
}

function addFourNeighbours(
  d: Float32GroupsDescriptor,
  end: usize,
  weights: usize,
  channel: usize,
  sums: usize,
): void {
  let sum = v128.load(d.bias + channel);
  for (let tap = d.taps; tap < end; tap += 4, weights += PANEL_ROW) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(load<usize>(tap) + channel), v128.load(weights)));
  }
  v128.store(sums, sum);
}

/** 16 channels of groups whose output channels are a multiple of four: four of them read the same inputs. */
function addSame(
  d: Float32GroupsDescriptor,
  end: usize,
  inputBytes: usize,
  weights: usize,
  channel: usize,
  sums: usize,
): void {
  const bias = d.bias + channel;
  const first = d.firstInputs + channel;
  const first0 = load<i32>(first);
  const first1 = load<i32>(first, 16);
  const first2 = load<i32>(first, 32);
  const first3 = load<i32>(first, 48);
  let s0 = v128.load(bias);
  let s1 = v128.load(bias, 16);
  let s2 = v128.load(bias, 32);
  let s3 = v128.load(bias, 48);
  for (let tap = d.taps; tap < end; tap += 4) {
    let pixel = load<usize>(tap);
    for (const last = pixel + inputBytes; pixel < last; pixel += 4, weights += PANEL_ROW) {
      const x0 = v128.load32_splat(pixel + first0);
      s0 = f32x4.add(s0, f32x4.mul(x0, v128.load(weights)));
      const x1 = v128.load32_splat(pixel + first1);
      s1 = f32x4.add(s1, f32x4.mul(x1, v128.load(weights, 16)));
      const x2 = v128.load32_splat(pixel + first2);
      s2 = f32x4.add(s2, f32x4.mul(x2, v128.load(weights, 32)));
      const x3 = v128.load32_splat(pixel + first3);
      s3 = f32x4.add(s3, f32x4.mul(x3, v128.load(weights, 48)));
    }
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  v128.store(sums, s2, 32);
  v128.store(sums, s3, 48);
}

function addFourSame(
  d: Float32GroupsDescriptor,
  end: usize,
  inputBytes: usize,
  weights: usize,
  channel: usize,
  sums: usize,
): void {
  const first = load<i32>(d.firstInputs + channel);
  let sum = v128.load(d.bias + channel);
  for (let tap = d.taps; tap < end; tap += 4) {
    let pixel = load<usize>(tap) + first;
    for (const last = pixel + inputBytes; pixel < last; pixel += 4, weights += PANEL_ROW) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(pixel), v128.load(weights)));
    }
  }
  v128.store(sums, sum);
}

/** Four channels of any groups. */
function addAny(
  d: Float32GroupsDescriptor,
  end: usize,
  inputBytes: usize,
  weights: usize,
  channel: usize,
  sums: usize,
): void {
  const first = d.firstInputs + channel;
  const first0 = load<i32>(first);
  const first1 = load<i32>(first, 4);
  const first2 = load<i32>(first, 8);
  const first3 = load<i32>(first, 12);
  let sum = v128.load(d.bias + channel);
  for (let tap = d.taps; tap < end; tap += 4) {
    let pixel = load<usize>(tap);
    for (const last = pixel + inputBytes; pixel < last; pixel += 4, weights += PANEL_ROW) {
      let x = v128.load32_zero(pixel + first0);
      x = v128.load32_lane(pixel + first1, x, 1);
      x = v128.load32_lane(pixel + first2, x, 2);
      x = v128.load32_lane(pixel + first3, x, 3);
      sum = f32x4.add(sum, f32x4.mul(x, v128.load(weights)));
    }
  }
  v128.store(sums, sum);
}
