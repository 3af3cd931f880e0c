import { type FeatureShape, featureCount } from '../../core/index.js';
import { uniformFaultMap } from '../../fault/index.js';
import { createReferenceBackend, type Float32Clip } from '../../kernels/index.js';
import { activationUnits, type LayerThresholds, type Mitigation } from '../../mitigation/index.js';
import {
  type ClipNames,
  type Float32Network,
  isWeighted,
  normalize,
  writeFloat32Exposed,
} from '../../models/index.js';
import {
  applyFaultMap,
  firstWeightOfLayers,
  placeNetwork,
  storedWords,
  type WeightPatches,
  wordReader,
} from '../../sim/index.js';
import { loadReference, type OptimizationLevel, type Reference } from './onnxruntime.js';
import type { CaseResult, VerifyOptions } from './verify.js';

/** Images that a case runs, a few of which have all kinds of values. */
const IMAGES = 25;

/** Enough for weights that are enormous, infinite or NaN. */
const FAULT_RATE = 1e-4;

/** What a verification of float32 clips needs. */
export interface Float32VerifyOptions
  extends Pick<VerifyOptions, 'accelerator' | 'dataset' | 'images' | 'threads'> {
  readonly network: Float32Network;
  /** By mitigation. */
  readonly thresholds: ReadonlyMap<Exclude<Mitigation, 'none'>, LayerThresholds>;
}

/**
 * Compare clipped float32 activations with onnxruntime's by comparison and selection: onnxruntime sums in an order of
 * its own, so that sums differ in their last bits; but what stands behind a clip in the exported network must be, to
 * the bit, what our kernel's clip makes of onnxruntime's own sum, also where it is infinite or NaN.
 */
export async function verifyFloat32Clips(options: Float32VerifyOptions): Promise<CaseResult[]> {
  if (options.thresholds.size === 0) return [];
  const results: CaseResult[] = [];
  const faulty = withFaults(options);
  for (const [mitigation, thresholds] of options.thresholds) {
    const clips = clipsOf(mitigation, options.network, thresholds);
    for (const [state, network] of [
      ['clean', options.network],
      [`flip at ${FAULT_RATE.toExponential()}`, faulty],
    ] as const) {
      const { bytes, clipNames } = writeFloat32Exposed(network, clips);
      for (const level of ['disabled', 'all'] as const) {
        const name = `float32 ${mitigation}, ${state}, ${level}`;
        results.push(await verifyCase(name, bytes, clipNames, clips, level, options));
      }
    }
  }
  return results;
}

function clipsOf(
  mitigation: Mitigation,
  network: Float32Network,
  thresholds: LayerThresholds,
): ReadonlyMap<string, Float32Clip> {
  const units = activationUnits(mitigation, network, thresholds);
  return new Map(
    [...units].flatMap(([layer, unit]) => (unit.format === 'float32' ? [[layer, unit.clip]] : [])),
  );
}

async function verifyCase(
  name: string,
  model: Uint8Array,
  clipNames: readonly ClipNames[],
  clips: ReadonlyMap<string, Float32Clip>,
  level: OptimizationLevel,
  { network, dataset, images, threads }: Float32VerifyOptions,
): Promise<CaseResult> {
  const count = Math.min(images, IMAGES);
  const indices = Uint32Array.from({ length: count }, (_, index) => index);
  const reference: Reference = await loadReference(model, level, threads);
  const inputShape = network.tensors[network.input].shape;
  const outputs = await reference.run(normalize(dataset, indices), inputShape, count);
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
  return { name, images: count, layers, values, mismatches, first: undefined, unfused: [] };
}

function isSame(one: number, other: number): boolean {
  return one === other || (Number.isNaN(one) && Number.isNaN(other));
}

/**
 * Sums (image × channel × position) as a kernel clips them: each channel is a fully connected layer of one weight, 1,
 * whose sum is its input.
 */
function clipSums(
  sums: Float32Array,
  shape: FeatureShape,
  images: number,
  { mode, thresholds }: Float32Clip,
): Float32Array {
  const one = { channels: 1, height: 1, width: 1 };
  const kernel = createReferenceBackend().float32Convolution({
    shape: {
      ...{ input: one, output: one, kernel: [1, 1], strides: [1, 1] },
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
    kernel.setClip({ mode, thresholds: thresholds.slice(channel, channel + 1) });
    const end = start + positions;
    kernel.run(sums.subarray(start, end), clipped.subarray(start, end), positions);
  }
  return clipped;
}

/** The network with the words of a fault map in its weights. */
function withFaults({ network, accelerator }: Float32VerifyOptions): Float32Network {
  const placement = placeNetwork(network, accelerator, 'resident');
  const { geometry } = placement;
  const map = uniformFaultMap({ geometry, rate: FAULT_RATE, faults: 'flip', seed: 1, trial: 0 });
  return withFloat32Words(network, applyFaultMap(map, placement, storedWords(network)));
}

function withFloat32Words(
  network: Float32Network,
  { weights: numbers, words }: WeightPatches,
): Float32Network {
  const first = firstWeightOfLayers(network);
  const toValue = wordReader('float32');
  let layerIndex = 0;
  let position = 0;
  const layers = network.layers.map((layer) => {
    if (!isWeighted(layer)) return layer;
    const weights = layer.weights.slice();
    const start = first[layerIndex];
    layerIndex += 1;
    for (; numbers[position] < first[layerIndex]; position += 1) {
      weights[numbers[position] - start] = toValue(words[position]);
    }
    return { ...layer, weights };
  });
  return { ...network, layers };
}
