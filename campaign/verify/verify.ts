import type { ProgressListener } from '../../core/index.js';
import { compileKernels } from '../../kernels/index.js';
import { int8Units, type LayerThresholds } from '../../mitigation/index.js';
import { type ImageSet, type Int8Network, normalize, quantizedName } from '../../models/index.js';
import {
  type Accelerator,
  batchWithinMemory,
  createNetworkDatapath,
  type Datapath,
} from '../../sim/index.js';
import { requireCifar10Network } from '../cifar10-network.js';
import { type VerificationCase, verificationCases } from './cases.js';
import { compareLayer, emptyComparison } from './compare.js';
import { type Difference, traceMismatch } from './differ.js';
import { loadReference, unfusedGroups } from './onnxruntime.js';

/** Images that both sides compute together, where memory allows. */
const BATCH = 25;

/** Part of the memory for the datapath: onnxruntime and copies of all tensors take the rest. */
const MEMORY_SHARE = 0.25;

export interface CaseResult {
  readonly name: string;
  readonly images: number;
  /** Tensors compared. */
  readonly layers: number;
  /** Values compared. */
  readonly values: number;
  readonly mismatches: number;
  /** The first difference in network order, in the first images that show it. */
  readonly first: Difference | undefined;
  /** Groups that onnxruntime ran in float, whose network is therefore not comparable. */
  readonly unfused: readonly string[];
}

/** What a verification needs. */
export interface VerifyOptions {
  readonly network: Int8Network;
  readonly accelerator: Accelerator;
  /** Of the profile. */
  readonly thresholds: LayerThresholds;
  /** Those that a search found, if there are some. */
  readonly tuned?: LayerThresholds | undefined;
  readonly dataset: ImageSet;
  /** The first so many images of the data set. */
  readonly images: number;
  /** Threads of onnxruntime. */
  readonly threads: number;
  /** Steps are images compared. */
  readonly onProgress?: ProgressListener;
}

/**
 * Compare the simulated datapath with onnxruntime, every layer and value to the bit: clean, with
 * fault maps written into the weights, and with clipped activations in standard operators.
 *
 * @throws InputError when the network is not made for CIFAR-10
 */
export async function verifyNetwork(options: VerifyOptions): Promise<CaseResult[]> {
  const { network, accelerator, thresholds, images, onProgress } = options;
  requireCifar10Network(network);
  const datapath = createNetworkDatapath(
    network,
    compileKernels(),
    batchWithinMemory(network, BATCH, MEMORY_SHARE),
  );
  const cases = verificationCases(network, accelerator, thresholds, images, options.tuned);
  const total = cases.reduce((sum, { images: count }) => sum + count, 0);
  const results: CaseResult[] = [];
  let done = 0;
  for (const verificationCase of cases) {
    const result = await verifyCase(verificationCase, datapath, options, (count) => {
      done += count;
      onProgress?.(done, total);
    });
    results.push(result);
  }
  return results;
}

/**
 * Compare one case, every layer and value to the bit.
 *
 * @param datapath of the network; keeps the case's faults and activation units
 * @param onImages called with the number of images compared since the last call
 */
export async function verifyCase(
  verificationCase: VerificationCase,
  datapath: Datapath,
  { network, dataset, threads }: Pick<VerifyOptions, 'network' | 'dataset' | 'threads'>,
  onImages: (count: number) => void = () => {},
): Promise<CaseResult> {
  const { name, images, level, patches, clips, qdq } = verificationCase;
  const { batch } = datapath;
  datapath.setPatches(patches);
  datapath.setActivationUnits(int8Units(network, clips));
  const model = verificationCase.writeModel();
  const reference = await loadReference(model, level, threads);
  const comparison = emptyComparison();
  const layers = new Set<number>();
  const inputShape = network.tensors[network.input].shape;
  for (let first = 0; first < images; first += batch) {
    const count = Math.min(batch, images - first);
    const indices = Uint32Array.from({ length: count }, (_, index) => first + index);
    const inputs = normalize(dataset, indices);
    const pending = reference.run(inputs, inputShape, count);
    const ours = captureTensors(datapath, inputs, count);
    const theirs = await pending;
    for (const [order, layer] of network.layers.entries()) {
      const tensor = network.tensors[layer.output];
      const our = ours.get(layer.output);
      const their = theirs.get(quantizedName(tensor));
      if (!our || !their) continue;
      layers.add(layer.output);
      compareLayer(comparison, {
        layer: layer.name,
        order,
        shape: tensor.shape,
        firstImage: first,
        images: count,
        ours: our,
        theirs: their,
      });
    }
    onImages(count);
  }
  await reference.release();
  const { values, mismatches, first } = comparison;
  return {
    name,
    images,
    layers: layers.size,
    values,
    mismatches,
    first:
      first &&
      traceMismatch(network, datapath, normalize(dataset, Uint32Array.of(first.image)), first),
    unfused: qdq ? await unfusedGroups(model) : [],
  };
}

/** Every tensor of one batch, copied, since the datapath reuses its memory. */
function captureTensors(
  datapath: Datapath,
  inputs: Float32Array,
  count: number,
): ReadonlyMap<number, Uint8Array | Float32Array> {
  const tensors = new Map<number, Uint8Array | Float32Array>();
  datapath.run(inputs, count, {
    tensor: (tensor, values) => tensors.set(tensor, values.slice()),
  });
  return tensors;
}
