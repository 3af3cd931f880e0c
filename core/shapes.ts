/** Shape of one image's feature map; a vector is `channels × 1 × 1`. */
export interface FeatureShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Number of values of a feature map. */
export function featureCount(shape: FeatureShape): number {
  return shape.channels * shape.height * shape.width;
}

/**
 * Geometry of a two-dimensional convolution of one image.
 * A fully connected layer is the 1×1 convolution of a 1×1 map.
 */
export interface ConvolutionShape {
  readonly input: FeatureShape;
  readonly output: FeatureShape;
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [y: number, x: number];
  /** Rows and columns of zeros around the input. */
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  readonly dilations: readonly [y: number, x: number];
  readonly groups: number;
}

/** Geometry of a two-dimensional pooling of one image (padding never wins a maximum). */
export interface PoolingShape {
  readonly input: FeatureShape;
  readonly output: FeatureShape;
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [y: number, x: number];
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
}

/** Number of weights that contribute to one output value: input channels of a group × kernel. */
export function windowSize(shape: ConvolutionShape): number {
  return (shape.input.channels / shape.groups) * shape.kernel[0] * shape.kernel[1];
}

/** Number of weights of a convolution. */
export function weightCount(shape: ConvolutionShape): number {
  return shape.output.channels * windowSize(shape);
}

/** Multiply-accumulates of one image. */
export function multiplyAccumulates(shape: ConvolutionShape): number {
  return shape.output.height * shape.output.width * weightCount(shape);
}

/** The 1×1 convolution that a fully connected layer is. */
export function fullyConnectedShape(inputs: number, outputs: number): ConvolutionShape {
  return {
    input: { channels: inputs, height: 1, width: 1 },
    output: { channels: outputs, height: 1, width: 1 },
    kernel: [1, 1],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups: 1,
  };
}
