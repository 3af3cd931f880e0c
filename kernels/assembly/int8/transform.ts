/**
 * Laid out as in kernels/layouts.ts: a stride-1 3×3 convolution cut into tiles of outputs, each of which takes
 * `elements` products per pair of channels.
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
}
