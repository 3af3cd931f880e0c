/** Values of CLIP_CODES in kernels/wasm/descriptors.ts; 0 means no clip. */
const CLIP_ZERO = 1;
const CLAMP = 2;

/** Laid out as in kernels/layouts.ts. */
@unmanaged
export class Float32FinishDescriptor {
  channels: i32;
  clip: i32;
  thresholds: usize;
  relu: i32;
  /** Bytes from the thresholds of one output position to those of the next; 0: all positions share them. */
  thresholdStride: i32;
  /** Output positions of an image. */
  positions: i32;
}

/** Four sums after clip and ReLU. */
function finishVector(sum: v128, threshold: v128, clip: i32, relu: i32): v128 {
  if (clip == CLIP_ZERO) sum = v128.and(sum, f32x4.le(sum, threshold));
  else if (clip == CLAMP) sum = v128.bitselect(threshold, sum, f32x4.gt(sum, threshold));
  // Not x > 0, so that NaN stays.
  return relu ? v128.andnot(sum, f32x4.le(sum, f32x4.splat(0))) : sum;
}

export function finishValue(sum: f32, threshold: f32, clip: i32, relu: i32): f32 {
  if (clip == CLIP_ZERO) sum = sum <= threshold ? sum : 0;
  else if (clip == CLAMP) sum = sum > threshold ? threshold : sum;
  return relu && sum <= 0 ? 0 : sum;
}

/**
 * Clips rows of sums, applies the ReLU and stores the outputs, channels innermost. Sums and outputs may be
 * the same memory.
 * @param sumBytes from one row of sums to the next
 * @param outputBytes from one row of outputs to the next
 * @param position output position of the first row, within its image
 * @param step 1 when the next row is the next output position, 0 when it is the same one of another image
 */
export function finishFloat32Rows(
  d: Float32FinishDescriptor,
  sums: usize,
  sumBytes: usize,
  output: usize,
  outputBytes: usize,
  rows: i32,
  position: i32,
  step: i32,
): void {
  const clip = d.clip;
  const relu = d.relu;
  const end = (<usize>d.channels) << 2;
  for (let row = 0; row < rows; row++) {
    const thresholds = d.thresholds + <usize>(position * d.thresholdStride);
    let offset: usize = 0;
    for (; offset + 16 <= end; offset += 16) {
      const sum = v128.load(sums + offset);
      const threshold = v128.load(thresholds + offset);
      v128.store(output + offset, finishVector(sum, threshold, clip, relu));
    }
    for (; offset < end; offset += 4) {
      const sum = load<f32>(sums + offset);
      store<f32>(output + offset, finishValue(sum, load<f32>(thresholds + offset), clip, relu));
    }
    sums += sumBytes;
    output += outputBytes;
    position += step;
    if (position == d.positions) position = 0;
  }
}

/**
 * Adds the bias to the sums of `columns` neighbouring output positions, four channels each, finishes and
 * stores them; all positions share their thresholds.
 * @param channel bytes before the first of the four channels
 */
export function finishTileLine(
  d: Float32FinishDescriptor,
  bias: usize,
  channel: usize,
  sums: usize,
  output: usize,
  columns: i32,
): void {
  const four = v128.load(bias + channel);
  const threshold = v128.load(d.thresholds + channel);
  const pixel = (<usize>d.channels) << 2;
  for (let column = 0; column < columns; column++) {
    const sum = f32x4.add(v128.load(sums), four);
    v128.store(output, finishVector(sum, threshold, d.clip, d.relu));
    sums += 16;
    output += pixel;
  }
}

/**
 * `finishTileLine` with thresholds for each neuron.
 * @param position the first output position, within its image
 */
export function finishTileLinePerNeuron(
  d: Float32FinishDescriptor,
  bias: usize,
  position: i32,
  channel: usize,
  sums: usize,
  output: usize,
  columns: i32,
): void {
  const four = v128.load(bias + channel);
  const pixel = (<usize>d.channels) << 2;
  let thresholds = d.thresholds + <usize>(position * d.thresholdStride) + channel;
  for (let column = 0; column < columns; column++) {
    const sum = f32x4.add(v128.load(sums), four);
    v128.store(output, finishVector(sum, v128.load(thresholds), d.clip, d.relu));
    thresholds += d.thresholdStride;
    sums += 16;
    output += pixel;
  }
}
