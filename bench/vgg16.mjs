/** VGG-16 for 32×32 images with random weights: what a speed depends on, where no trained file is given. */
import { featureCount, fullyConnectedShape, weightCount } from '../dist/core/index.js';
import { compileKernels } from '../dist/kernels/index.js';
import { createCalibration, quantizeNetwork } from '../dist/models/index.js';
import { createNetworkDatapath } from '../dist/sim/index.js';

/** @import { FeatureShape } from '../dist/core/index.js' */
/** @import { Float32Layer, Float32Network, Int8Network, Tensor } from '../dist/models/index.js' */

const STAGES = [
  [64, 2],
  [128, 2],
  [256, 3],
  [512, 3],
  [512, 3],
];
const CALIBRATION_IMAGES = 8;

/** Sums of four uniform draws of a linear congruential generator, less their mean: nearly normal. */
function createNormal() {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
}

/** @returns {Int8Network} */
export function randomVgg16() {
  const network = randomFloat32Vgg16();
  const normal = createNormal();
  const calibration = createCalibration(network, { method: 'min-max' });
  const images = Float32Array.from(
    { length: CALIBRATION_IMAGES * featureCount(network.tensors[0].shape) },
    normal,
  );
  createNetworkDatapath(network, compileKernels(), CALIBRATION_IMAGES).run(
    images,
    CALIBRATION_IMAGES,
    {
      tensor: (tensor, values, _first, count) => {
        const length = count * featureCount(network.tensors[tensor].shape);
        calibration.observe(tensor, /** @type {Float32Array} */ (values).subarray(0, length));
      },
    },
  );
  return quantizeNetwork(network, calibration.ranges());
}

/** @returns {Float32Network} */
function randomFloat32Vgg16() {
  const normal = createNormal();
  /** @type {FeatureShape} */
  let feature = { channels: 3, height: 32, width: 32 };
  /** @type {Tensor[]} */
  const tensors = [{ name: 'input', shape: feature }];
  /** @type {Float32Layer[]} */
  const layers = [];

  /**
   * @param {string} name
   * @param {FeatureShape} shape
   */
  function append(name, shape) {
    tensors.push({ name: `${name}_output`, shape });
    feature = shape;
    return { name, input: tensors.length - 2, output: tensors.length - 1 };
  }

  /**
   * @param {string} name
   * @param {'convolution' | 'fully-connected'} kind
   * @param {import('../dist/core/index.js').ConvolutionShape} shape
   * @param {boolean} relu
   */
  function appendWeighted(name, kind, shape, relu) {
    const deviation = Math.sqrt((2 * shape.output.channels) / weightCount(shape));
    const weights = Float32Array.from({ length: weightCount(shape) }, () => normal() * deviation);
    const bias = new Float32Array(shape.output.channels);
    layers.push({ kind, shape, relu, weights, bias, ...append(name, shape.output) });
  }

  for (const [stage, [channels, convolutions]] of STAGES.entries()) {
    for (let index = 0; index < convolutions; index++) {
      const input = feature;
      appendWeighted(
        `conv${stage + 1}_${index + 1}`,
        'convolution',
        {
          input,
          output: { ...input, channels },
          kernel: [3, 3],
          strides: [1, 1],
          pads: [1, 1, 1, 1],
          dilations: [1, 1],
          groups: 1,
        },
        true,
      );
    }
    const input = feature;
    const output = { channels, height: input.height / 2, width: input.width / 2 };
    const shape = /** @type {const} */ ({ kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
    layers.push({
      kind: 'max-pool',
      shape: { input, output, ...shape },
      ...append(`pool${stage + 1}`, output),
    });
  }
  layers.push({ kind: 'flatten', ...append('flatten', { channels: 512, height: 1, width: 1 }) });
  appendWeighted('classifier', 'fully-connected', fullyConnectedShape(512, 10), false);
  return {
    format: 'float32',
    name: 'vgg16-random',
    checksum: '',
    tensors,
    layers,
    input: 0,
    output: tensors.length - 1,
  };
}
