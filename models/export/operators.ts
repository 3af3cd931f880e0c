import type { FlattenLayer, Int8WeightedLayer, MaxPoolLayer, WeightedLayer } from '../network.js';
import type { OnnxAttribute } from '../onnx/index.js';

export function ints(values: readonly number[]): OnnxAttribute {
  return { type: 'ints', value: values };
}

export function int(value: number): OnnxAttribute {
  return { type: 'int', value };
}

/** Attributes of Conv, QLinearConv or ConvInteger. */
export function convolutionAttributes({ shape }: WeightedLayer): Record<string, OnnxAttribute> {
  return {
    dilations: ints(shape.dilations),
    group: int(shape.groups),
    kernel_shape: ints(shape.kernel),
    pads: ints(shape.pads),
    strides: ints(shape.strides),
  };
}

/** Operator and attributes of a layer without weights. */
export function weightlessOperator(layer: MaxPoolLayer | FlattenLayer): {
  readonly opType: string;
  readonly attributes: Record<string, OnnxAttribute>;
} {
  return layer.kind === 'max-pool'
    ? {
        opType: 'MaxPool',
        attributes: {
          kernel_shape: ints(layer.shape.kernel),
          pads: ints(layer.shape.pads),
          strides: ints(layer.shape.strides),
        },
      }
    : { opType: 'Flatten', attributes: { axis: int(1) } };
}

/** Dimensions of a layer's weights: output channels first. */
export function weightDims({ kind, shape }: WeightedLayer): number[] {
  const { input, output, kernel, groups } = shape;
  return kind === 'convolution'
    ? [output.channels, input.channels / groups, ...kernel]
    : [output.channels, input.channels];
}

/** Dimensions along which one value per output channel broadcasts over a layer's output. */
export function channelDims({ kind, shape }: Int8WeightedLayer): number[] {
  return kind === 'convolution' ? [shape.output.channels, 1, 1] : [shape.output.channels];
}
