import { InputError } from '../../core/index.js';
import { compileKernels } from '../../kernels/index.js';
import {
  areAsFine,
  type Granularity,
  profileMaxima,
  readThresholds,
  type Thresholds,
} from '../../mitigation/index.js';
import {
  dequantize,
  type ImageSet,
  loadCifar10,
  type Network,
  normalize,
  resolveModel,
  type WordFormat,
  zooThresholds,
} from '../../models/index.js';
import { batchWithinMemory, createNetworkDatapath } from '../../sim/index.js';
import { requireCifar10Network } from './cifar10-network.js';

/** Training images from which thresholds are profiled when no file gives them. */
export const PROFILE_IMAGES = 1000;
/** Images that are profiled together, where half of the memory allows: maxima of all neurons take some, too. */
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
 * Thresholds of a network: of a given file, of the zoo, or profiled on the first training images. A profile takes the
 * place of the zoo's maxima, too, where those are coarser than what is wanted.
 *
 * @param data folder of CIFAR-10's binary files; default: the installed data package
 * @param granularity of the maxima that are wanted; undefined: any
 */
export function loadThresholds(
  model: string,
  networks: readonly Network[],
  file: string | undefined,
  data: string | undefined,
  granularity?: Granularity,
): { readonly thresholds: Thresholds; readonly where: string } {
  const profile = (lacking: readonly Network[], images: number) => {
    const training = loadCifar10({ folder: data, split: 'train', limit: images });
    return profileThresholds(lacking, training, images, granularity);
  };
  const source = file ?? zooThresholds(model);
  if (source === undefined) {
    return { thresholds: profile(networks, PROFILE_IMAGES), where: `the profile of ${model}` };
  }
  const found = readThresholds(source);
  if (file !== undefined || granularity === undefined) return { thresholds: found, where: source };
  const lacking = networks.filter((network) => !areAsFine(network, found, granularity));
  if (lacking.length === 0) return { thresholds: found, where: source };
  const { int8, float32, granularity: profiled } = profile(lacking, found.found.images);
  return {
    thresholds: {
      ...found,
      granularity: { ...found.granularity, ...profiled },
      ...(int8 && { int8 }),
      ...(float32 && { float32 }),
    },
    where: source,
  };
}

/**
 * Profile a network, in one or both word formats, on the first `images` of a set of training images.
 *
 * @param granularity default: `PROFILE_GRANULARITY` of each word format
 * @throws InputError when the network is not made for CIFAR-10
 */
export function profileThresholds(
  networks: readonly Network[],
  training: ImageSet,
  images = PROFILE_IMAGES,
  granularity?: Granularity,
): Thresholds {
  const kernels = compileKernels();
  const indices = Uint32Array.from({ length: images }, (_, index) => index);
  const inputs = normalize(training, indices);
  const maxima: Partial<Record<WordFormat, Record<string, readonly number[]>>> = {};
  for (const network of networks) {
    requireCifar10Network(network);
    const datapath = createNetworkDatapath(
      network,
      kernels,
      batchWithinMemory(network, PROFILE_BATCH, 0.5),
    );
    maxima[network.format] = profileMaxima(datapath, inputs, images, granularity);
  }
  const { name, checksum } = networks[0];
  return {
    format: 'bitcell-thresholds',
    version: 1,
    network: { name, checksum },
    found: { method: 'profile-maximum', images },
    ...(granularity && {
      granularity: Object.fromEntries(networks.map(({ format }) => [format, granularity])),
    }),
    ...maxima,
  };
}
