import type {
  ArrayLayer,
  AveragePoolLayer,
  ClipLayer,
  MaxPoolLayer,
  MaxPoolShape,
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
export function convolutionAttributes({ shape }: ArrayLayer): Record<string, OnnxAttribute> {
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

/** Attributes of MaxPool. */
export function maxPoolAttributes(layer: MaxPoolLayer): Record<string, OnnxAttribute> {
  const { dilations } = layer.shape;
  return { ...poolAttributes(layer), ...(dilations && { dilations: ints(dilations) }) };
}

function poolAttributes({ shape }: MaxPoolLayer | AveragePoolLayer): Record<string, OnnxAttribute> {
  const { kernel, strides, pads } = shape;
  return {
    kernel_shape: ints(kernel),
    pads: ints(pads),
    strides: ints(strides),
    ...(!isRoundedDown(shape) && { ceil_mode: int(1) }),
  };
}

/** Whether no window of a pooling reaches beyond the padding, as some do with ceil_mode. */
export function isRoundedDown(shape: MaxPoolShape): boolean {
  const { input, output, kernel, strides, pads } = shape;
  const [stepY, stepX] = shape.dilations ?? [1, 1];
  const window = [stepY * (kernel[0] - 1) + 1, stepX * (kernel[1] - 1) + 1];
  const along = (size: number, axis: 0 | 1) =>
    Math.floor((size + pads[axis] + pads[axis + 2] - window[axis]) / strides[axis]) + 1;
  return along(input.height, 0) === output.height && along(input.width, 1) === output.width;
}

/** Adds the Relu, or Clip from 0 to `upper`, behind a weighted layer. */
export function addRectifier(
  builder: GraphBuilder,
  { name, upper = Infinity }: ArrayLayer,
  input: string,
  output: string,
): void {
  addClip(builder, { name, low: 0, high: upper }, input, output);
}

/** Adds a Relu, or a Clip where it is none. */
export function addClip(
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
export function weightDims({ kind, shape }: ArrayLayer): number[] {
  const { input, output, kernel, groups } = shape;
  return kind === 'convolution'
    ? [output.channels, input.channels / groups, ...kernel]
    : [output.channels, input.channels];
}

/** Dimensions along which one value per output channel broadcasts over a layer's output. */
export function channelDims({ kind, shape }: ArrayLayer): number[] {
  return kind === 'convolution' ? [shape.output.channels, 1, 1] : [shape.output.channels];
}
