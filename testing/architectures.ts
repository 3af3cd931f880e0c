import type { FeatureShape } from '../core/index.js';
import type { Float32Network } from '../models/index.js';
import { createGraphBuilder, type GraphBuilder } from './graph-builder.js';

/** Small networks with random weights, built like well-known ones. */
export const ARCHITECTURES: Readonly<
  Record<string, (input: FeatureShape, random: () => number) => Float32Network>
> = {
  /** Residual blocks with and without a projection (He et al., CVPR 2016). */
  'ResNet-18'(input, random) {
    const graph = createGraphBuilder('resnet', input, random);
    let last = graph.convolution(0, { outputs: 8, kernel: 3 });
    last = graph.maxPool(last, 3, 2, 1);
    last = residualBlock(graph, last, 8, 1);
    last = residualBlock(graph, last, 16, 2);
    last = residualBlock(graph, last, 16, 1);
    return classifier(graph, last);
  },
  /** Inverted residuals: expansion, depthwise convolution, linear bottleneck; ReLU6 (Sandler et al., CVPR 2018). */
  MobileNetV2(input, random) {
    const graph = createGraphBuilder('mobilenet', input, random);
    let last = graph.convolution(0, { outputs: 8, kernel: 3, stride: 2, upper: 6 });
    last = invertedResidual(graph, last, 8, 1, 1);
    last = invertedResidual(graph, last, 12, 2, 6);
    last = invertedResidual(graph, last, 12, 1, 6);
    last = graph.convolution(last, { outputs: 32, upper: 6 });
    return classifier(graph, last);
  },
  /** Fire modules that join 1×1 and 3×3 convolutions, and a convolution as classifier (Iandola et al., 2016). */
  SqueezeNet(input, random) {
    const graph = createGraphBuilder('squeezenet', input, random);
    let last = graph.convolution(0, { outputs: 12, kernel: 3 });
    last = graph.maxPool(last, 3, 2);
    last = fire(graph, last, 4, 8);
    last = fire(graph, last, 4, 8);
    last = graph.convolution(last, { outputs: 10 });
    return graph.finish(graph.flatten(graph.globalAveragePool(last)));
  },
  /** Pooled branches and leaky activations, joined and added: the operators that the others lack. */
  Inception(input, random) {
    const graph = createGraphBuilder('inception', input, random);
    const stem = graph.leakyRelu(graph.convolution(0, { outputs: 8, kernel: 3, relu: false }), 0.1);
    const pooled = graph.averagePool(stem, 3, 1, 1, true);
    const joined = graph.concat(
      graph.convolution(stem, { outputs: 6, relu: false }),
      graph.convolution(pooled, { outputs: 5 }),
      graph.averagePool(stem, 3, 1, 1),
    );
    const reduced = graph.averagePool(joined, 2, 2);
    const mixed = graph.add(reduced, graph.maxPool(joined, 2, 2), false);
    return graph.finish(graph.fullyConnected(graph.flatten(mixed), 10));
  },
};

function classifier(graph: GraphBuilder, last: number): Float32Network {
  const features = graph.flatten(graph.globalAveragePool(last));
  return graph.finish(graph.fullyConnected(features, 10));
}

function residualBlock(
  graph: GraphBuilder,
  input: number,
  outputs: number,
  stride: number,
): number {
  const first = graph.convolution(input, { outputs, kernel: 3, stride });
  const second = graph.convolution(first, { outputs, kernel: 3, relu: false });
  const keeps = stride === 1 && graph.shape(input).channels === outputs;
  const shortcut = keeps ? input : graph.convolution(input, { outputs, stride, relu: false });
  return graph.add(second, shortcut, true);
}

function invertedResidual(
  graph: GraphBuilder,
  input: number,
  outputs: number,
  stride: number,
  expansion: number,
): number {
  const { channels } = graph.shape(input);
  const hidden = channels * expansion;
  const expanded =
    expansion === 1 ? input : graph.convolution(input, { outputs: hidden, upper: 6 });
  const filtered = graph.convolution(expanded, {
    outputs: hidden,
    kernel: 3,
    stride,
    groups: hidden,
    upper: 6,
  });
  const projected = graph.convolution(filtered, { outputs, relu: false });
  return stride === 1 && channels === outputs ? graph.add(input, projected, false) : projected;
}

function fire(graph: GraphBuilder, input: number, squeezed: number, expanded: number): number {
  const squeeze = graph.convolution(input, { outputs: squeezed });
  return graph.concat(
    graph.convolution(squeeze, { outputs: expanded }),
    graph.convolution(squeeze, { outputs: expanded, kernel: 3 }),
  );
}
