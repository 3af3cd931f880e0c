import type { ProgressListener } from '../../core/index.js';
import { compileKernels } from '../../kernels/index.js';
import type { LayerThresholds } from '../../mitigation/index.js';
import { type ImageSet, type Int8Network, normalize, quantizedName } from '../../models/index.js';
import { type Accelerator, createNetworkDatapath, type Datapath } from '../../sim/index.js';
import { requireCifar10Network } from '../cifar10-network.js';
import { type VerificationCase, verificationCases } from './cases.js';
import { compareLayer, emptyComparison, type Mismatch } from './compare.js';
import { loadReference, unfusedGroups } from './onnxruntime.js';

/** Images that both sides compute together. */
const BATCH = 25;

export interface CaseResult {
  readonly name: string;
  readonly images: number;
  /** Tensors compared. */
  readonly layers: number;
  /** Values compared. */
  readonly values: number;
  readonly mismatches: number;
  readonly first: Mismatch | undefined;
  /** Groups that onnxruntime ran in float, whose network is therefore not comparable. */
  readonly unfused: readonly string[];
}

/** What a verification needs. */
export interface VerifyOptions {
  readonly network: Int8Network;
  readonly accelerator: Accelerator;
  readonly thresholds: LayerThresholds;
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
  const datapath = createNetworkDatapath(network, compileKernels(), BATCH);
  const cases = verificationCases(network, accelerator, thresholds, images);
  const total = cases.reduce((sum, { images: count }) => sum + count, 0);
  const results: CaseResult[] = [];
  let done = 0;
  for (const verificationCase of cases) {
    const result = await runCase(verificationCase, datapath, options, (count) => {
      done += count;
      onProgress?.(done, total);
    });
    results.push(result);
  }
  return results;
}

async function runCase(
  verificationCase: VerificationCase,
  datapath: Datapath,
  { network, dataset, threads }: VerifyOptions,
  onImages: (count: number) => void,
): Promise<CaseResult> {
  const { name, images, level, patches, clips, qdq } = verificationCase;
  datapath.setPatches(patches);
  datapath.setActivationUnits(
    new Map([...clips].map(([layer, clip]) => [layer, { format: 'int8', clip }])),
  );
  const model = verificationCase.writeModel();
  const reference = await loadReference(model, level, threads);
  const comparison = emptyComparison();
  const layers = new Set<number>();
  const inputShape = network.tensors[network.input].shape;
  for (let first = 0; first < images; first += BATCH) {
    const count = Math.min(BATCH, images - first);
    const indices = Uint32Array.from({ length: count }, (_, index) => first + index);
    const inputs = normalize(dataset, indices);
    const pending = reference.run(inputs, inputShape, count);
    const ours = captureTensors(datapath, inputs, count);
    const theirs = await pending;
    for (const [tensor, values] of ours) {
      const { shape } = network.tensors[tensor];
      const layerName = network.layers.find(({ output }) => output === tensor)?.name ?? 'input';
      const their = theirs.get(quantizedName(network.tensors[tensor]));
      if (!their) continue;
      layers.add(tensor);
      compareLayer(comparison, layerName, shape, first, count, values, their);
    }
    onImages(count);
  }
  await reference.release();
  return {
    name,
    images,
    layers: layers.size,
    ...comparison,
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
