import type {
  AffineLayer,
  AveragePoolLayer,
  ClipLayer,
  ElementwiseLayer,
  MaxPoolLayer,
  MovingLayer,
  WeightedLayer,
} from '../network.js';
import type { OnnxAttribute } from '../onnx/index.js';
import type { GraphBuilder } from './graph-builder.js';

export function ints(values: readonly number[]): OnnxAttribute {
  return { type: 'ints', value: values };
}

export function int(value: number): OnnxAttribute {
  return { type: 'int', value };
}

export function float(value: number): OnnxAttribute {
  return { type: 'float', value };
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

/** Attributes of AveragePool or QLinearAveragePool. */
export function averagePoolAttributes(layer: AveragePoolLayer): Record<string, OnnxAttribute> {
  return { ...poolAttributes(layer), count_include_pad: int(layer.countIncludePad ? 1 : 0) };
}

function poolAttributes({ shape }: MaxPoolLayer | AveragePoolLayer): Record<string, OnnxAttribute> {
  const { input, output, kernel, strides, pads } = shape;
  const along = (size: number, axis: 0 | 1) =>
    Math.floor((size + pads[axis] + pads[axis + 2] - kernel[axis]) / strides[axis]) + 1;
  const isRoundedDown =
    along(input.height, 0) === output.height && along(input.width, 1) === output.width;
  return {
    kernel_shape: ints(kernel),
    pads: ints(pads),
    strides: ints(strides),
    ...(!isRoundedDown && { ceil_mode: int(1) }),
  };
}

/** Operator and attributes of a layer that moves values. */
export function movingOperator(layer: MovingLayer): {
  readonly opType: string;
  readonly attributes: Record<string, OnnxAttribute>;
} {
  return layer.kind === 'max-pool'
    ? { opType: 'MaxPool', attributes: poolAttributes(layer) }
    : { opType: 'Flatten', attributes: { axis: int(1) } };
}

/** Adds the float32 operators of a layer without weights, from the values `inputs` to the value `output`. */
export function addFloat32Operator(
  builder: GraphBuilder,
  layer: MovingLayer | ElementwiseLayer | AffineLayer,
  inputs: readonly string[],
  output: string,
): void {
  const { name } = layer;
  switch (layer.kind) {
    case 'max-pool':
    case 'flatten': {
      const { opType, attributes } = movingOperator(layer);
      builder.node(opType, inputs, output, { name, attributes });
      break;
    }
    case 'average-pool':
      builder.node('AveragePool', inputs, output, {
        name,
        attributes: averagePoolAttributes(layer),
      });
      break;
    case 'global-average-pool':
      builder.node('GlobalAveragePool', inputs, output, { name });
      break;
    case 'add': {
      const sum = layer.relu ? builder.fresh(`${output}_before_relu`) : output;
      builder.node('Add', inputs, sum, { name });
      if (layer.relu) builder.node('Relu', [sum], output);
      break;
    }
    case 'concat':
      builder.node('Concat', inputs, output, { name, attributes: { axis: int(1) } });
      break;
    case 'leaky-relu':
      builder.node('LeakyRelu', inputs, output, {
        name,
        attributes: { alpha: float(layer.alpha) },
      });
      break;
    case 'clip':
      addClip(builder, layer, inputs[0], output, name);
      break;
    case 'affine': {
      const channels = layer.factors.length;
      const vector = (wanted: string, data: Float32Array) =>
        builder.constant(`${name}.${wanted}`, 'float32', [channels], data);
      const parameters = [
        vector('weight', layer.factors),
        vector('bias', layer.offsets),
        vector('running_mean', new Float32Array(channels)),
        vector('running_var', new Float32Array(channels).fill(1)),
      ];
      builder.node('BatchNormalization', [...inputs, ...parameters], output, {
        name,
        attributes: { epsilon: float(0) },
      });
      break;
    }
    default:
      layer satisfies never;
  }
}

/** Adds the Relu, or Clip from 0 to `upper`, behind a weighted layer. */
export function addRectifier(
  builder: GraphBuilder,
  { name, upper = Infinity }: WeightedLayer,
  input: string,
  output: string,
): void {
  addClip(builder, { name, low: 0, high: upper }, input, output);
}

function addClip(
  builder: GraphBuilder,
  { name, low, high }: Pick<ClipLayer, 'name' | 'low' | 'high'>,
  input: string,
  output: string,
  nodeName = output,
): void {
  if (low === 0 && high === Infinity) {
    builder.node('Relu', [input], output, { name: nodeName });
    return;
  }
  const bound = (wanted: string, value: number) =>
    Number.isFinite(value)
      ? builder.constant(`${name}.${wanted}`, 'float32', [], Float32Array.of(value))
      : '';
  builder.node('Clip', [input, bound('min', low), bound('max', high)], output, { name: nodeName });
}

/** Dimensions of a layer's weights: output channels first. */
export function weightDims({ kind, shape }: WeightedLayer): number[] {
  const { input, output, kernel, groups } = shape;
  return kind === 'convolution'
    ? [output.channels, input.channels / groups, ...kernel]
    : [output.channels, input.channels];
}

/** Dimensions along which one value per output channel broadcasts over a layer's output. */
export function channelDims({ kind, shape }: WeightedLayer): number[] {
  return kind === 'convolution' ? [shape.output.channels, 1, 1] : [shape.output.channels];
}
