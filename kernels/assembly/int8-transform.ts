/**
 * Fields in the order of `transformDescriptor` in kernels/wasm/int8-descriptors.ts: a stride-1 3×3
 * convolution cut into tiles of outputs, each of which takes `elements` products per pair of channels.
 */
@unmanaged
export class TransformDescriptor {
  inputHeight: i32;
  inputWidth: i32;
  inputChannels: i32;
  outputHeight: i32;
  outputWidth: i32;
  outputChannels: i32;
  tilesY: i32;
  tilesX: i32;
  padTop: i32;
  padLeft: i32;
  inputZeroPoint: i32;
  /** A pixel of zero points: what padding reads. */
  padding: usize;
  /** Transformed inputs [element][tile][input channel] in int16. */
  inputs: usize;
  inputRow: i32;
  inputElement: i32;
  /** Products [element][tile][output channel] in int32. */
  products: usize;
  productRow: i32;
  productElement: i32;
  /** Transformed weights [panel of 16 output channels][element][pair of input channels][16][2] in int16. */
  weights: usize;
  panelBytes: i32;
  bias: usize;
  /** Weights in network order, and their zero points. */
  storedWeights: usize;
  weightZeroPoints: usize;
  /** Room for the intermediate values of one tile. */
  scratch: usize;
  /** Bytes from one row of accumulators to the next. */
  accumulatorRow: i32;
}

/** Input channels that one pass over a tile takes: its intermediate values stay in a level-1 cache. */
export const CHANNEL_BLOCK: i32 = 64;

/** Bytes of the scratch that one kernel's intermediate values take; lines of transformed weights follow. */
export const LINES_OFFSET: usize = 128;

/** Functions whose code is copied to each call: constants then fold into it. */
export class Tile {
  /** Address of a pixel of an image, or of the padding pixel. */
  @inline
  static pixelAddress(d: TransformDescriptor, image: usize, y: i32, x: i32): usize {
    return <u32>y < <u32>d.inputHeight && <u32>x < <u32>d.inputWidth
      ? image + <usize>((y * d.inputWidth + x) * d.inputChannels)
      : d.padding;
  }

  /** Eight activations less their zero point, in int16. */
  @inline
  static loadCentred(address: usize, zeroPoint: v128): v128 {
    return i16x8.sub(v128.load8x8_u(address), zeroPoint);
  }

  /** Address of the transformed weight of one 3×3 kernel for element 0. */
  @inline
  static transformedKernel(d: TransformDescriptor, kernel: i32, elements: i32): usize {
    const output = kernel / d.inputChannels;
    const input = kernel % d.inputChannels;
    const panel = <usize>(output >> 4) * <usize>elements * <usize>d.panelBytes;
    return (
      d.weights + panel + <usize>(((input >> 1) << 6) | ((output & 15) << 2) | ((input & 1) << 1))
    );
  }

  /**
   * The kernel that stands at `place` when all are ordered as their transformed copies lie in memory: panel, pair of
   * input channels, output channel, input channel; −1: a place that pads a panel or a pair.
   */
  @inline
  static kernelAtPlace(d: TransformDescriptor, place: i32): i32 {
    const pairs = (d.inputChannels + 1) >> 1;
    const block = place >> 5;
    const output = ((block / pairs) << 4) + ((place >> 1) & 15);
    const input = ((block % pairs) << 1) + (place & 1);
    return output < d.outputChannels && input < d.inputChannels
      ? output * d.inputChannels + input
      : -1;
  }

  /** Copies a line of 64 bytes for each element of a block of transformed weights to its place. */
  @inline
  static storeLines(d: TransformDescriptor, block: i32, lines: usize, elements: i32): void {
    const pairs = (d.inputChannels + 1) >> 1;
    const panel = <usize>(block / pairs) * <usize>elements * <usize>d.panelBytes;
    let target = d.weights + panel + ((<usize>(block % pairs)) << 6);
    for (let element = 0; element < elements; element++, lines += 64) {
      v128.store(target, v128.load(lines));
      v128.store(target, v128.load(lines, 16), 16);
      v128.store(target, v128.load(lines, 32), 32);
      v128.store(target, v128.load(lines, 48), 48);
      target += <usize>d.panelBytes;
    }
  }
}
