import { type FeatureShape, featureCount, rateText } from '../../core/index.js';
import { uniformFaultMap } from '../../fault/index.js';
import { createReferenceBackend } from '../../kernels/index.js';
import { type ClipUse, float32Clips, type LayerThresholds } from '../../mitigation/index.js';
import {
  type ClipNames,
  type Float32Clips,
  type Float32Network,
  writeFloat32Exposed,
} from '../../models/index.js';
import { applyFaultMap, placeNetwork, storedWords, withWords } from '../../sim/index.js';
import { workloadInputs } from '../../workload/index.js';
import { neuronThresholds } from './cases.js';
import { loadReference, type OptimizationLevel, type Reference } from './onnxruntime.js';
import type { CaseResult, VerifyOptions } from './result.js';

/** Images that a case runs, a few of which have all kinds of values. */
const IMAGES = 25;

/** Enough for weights that are enormous, infinite or NaN. */
const FAULT_RATE = 1e-4;

type Clip = Float32Clips extends ReadonlyMap<string, infer Value> ? Value : never;

/** What a verification of float32 clips needs. */
export interface Float32VerifyOptions
  extends Pick<VerifyOptions, 'accelerator' | 'workload' | 'images' | 'threads' | 'given'> {
  readonly network: Float32Network;
  /** By what clips do. */
  readonly thresholds: ReadonlyMap<ClipUse, LayerThresholds>;
}

/**
 * Compare clipped float32 activations with onnxruntime's by comparison and selection: onnxruntime sums in an order of
 * its own, so that sums differ in their last bits; but what stands behind a clip in the exported network must be, to
 * the bit, what our kernel's clip makes of onnxruntime's own sum, also where it is infinite or NaN.
 */
export async function verifyFloat32Clips(options: Float32VerifyOptions): Promise<CaseResult[]> {
  if (options.thresholds.size === 0 && !options.given) return [];
  const results: CaseResult[] = [];
  const faulty = withFaults(options);
  for (const [kind, clips] of clipsOf(options)) {
    for (const [state, network] of [
      ['clean', options.network],
      [`flip at ${rateText(FAULT_RATE)}`, faulty],
    ] as const) {
      const { bytes, clipNames } = writeFloat32Exposed(network, clips);
      for (const level of ['disabled', 'all'] as const) {
        const name = `float32 ${kind}, ${state}, ${level}`;
        results.push(await verifyCase(name, bytes, clipNames, clips, level, options));
      }
    }
  }
  return results;
}

/** Clips by what they are: those of the thresholds, a given one, and one with a threshold for each neuron. */
function clipsOf({ network, thresholds, given }: Float32VerifyOptions): Map<string, Float32Clips> {
  const clips = new Map<string, Float32Clips>(
    [...thresholds].map(([mitigation, found]) => [
      mitigation,
      float32Clips(mitigation, network, found),
    ]),
  );
  if (given) {
    const { use, thresholds: found, position } = given.clip;
    clips.set(given.name, float32Clips(use, network, found, position));
  }
  const profile = thresholds.get('clip');
  if (profile) {
    const perNeuron = neuronThresholds(network, profile);
    clips.set('clip per neuron', float32Clips('clip', network, perNeuron));
  }
  return clips;
}

async function verifyCase(
  name: string,
  model: Uint8Array,
  clipNames: readonly ClipNames[],
  clips: Float32Clips,
  level: OptimizationLevel,
  { network, workload, images, threads }: Float32VerifyOptions,
): Promise<CaseResult> {
  const count = Math.min(images, IMAGES);
  const indices = Uint32Array.from({ length: count }, (_, index) => index);
  const reference: Reference = await loadReference(model, level, threads);
  const inputShape = network.tensors[network.input].shape;
  const outputs = await reference.run(workloadInputs(workload, indices), inputShape, count);
  await reference.release();
  let [values, mismatches] = [0, 0];
  for (const { layer, tensor, sum, clipped } of clipNames) {
    const [sums, found] = [outputs.get(sum), outputs.get(clipped)];
    const clip = clips.get(layer);
    if (!clip || !(sums instanceof Float32Array) || !(found instanceof Float32Array)) {
      throw new Error(`no values around the clip of ${layer}`);
    }
    const expected = clipSums(sums, network.tensors[tensor].shape, count, clip);
    values += found.length;
    mismatches += found.filter((value, index) => !isSame(value, expected[index])).length;
  }
  const { length: layers } = clipNames;
  return {
    ...{ name, images: count, layers, values, mismatches, steps: 0, exposingChanges: 0 },
    ...{ first: undefined, unfused: [] },
  };
}

function isSame(one: number, other: number): boolean {
  return one === other || (Number.isNaN(one) && Number.isNaN(other));
}

/**
 * Sums (image × channel × position) as a kernel clips them: each channel is a 1×1 convolution of one weight, 1, whose
 * sums are its inputs.
 */
function clipSums(
  sums: Float32Array,
  shape: FeatureShape,
  images: number,
  { mode, thresholds }: Clip,
): Float32Array {
  const map = { ...shape, channels: 1 };
  const kernel = createReferenceBackend().float32Convolution({
    shape: {
      ...{ input: map, output: map, kernel: [1, 1], strides: [1, 1] },
      ...{ pads: [0, 0, 0, 0], dilations: [1, 1], groups: 1 },
    },
    weights: Float32Array.of(1),
    bias: Float32Array.of(0),
    relu: false,
  });
  const positions = shape.height * shape.width;
  const clipped = new Float32Array(images * featureCount(shape));
  for (let start = 0; start < clipped.length; start += positions) {
    const channel = (start / positions) % shape.channels;
    const perChannel = thresholds.length / shape.channels;
    const first = channel * perChannel;
    kernel.setClip({ mode, thresholds: thresholds.subarray(first, first + perChannel) });
    const end = start + positions;
    kernel.run(sums.subarray(start, end), clipped.subarray(start, end), 1);
  }
  return clipped;
}

/** The network with the words of a fault map in its weights. */
function withFaults({ network, accelerator }: Float32VerifyOptions): Float32Network {
  const placement = placeNetwork(network, accelerator, 'resident');
  const { geometry } = placement;
  const map = uniformFaultMap({ geometry, rate: FAULT_RATE, faults: 'flip', seed: 1, trial: 0 });
  return withWords(network, applyFaultMap(map, placement, storedWords(network)));
}
