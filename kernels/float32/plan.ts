import {
  type ConvolutionShape,
  multiplyAccumulates,
  weightCount,
  windowSize,
} from '../../core/index.js';

/**
 * How a float32 convolution is computed; docs/kernels-float32.md states the order of every rounding.
 * - `direct`: every product of the window, those with padding included;
 * - `direct-inside`: the same without the products with padding, for maps that are mostly padding;
 * - `winograd-2x2`, `winograd-4x4`: F(2×2,3×3) and F(4×4,3×3), tiles of 2×2 or 4×4 outputs.
 */
export type Float32Algorithm = 'direct' | 'direct-inside' | 'winograd-2x2' | 'winograd-4x4';

/** A function of the shape alone, so that a result never depends on batch, threads or other images. */
export interface Float32Plan {
  readonly shape: ConvolutionShape;
  readonly algorithm: Float32Algorithm;
  /** Multiplications of activations by weights for one image. */
  readonly products: number;
  /** Bytes of the copies of the weights that the algorithm reads. */
  readonly weightBytes: number;
  /**
   * A channel one of whose weights is not at most this in magnitude is computed by `direct`;
   * infinite for `direct`, which takes every weight.
   */
  readonly weightLimit: number;
  /** An image one of whose inputs is not at most this in magnitude is computed by `direct`. */
  readonly activationLimit: number;
}

/** Geometry of an algorithm F(m×m,3×3). */
export interface WinogradTiles {
  /** Outputs along one side of a tile (m). */
  readonly outputs: 2 | 4;
  /** Inputs along one side of a tile (m + 2). */
  readonly inputs: number;
  /** Multiplications per tile, input channel and output channel. */
  readonly elements: number;
  readonly rows: number;
  readonly columns: number;
}

/** Largest finite float32. */
export const FLOAT32_MAX = 2 ** 128 - 2 ** 104;

/**
 * Weights up to 16 see the Winograd transforms: words with the exponent's top bit clear are below 2, and
 * trained weights rarely exceed 16.
 */
export const WINOGRAD_WEIGHT_LIMIT = 16;

/** Activations up to 4,096 see the Winograd transforms: their rounding error reaches a whole tile. */
export const WINOGRAD_ACTIVATION_LIMIT = 4096;

/** Transformed weights of a layer beyond this are read too slowly, and cost too much memory in each thread. */
const MAX_TRANSFORMED_BYTES = 20 * 2 ** 20;

/** Most channels of which the kernels' blocks hold a few transformed tiles. */
const MAX_WINOGRAD_CHANNELS = 2048;

/** Widest window of which the kernels' blocks hold a panel of 16 channels. */
const MAX_INSIDE_WINDOW = 2 ** 15;

/** Most lines of windows (output positions × lines of the kernel) of which `direct-inside` keeps lists. */
const MOST_INSIDE_LINES = 2 ** 16;

/** Time of both transforms of a tile, per channel, in multiply-accumulates; measured. */
const TRANSFORM_COST = { 2: 64, 4: 200 } as const;

/** Time to copy one value of a window, in multiply-accumulates; measured. */
const GATHER_COST = 3;

const FLOAT32_BYTES = 4;

/**
 * The algorithm of a convolution: the one of least time, by a count of the products, of the values copied
 * and of the values transformed. A shape that cannot be (see `checkConvolutionShape`) gives no sensible plan.
 */
export function planFloat32Convolution(shape: ConvolutionShape): Float32Plan {
  const candidates = [direct(shape)];
  if (takesInside(shape)) candidates.push(directInside(shape));
  if (takesWinograd(shape)) {
    candidates.push(winograd(shape, 2));
    if (4 * weightCount(shape) * FLOAT32_BYTES <= MAX_TRANSFORMED_BYTES) {
      candidates.push(winograd(shape, 4));
    }
  }
  return candidates.reduce((best, next) => (next.cost < best.cost ? next : best)).plan;
}

/** The tiles of a Winograd algorithm; undefined for the other algorithms. */
export function winogradTiles({ shape, algorithm }: Float32Plan): WinogradTiles | undefined {
  if (algorithm === 'winograd-2x2') return tilesOf(shape, 2);
  return algorithm === 'winograd-4x4' ? tilesOf(shape, 4) : undefined;
}

/** First and one past the last tap along an axis whose input position lies inside the input. */
export function tapsInside(
  shape: ConvolutionShape,
  axis: 0 | 1,
  output: number,
): readonly [first: number, end: number] {
  const size = axis === 0 ? shape.input.height : shape.input.width;
  const start = output * shape.strides[axis] - shape.pads[axis];
  const dilation = shape.dilations[axis];
  const taps = shape.kernel[axis];
  const end = Math.min(Math.max(Math.ceil((size - start) / dilation), 0), taps);
  return [Math.min(Math.max(Math.ceil(-start / dilation), 0), end), end];
}

interface Candidate {
  readonly plan: Float32Plan;
  /** Time in multiply-accumulates. */
  readonly cost: number;
}

function direct(shape: ConvolutionShape): Candidate {
  const products = multiplyAccumulates(shape);
  const windows = shape.output.height * shape.output.width * shape.groups * windowSize(shape);
  return {
    plan: {
      shape,
      algorithm: 'direct',
      products,
      weightBytes: weightCount(shape) * FLOAT32_BYTES,
      weightLimit: Infinity,
      activationLimit: Infinity,
    },
    cost: products + GATHER_COST * windows,
  };
}

/** Rows of the product are images, so every output position reads all its weights again: for small maps. */
function takesInside(shape: ConvolutionShape): boolean {
  return (
    shape.groups === 1 &&
    shape.dilations[1] === 1 &&
    windowSize(shape) <= MAX_INSIDE_WINDOW &&
    shape.output.height * shape.output.width * shape.kernel[0] <= MOST_INSIDE_LINES &&
    2 * productsInside(shape) <= multiplyAccumulates(shape)
  );
}

function productsInside(shape: ConvolutionShape): number {
  const taps = ([0, 1] as const).map((axis) => {
    const positions = axis === 0 ? shape.output.height : shape.output.width;
    let sum = 0;
    for (let position = 0; position < positions; position++) {
      const [first, end] = tapsInside(shape, axis, position);
      sum += end - first;
    }
    return sum;
  });
  return taps[0] * taps[1] * shape.input.channels * shape.output.channels;
}

function directInside(shape: ConvolutionShape): Candidate {
  const products = productsInside(shape);
  return {
    plan: {
      shape,
      algorithm: 'direct-inside',
      products,
      weightBytes: weightCount(shape) * FLOAT32_BYTES,
      weightLimit: FLOAT32_MAX,
      activationLimit: Infinity,
    },
    cost: products,
  };
}

function takesWinograd({
  input,
  output,
  kernel,
  strides,
  dilations,
  groups,
}: ConvolutionShape): boolean {
  return (
    groups === 1 &&
    kernel.every((size) => size === 3) &&
    [...strides, ...dilations].every((step) => step === 1) &&
    input.channels % 4 === 0 &&
    output.channels % 16 === 0 &&
    Math.max(input.channels, output.channels) <= MAX_WINOGRAD_CHANNELS
  );
}

function tilesOf({ output }: ConvolutionShape, outputs: 2 | 4): WinogradTiles {
  const inputs = outputs + 2;
  return {
    outputs,
    inputs,
    elements: inputs * inputs,
    rows: Math.ceil(output.height / outputs),
    columns: Math.ceil(output.width / outputs),
  };
}

function winograd(shape: ConvolutionShape, outputs: 2 | 4): Candidate {
  const { elements, rows, columns } = tilesOf(shape, outputs);
  const kernels = shape.input.channels * shape.output.channels;
  const channels = shape.input.channels + shape.output.channels;
  const products = rows * columns * elements * kernels;
  return {
    plan: {
      shape,
      algorithm: outputs === 2 ? 'winograd-2x2' : 'winograd-4x4',
      products,
      weightBytes: (weightCount(shape) + elements * kernels) * FLOAT32_BYTES,
      weightLimit: WINOGRAD_WEIGHT_LIMIT,
      activationLimit: WINOGRAD_ACTIVATION_LIMIT,
    },
    cost: products + rows * columns * channels * TRANSFORM_COST[outputs],
  };
}
