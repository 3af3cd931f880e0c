import {
  featureCount,
  InputError,
  type NpyFloat32Array,
  type ProgressListener,
  requireMemory,
} from '../core/index.js';
import { loadFaultMap } from '../fault/index.js';
import { compileKernels } from '../kernels/index.js';
import {
  activationUnits,
  type ClipPosition,
  type Mitigation,
  readThresholds,
  thresholdsFor,
} from '../mitigation/index.js';
import type { Network, WordFormat } from '../models/index.js';
import {
  applyFaultMap,
  batchWithinMemory,
  createNetworkDatapath,
  loadAccelerator,
  type Placement,
  placeNetwork,
  storedWords,
} from '../sim/index.js';
import { loadNetwork } from './load-network.js';

/** Images that the datapath computes together, where memory allows. */
const BATCH = 25;

/** One network on the simulated accelerator, perhaps with a fault map and clipped activations. */
export interface InferOptions {
  readonly model: string;
  readonly format: WordFormat;
  readonly accelerator: string;
  readonly placement: Placement['kind'];
  readonly faultMap?: string | undefined;
  /** Needed by every mitigation but `none`. */
  readonly thresholds?: string | undefined;
  readonly mitigation: Mitigation;
  /** Default: `accumulator`. */
  readonly clipPosition?: ClipPosition | undefined;
}

export interface InferResult {
  /** images × classes. */
  readonly outputs: NpyFloat32Array;
  readonly images: number;
  /** Time of the inference alone. */
  readonly seconds: number;
}

/**
 * Run images (float32, images × channels × height × width, already normalised) through a network.
 *
 * @param file where the images come from, named in errors
 * @throws InputError when the shape of the images is not the network's, or the accelerator, fault map or
 * thresholds are wrong
 */
export function inferImages(
  options: InferOptions,
  images: NpyFloat32Array,
  file: string,
  onProgress?: ProgressListener,
): InferResult {
  const network = loadNetwork(options.model, options.format);
  const count = requireImages(network, images, file);
  const accelerator = loadAccelerator(options.accelerator);
  const batch = batchWithinMemory(network, Math.min(BATCH, count));
  const datapath = createNetworkDatapath(network, compileKernels(), batch);
  requireMemory(
    4 * count * datapath.classes,
    `${file}: the outputs of ${count} images`,
    images.data.byteLength,
  );
  if (options.faultMap !== undefined) {
    const placement = placeNetwork(network, accelerator, options.placement);
    const map = loadFaultMap(options.faultMap, placement.geometry, placement.memory);
    datapath.setPatches(applyFaultMap(map, placement, storedWords(network)));
  }
  datapath.setActivationUnits(unitsOf(options, network));
  const length = featureCount(network.tensors[network.input].shape);
  const outputs = new Float32Array(count * datapath.classes);
  const started = performance.now();
  for (let first = 0; first < count; first += batch) {
    const size = Math.min(batch, count - first);
    const part = images.data.subarray(first * length, (first + size) * length);
    outputs.set(datapath.run(part, size), first * datapath.classes);
    onProgress?.(first + size, count);
  }
  const seconds = (performance.now() - started) / 1000;
  return { outputs: { shape: [count, datapath.classes], data: outputs }, images: count, seconds };
}

function requireImages(network: Network, { shape }: NpyFloat32Array, file: string): number {
  const { channels, height, width } = network.tensors[network.input].shape;
  const expected = [channels, height, width];
  if (shape.length !== 4 || expected.some((size, axis) => shape[axis + 1] !== size)) {
    throw new InputError(
      `${file} has the shape ${shape.join(' × ')}, but ${network.name} takes images × ${expected.join(' × ')}`,
    );
  }
  return shape[0];
}

function unitsOf(options: InferOptions, network: Network): ReturnType<typeof activationUnits> {
  const { mitigation, thresholds: file } = options;
  if (mitigation === 'none') return new Map();
  if (file === undefined) throw new InputError(`mitigation ${mitigation} needs --thresholds FILE`);
  const thresholds = thresholdsFor(network, readThresholds(file), file, mitigation);
  return activationUnits(mitigation, network, thresholds, options.clipPosition);
}
