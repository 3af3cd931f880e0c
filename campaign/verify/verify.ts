import { ModelError } from '../../core/index.js';
import { loadKernels } from '../../kernels/index.js';
import { int8Units } from '../../mitigation/index.js';
import {
  type Int8Network,
  networkInputs,
  networkOutputs,
  quantizedName,
  writeQdq,
} from '../../models/index.js';
import { batchWithinMemory, createNetworkDatapath, type Datapath } from '../../sim/index.js';
import { workloadInputs } from '../../workload/index.js';
import { BATCH, captureRun, countDifferent, inputBatches, outputShape } from './batches.js';
import { type VerificationCase, verificationCases } from './cases.js';
import { type Comparison, compareLayer, judge } from './compare.js';
import { traceMismatch } from './differ.js';
import { FILE_STATES, type FileVerifyOptions, verifyFile } from './file/file-cases.js';
import { verifyGiven } from './file/given.js';
import { behindUnfused } from './fusions.js';
import { loadReference, unfusedGroups } from './onnxruntime.js';
import { type CaseResult, refusedCase, type VerifyOptions } from './result.js';

/** Part of the memory for the datapath: onnxruntime and copies of all tensors take the rest. */
const MEMORY_SHARE = 0.25;

/**
 * Compare the simulated datapath with onnxruntime: on the file as given, clean, with flipped bits in its weights and with
 * clips behind its activation functions; and on files that Bitcell writes, every layer and value to the bit: clean, with
 * fault maps written into the weights, and with clipped activations in standard operators.
 */
export async function verifyNetwork(options: VerifyOptions): Promise<CaseResult[]> {
  const { network, onProgress } = options;
  const unwritten = unwrittenReason(network);
  const datapath = createNetworkDatapath(
    network,
    loadKernels(),
    batchWithinMemory(network, BATCH, MEMORY_SHARE),
  );
  if (unwritten !== undefined) {
    const refused = refusedCase('files that Bitcell writes', unwritten);
    return [...(await verifyFile({ ...options, datapath })), refused];
  }
  const cases = verificationCases(options);
  const total = cases.reduce((sum, { images: count }) => sum + count, 0);
  const results = await verifyGiven(options, datapath);
  let done = 0;
  for (const verificationCase of cases) {
    const result = await verifyCase(verificationCase, datapath, options, (count) => {
      done += count;
      onProgress?.(done, total);
    });
    results.push(result);
  }
  const states = FILE_STATES.filter((state) => state !== 'clean');
  return [
    ...results,
    ...(await verifyFile({ ...options, datapath, states, onProgress: undefined })),
  ];
}

/**
 * Compare the file of a network with float32 words, which Bitcell need not be able to write, with onnxruntime: clean, with
 * flipped bits in its weights, and with clips behind its activation functions.
 */
export async function verifyFloat32File(
  options: Omit<FileVerifyOptions, 'datapath' | 'thresholds'>,
): Promise<CaseResult[]> {
  const { network } = options.graph;
  const batch = batchWithinMemory(network, BATCH, MEMORY_SHARE);
  const datapath = createNetworkDatapath(network, loadKernels(), batch);
  return verifyFile({ ...options, datapath, thresholds: new Map() });
}

/** Why a network is compared with its own file alone; undefined: Bitcell can write it, and feed what it writes. */
function unwrittenReason(network: Int8Network): string | undefined {
  const [input, ...others] = networkInputs(network);
  const isMap = input.layout === 'channels-last' && input.elementType === 'float32';
  if (others.length > 0 || networkOutputs(network).length > 1) {
    return 'it has several inputs or outputs';
  }
  if (!isMap || network.tensors.some(({ quantization }) => !quantization)) {
    return 'not all of its tensors are quantised maps';
  }
  try {
    writeQdq(network);
    return undefined;
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}

/**
 * Compare one case: every layer in a file whose inner tensors are outputs, and the final outputs in the same file
 * without them, since onnxruntime may fuse less where it must show what lies inside.
 *
 * @param datapath of the network; keeps the case's faults and activation units
 * @param onImages called with the number of images compared since the last call
 */
export async function verifyCase(
  verificationCase: VerificationCase,
  datapath: Datapath,
  { network, workload, threads }: Pick<VerifyOptions, 'network' | 'workload' | 'threads'>,
  onImages: (count: number) => void = () => {},
): Promise<CaseResult> {
  const { name, images, level, patches, clips, qdq } = verificationCase;
  datapath.setDisturbance({ weights: patches });
  datapath.setActivationUnits(int8Units(network, clips));
  const exposedModel = verificationCase.writeModel({ exposeLayers: true });
  const exposed = await loadReference(exposedModel, level, threads);
  // At the level `disabled` nothing is rewritten, whatever is an output.
  const plain =
    level === 'disabled'
      ? undefined
      : await loadReference(verificationCase.writeModel({}), level, threads);
  const comparison: Comparison = new Map();
  const { shape: inputShape } = network.tensors[network.input];
  const last = network.tensors[network.output];
  let exposingChanges = 0;
  for (const { inputs, first, count } of inputBatches(workload, images, datapath.batch)) {
    const pending = exposed.run(inputs, inputShape, count);
    const { tensors, outputs } = captureRun(datapath, inputs, count);
    const theirs = await pending;
    const place = { firstImage: first, images: count };
    for (const [order, layer] of network.layers.entries()) {
      const tensor = network.tensors[layer.output];
      const our = tensors.get(layer.output);
      const their = theirs.get(quantizedName(tensor));
      if (!our || !their) continue;
      const { shape } = tensor;
      compareLayer(comparison, {
        layer: layer.name,
        order,
        shape,
        ...place,
        ours: our,
        theirs: their,
      });
    }
    if (plain) {
      const final = (await plain.run(inputs, inputShape, count)).get(last.name);
      const shown = theirs.get(last.name);
      if (!final || !shown) throw new Error(`no output ${last.name}`);
      exposingChanges += countDifferent(shown, final);
      const parts = { layer: `${last.name} (output)`, order: network.layers.length, ...place };
      compareLayer(comparison, {
        ...parts,
        shape: outputShape(outputs, count),
        ours: outputs,
        theirs: final,
      });
    }
    onImages(count);
  }
  await exposed.release();
  await plain?.release();
  const unfused = qdq ? await unfusedGroups(exposedModel) : [];
  const behind = behindUnfused(network, unfused);
  const tensorAt = (order: number) => network.layers[order]?.output ?? network.output;
  const { first, ...found } = judge(comparison, (order) =>
    behind.has(tensorAt(order)) ? 'step' : 'exact',
  );
  return {
    ...{ name, images, layers: network.layers.length, ...found, exposingChanges, unfused },
    first:
      first &&
      traceMismatch(
        network,
        datapath,
        workloadInputs(workload, Uint32Array.of(first.image)),
        first,
      ),
  };
}
