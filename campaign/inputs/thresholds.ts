import { InputError } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import {
  areAsFine,
  type FoundThresholds,
  type Granularity,
  profileMaxima,
  readThresholds,
  type ThresholdRequest,
  type Thresholds,
} from '../../mitigation/index.js';
import {
  type ImageSet,
  loadCifar10,
  type Network,
  normalize,
  type WordFormat,
  zooThresholds,
} from '../../models/index.js';
import { batchWithinMemory, createNetworkDatapath } from '../../sim/index.js';
import { type Workload, workloadInputs } from '../../workload/index.js';
import { requireCifar10Network } from './cifar10-network.js';

/** Training images from which thresholds are profiled when no file gives them. */
export const PROFILE_IMAGES = 1000;
/** Images that are profiled together, where half of the memory allows: maxima of all neurons take some, too. */
const PROFILE_BATCH = 25;

/** What thresholds are profiled on: training images of CIFAR-10, or given samples. */
export type ProfileData =
  | { readonly folder: string | undefined }
  | { readonly calibration: Workload | undefined };

/**
 * Thresholds of a network: of a given file, of the zoo, or profiled on the first training images or on all samples that
 * are given for it. A profile takes the place of the zoo's maxima, too, where those are coarser than what is wanted.
 *
 * @param granularity of the maxima that are wanted; undefined: any
 */
export function loadThresholds(
  model: string,
  networks: readonly Network[],
  file: string | undefined,
  data: ProfileData,
  granularity?: Granularity,
): FoundThresholds {
  const profile = (lacking: readonly Network[], images: number) => {
    if ('calibration' in data) return profileSamples(model, lacking, data.calibration, granularity);
    const training = loadCifar10({ folder: data.folder, split: 'train', limit: images });
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
  for (const network of networks) requireCifar10Network(network);
  const indices = Uint32Array.from({ length: images }, (_, index) => index);
  return profileInputs(networks, normalize(training, indices), images, granularity);
}

/** @throws InputError when there are no samples */
function profileSamples(
  model: string,
  networks: readonly Network[],
  calibration: Workload | undefined,
  granularity: Granularity | undefined,
): Thresholds {
  if (!calibration) {
    throw new InputError(
      `clip and clamp need thresholds of ${model}, and one sample is too few to profile them on and measure on another: give more samples, or --thresholds FILE`,
    );
  }
  return profileInputs(networks, workloadInputs(calibration), calibration.samples, granularity);
}

function profileInputs(
  networks: readonly Network[],
  inputs: Float32Array,
  images: number,
  granularity: Granularity | undefined,
): Thresholds {
  const kernels = loadKernels();
  const maxima: Partial<Record<WordFormat, Record<string, readonly number[]>>> = {};
  for (const network of networks) {
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

/** The thresholds of one model that the mitigations of a study ask for, each read or profiled once. */
export interface ThresholdFinder {
  readonly find: (request: ThresholdRequest) => FoundThresholds;
  /** What was found so far, by what was asked for; what is the study's own by the model alone. */
  found(): ReadonlyMap<string, Thresholds>;
}

/**
 * @param networks the model in the word formats of the study
 * @param own what the study asks for where a mitigation says nothing
 */
export function createThresholdFinder(
  model: string,
  networks: readonly Network[],
  own: ThresholdRequest,
  data: ProfileData,
): ThresholdFinder {
  const found = new Map<string, FoundThresholds>();
  return {
    find({ file, granularity }) {
      const key = [
        model,
        ...(file === undefined ? [] : [file]),
        ...(granularity === own.granularity ? [] : [`a threshold a ${granularity}`]),
      ].join(', ');
      const known = found.get(key);
      if (known) return known;
      const loaded = loadThresholds(model, networks, file ?? own.file, data, granularity);
      found.set(key, loaded);
      return loaded;
    },
    found: () => new Map([...found].map(([key, { thresholds }]) => [key, thresholds])),
  };
}
