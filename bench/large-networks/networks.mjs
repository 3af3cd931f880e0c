/** Networks as deployed for ImageNet, with random weights of He's variance. */
import { featureCount } from 'bitcell/core';
import { loadKernels } from 'bitcell/kernels';
import { createCalibration, quantizeNetwork, writeFloat32, writeQdq } from 'bitcell/models';
import { createNetworkDatapath } from 'bitcell/sim';
import { createGraphBuilder, xorshift } from 'bitcell/testing';

/** @import { Float32Network } from 'bitcell/models' */
/** @import { GraphBuilder } from 'bitcell/testing' */

const SEED = 20_150_227;

/**
 * Networks by name, for square images of a size.
 * @type {Readonly<Record<string, (size: number) => Float32Network>>}
 */
export const NETWORKS = {
  /** He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1; stride in the 3×3 convolution. */
  resnet50(size) {
    const graph = builder('resnet50', size);
    let last = graph.convolution(0, { outputs: 64, kernel: 7, stride: 2 });
    last = graph.maxPool(last, 3, 2, 1);
    for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
      for (let block = 0; block < blocks; block += 1) {
        last = bottleneck(graph, last, 64 << stage, block === 0 && stage > 0 ? 2 : 1);
      }
    }
    return classifier(graph, last);
  },
  /** Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, table 2. */
  mobilenetv2(size) {
    const graph = builder('mobilenetv2', size);
    let last = graph.convolution(0, { outputs: 32, kernel: 3, stride: 2, upper: 6 });
    for (const [expansion, outputs, repeats, firstStride] of [
      [1, 16, 1, 1],
      [6, 24, 2, 2],
      [6, 32, 3, 2],
      [6, 64, 4, 2],
      [6, 96, 3, 1],
      [6, 160, 3, 2],
      [6, 320, 1, 1],
    ]) {
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const stride = repeat === 0 ? firstStride : 1;
        last = invertedResidual(graph, last, { outputs, stride, expansion });
      }
    }
    return classifier(graph, graph.convolution(last, { outputs: 1280, upper: 6 }));
  },
};

/**
 * @param {string} name
 * @param {number} size
 */
function builder(name, size) {
  return createGraphBuilder(name, { channels: 3, height: size, width: size }, xorshift(SEED));
}

/**
 * @param {GraphBuilder} graph
 * @param {number} last
 */
function classifier(graph, last) {
  const features = graph.flatten(graph.globalAveragePool(last));
  return graph.finish(graph.fullyConnected(features, 1000));
}

/**
 * @param {GraphBuilder} graph
 * @param {number} input
 * @param {number} width
 * @param {number} stride
 */
function bottleneck(graph, input, width, stride) {
  const outputs = 4 * width;
  const reduced = graph.convolution(input, { outputs: width });
  const filtered = graph.convolution(reduced, { outputs: width, kernel: 3, stride });
  const expanded = graph.convolution(filtered, { outputs, relu: false, gain: 0.25 });
  const keeps = stride === 1 && graph.shape(input).channels === outputs;
  const shortcut = keeps ? input : graph.convolution(input, { outputs, stride, relu: false });
  return graph.add(expanded, shortcut, true);
}

/**
 * @param {GraphBuilder} graph
 * @param {number} input
 * @param {{ outputs: number, stride: number, expansion: number }} options
 */
function invertedResidual(graph, input, { outputs, stride, expansion }) {
  const { channels } = graph.shape(input);
  const hidden = channels * expansion;
  const expanded =
    expansion === 1 ? input : graph.convolution(input, { outputs: hidden, upper: 6 });
  const depthwise = { outputs: hidden, kernel: 3, stride, groups: hidden, upper: 6 };
  const filtered = graph.convolution(expanded, depthwise);
  const projected = graph.convolution(filtered, { outputs, relu: false });
  return stride === 1 && channels === outputs ? graph.add(input, projected, false) : projected;
}

/**
 * Images of random numbers from −2 to 2, about the range of normalised pixels.
 * @param {number} length
 */
export function randomImages(length) {
  const random = xorshift(SEED + 1);
  return Float32Array.from({ length }, () => 4 * random() - 2);
}

/**
 * The ONNX file of a network: float32, or int8 words in QDQ form with the ranges that one random image shows.
 * @param {Float32Network} network
 * @param {string} format
 */
export function fileOf(network, format) {
  if (format === 'float32') return writeFloat32(network);
  const calibration = createCalibration(network, { method: 'min-max' });
  const image = randomImages(featureCount(network.tensors[network.input].shape));
  createNetworkDatapath(network, loadKernels(), 1).run(image, 1, {
    tensor: (tensor, values) => calibration.observe(tensor, /** @type {Float32Array} */ (values)),
  });
  return writeQdq(quantizeNetwork(network, calibration.ranges()));
}
