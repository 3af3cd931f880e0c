import {
  type ConvolutionShape,
  type FeatureShape,
  featureCount,
  fullyConnectedShape,
  type PoolingShape,
  weightCount,
} from '../core/index.js';
import type { Float32Layer, Float32Network, Tensor } from '../models/index.js';

export interface ConvolutionOptions {
  readonly outputs: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly relu?: boolean;
  readonly upper?: number;
  /** Factor of the weights (default 1): below 1 it keeps sums of residual branches from growing. */
  readonly gain?: number;
}

/** Builds a float32 network layer by layer; tensors are known by their index, the input being 0. */
export interface GraphBuilder {
  /** Shape of a tensor. */
  shape(tensor: number): FeatureShape;
  /** A square convolution whose padding keeps the size at stride 1. */
  convolution(input: number, options: ConvolutionOptions): number;
  fullyConnected(input: number, outputs: number): number;
  maxPool(input: number, kernel: number, stride: number, pad?: number): number;
  averagePool(
    input: number,
    kernel: number,
    stride: number,
    pad?: number,
    countIncludePad?: boolean,
  ): number;
  globalAveragePool(input: number): number;
  add(one: number, other: number, relu: boolean): number;
  concat(...inputs: number[]): number;
  leakyRelu(input: number, alpha: number): number;
  clip(input: number, low: number, high: number): number;
  flatten(input: number): number;
  /** The network up to a tensor. */
  finish(output: number): Float32Network;
}

/** @param random numbers of [0, 1), for the weights */
export function createGraphBuilder(
  name: string,
  input: FeatureShape,
  random: () => number,
): GraphBuilder {
  const tensors: Tensor[] = [{ name: 'input', shape: input }];
  const layers: Float32Layer[] = [];
  const shape = (tensor: number) => tensors[tensor].shape;

  function push(
    kind: string,
    output: FeatureShape,
    layer: (place: { name: string; output: number }) => Float32Layer,
  ): number {
    const index = tensors.push({ name: `value${tensors.length}`, shape: output }) - 1;
    layers.push(layer({ name: `${kind}${layers.length}`, output: index }));
    return index;
  }

  /** Weights of He's variance, so that activations neither vanish nor explode. */
  function parameters(convolution: ConvolutionShape, gain = 1) {
    const count = weightCount(convolution);
    const spread = gain * Math.sqrt((6 * convolution.output.channels) / count);
    return {
      shape: convolution,
      weights: Float32Array.from({ length: count }, () => (random() * 2 - 1) * spread),
      bias: Float32Array.from(
        { length: convolution.output.channels },
        () => gain * (random() - 0.5),
      ),
    };
  }

  function pooling(input: number, kernel: number, stride: number, pad: number): PoolingShape {
    const { channels, height, width } = shape(input);
    const sides = [Math.min(kernel, height + pad), Math.min(kernel, width + pad)] as const;
    const along = (size: number, side: number) => Math.floor((size + 2 * pad - side) / stride) + 1;
    return {
      input: shape(input),
      output: { channels, height: along(height, sides[0]), width: along(width, sides[1]) },
      kernel: sides,
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    };
  }

  return {
    shape,
    convolution(input, { outputs, kernel = 1, stride = 1, groups = 1, relu = true, upper, gain }) {
      const pad = (kernel - 1) >> 1;
      const along = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
      const { height, width } = shape(input);
      const output = { channels: outputs, height: along(height), width: along(width) };
      const convolution: ConvolutionShape = {
        input: shape(input),
        output,
        kernel: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        dilations: [1, 1],
        groups,
      };
      const bound = upper === undefined ? {} : { upper };
      return push('conv', output, (place) => ({
        kind: 'convolution',
        ...place,
        input,
        relu,
        ...bound,
        ...parameters(convolution, gain),
      }));
    },
    fullyConnected(input, outputs) {
      const convolution = fullyConnectedShape(shape(input).channels, outputs);
      return push('fc', convolution.output, (place) => ({
        kind: 'fully-connected',
        ...place,
        input,
        relu: false,
        ...parameters(convolution),
      }));
    },
    maxPool(input, kernel, stride, pad = 0) {
      const pool = pooling(input, kernel, stride, pad);
      return push('pool', pool.output, (place) => ({
        kind: 'max-pool',
        ...place,
        input,
        shape: pool,
      }));
    },
    averagePool(input, kernel, stride, pad = 0, countIncludePad = false) {
      const pool = pooling(input, kernel, stride, pad);
      return push('average', pool.output, (place) => ({
        kind: 'average-pool',
        ...place,
        input,
        shape: pool,
        countIncludePad: countIncludePad && pad > 0,
      }));
    },
    globalAveragePool(input) {
      const output = { channels: shape(input).channels, height: 1, width: 1 };
      return push('mean', output, (place) => ({ kind: 'global-average-pool', ...place, input }));
    },
    add(one, other, relu) {
      return push('add', shape(one), (place) => ({
        kind: 'add',
        ...place,
        inputs: [one, other],
        relu,
      }));
    },
    concat(...inputs) {
      const channels = inputs.reduce((sum, tensor) => sum + shape(tensor).channels, 0);
      const output = { ...shape(inputs[0]), channels };
      return push('concat', output, (place) => ({ kind: 'concat', ...place, inputs }));
    },
    leakyRelu(input, alpha) {
      const slope = Math.fround(alpha);
      return push('leaky', shape(input), (place) => ({
        kind: 'leaky-relu',
        ...place,
        input,
        alpha: slope,
      }));
    },
    clip(input, low, high) {
      return push('clip', shape(input), (place) => ({ kind: 'clip', ...place, input, low, high }));
    },
    flatten(input) {
      const output = { channels: featureCount(shape(input)), height: 1, width: 1 };
      return push('flatten', output, (place) => ({ kind: 'flatten', ...place, input }));
    },
    finish(output) {
      const named = tensors.map((tensor, index) =>
        index === output ? { ...tensor, name: 'logits' } : tensor,
      );
      return { format: 'float32', name, checksum: '', tensors: named, input: 0, output, layers };
    },
  };
}
