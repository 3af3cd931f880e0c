import { InputError } from '../core/index.js';
import { compileKernels } from '../kernels/index.js';
import { profileMaxima, readThresholds, type Thresholds } from '../mitigation/index.js';
import {
  dequantize,
  type ImageSet,
  loadCifar10,
  type Network,
  normalize,
  resolveModel,
  type WordFormat,
  zooThresholds,
} from '../models/index.js';
import { createNetworkDatapath } from '../sim/index.js';
import { requireCifar10Network } from './cifar10-network.js';

/** Training images from which thresholds are profiled when no file gives them. */
export const PROFILE_IMAGES = 1000;
const PROFILE_BATCH = 25;

/**
 * Load a network in a word format. The float32 words of a quantised network are its dequantised
 * weights, so both formats store the same network.
 *
 * @param model `alexnet`, `vgg16` or a path
 * @throws InputError when int8 words are wanted of a network that is not quantised
 */
export function loadNetwork(model: string, format: WordFormat): Network {
  const network = resolveModel(model);
  if (network.format === format) return network;
  if (network.format === 'int8') return dequantize(network);
  throw new InputError(
    `${model} has float32 weights: quantise it first with "bitcell quantize ${model} --output FILE", or choose --format float32`,
  );
}

/**
 * Thresholds of a network: of a given file, of the zoo, or profiled on the first training images.
 *
 * @param data folder of CIFAR-10's binary files; default: the installed data package
 */
export function loadThresholds(
  model: string,
  networks: readonly Network[],
  file: string | undefined,
  data: string | undefined,
): { readonly thresholds: Thresholds; readonly where: string } {
  const source = file ?? zooThresholds(model);
  if (source !== undefined) return { thresholds: readThresholds(source), where: source };
  return {
    thresholds: profileThresholds(
      networks,
      loadCifar10({ folder: data, split: 'train', limit: PROFILE_IMAGES }),
    ),
    where: `the profile of ${model}`,
  };
}

/**
 * Profile a network, in one or both word formats, on the first `images` of a set of training images.
 *
 * @throws InputError when the network is not made for CIFAR-10
 */
export function profileThresholds(
  networks: readonly Network[],
  training: ImageSet,
  images = PROFILE_IMAGES,
): Thresholds {
  const kernels = compileKernels();
  const indices = Uint32Array.from({ length: images }, (_, index) => index);
  const inputs = normalize(training, indices);
  const maxima: Partial<Record<WordFormat, Record<string, number[]>>> = {};
  for (const network of networks) {
    requireCifar10Network(network);
    const datapath = createNetworkDatapath(network, kernels, PROFILE_BATCH);
    maxima[network.format] = profileMaxima(datapath, inputs, images);
  }
  const { name, checksum } = networks[0];
  return {
    format: 'bitcell-thresholds',
    version: 1,
    network: { name, checksum },
    found: { method: 'profile-maximum', images },
    ...maxima,
  };
}
