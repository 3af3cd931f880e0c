import type { ProgressListener } from '../../../core/index.js';
import type { LayerThresholds } from '../../../mitigation/index.js';
import {
  encodeOnnx,
  inputsOf,
  isOnArray,
  isWeighted,
  type NetworkGraph,
  networkOutputs,
  type OnnxModel,
} from '../../../models/index.js';
import type { ActivationUnit, Datapath, WeightPatches } from '../../../sim/index.js';
import { type Workload, workloadInputs } from '../../../workload/index.js';
import { countDifferent } from '../batches.js';
import { judge, type Rule } from '../compare.js';
import { isInexact } from '../fusions.js';
import { type OptimizationLevel, UnloadableError, unfusedGroups } from '../onnxruntime.js';
import { type CaseResult, refusedCase } from '../result.js';
import { clippedIntegers, clippedNumbers } from './clips.js';
import { compareFile, exposed, type InnerValues, innerValues } from './compare-file.js';
import { faultyFile } from './faults.js';

/** What a comparison with the file of a network needs. */
export interface FileVerifyOptions {
  /** The network as it was read, with its file. */
  readonly graph: NetworkGraph;
  /** Reads another file as that one was read. */
  readonly read: (file: Uint8Array) => NetworkGraph;
  /** Of the network; left without faults and clips. */
  readonly datapath: Datapath;
  /** Of the profile. */
  readonly thresholds: LayerThresholds;
  readonly workload: Workload;
  /** The first so many of its samples. */
  readonly images: number;
  /** Threads of onnxruntime. */
  readonly threads: number;
  /** What becomes of the file; default: all of it. */
  readonly states?: readonly FileState[];
  /** Steps are images compared. */
  readonly onProgress?: ProgressListener | undefined;
}

/** The file as it is, with flipped bits in its weights, or with clips behind activation functions. */
export const FILE_STATES = ['clean', 'faulted', 'clipped'] as const;

export type FileState = (typeof FILE_STATES)[number];

/** Samples that a faulted, and that a clipped file runs at most. */
const OTHER_IMAGES = 25;

/** A file in one state, and what makes a datapath compute the same. */
interface Variant {
  readonly name: string;
  readonly model: OnnxModel;
  readonly patches?: WeightPatches;
  readonly units?: ReadonlyMap<string, ActivationUnit>;
}

/**
 * Compares the file that a network was read from with onnxruntime, in each state: its outputs at the level `all`, on a
 * file in which nothing else is an output, and its inner values on one in which they are, at `all` where they are
 * integers and at `disabled` where they are float32 numbers. Integers must be equal where onnxruntime computes in
 * integers what Bitcell does, and may differ by steps otherwise; float32 numbers must be close.
 */
export async function verifyFile(options: FileVerifyOptions): Promise<CaseResult[]> {
  const { states = FILE_STATES, onProgress } = options;
  const results: CaseResult[] = [];
  for (const [done, state] of states.entries()) {
    onProgress?.(done, states.length);
    results.push(...(await verifyState(options, state)));
  }
  onProgress?.(states.length, states.length);
  return results;
}

async function verifyState(options: FileVerifyOptions, state: FileState): Promise<CaseResult[]> {
  const { datapath, graph } = options;
  // Thresholds between float32 numbers are chosen from one batch, and hold for it alone.
  const most = state === 'clipped' ? Math.min(OTHER_IMAGES, datapath.batch) : OTHER_IMAGES;
  const images = state === 'clean' ? options.images : Math.min(options.images, most);
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(new Map());
  const inner = innerValues(graph);
  const variant = variantOf(options, state, inner, images);
  if (typeof variant === 'string') return [refusedCase(`the file as given, ${state}`, variant)];
  datapath.setDisturbance(variant.patches && { weights: variant.patches });
  datapath.setActivationUnits(variant.units ?? new Map());
  const { name, model } = variant;
  const level = graph.network.format === 'int8' ? 'all' : 'disabled';
  const untouched: { outputs?: readonly Float32Array[] } = {};
  const whole = await attempt(`${name}, all`, images, () =>
    compared(options, encodeOnnx(model), new Map(), 'all', images, (outputs) => {
      untouched.outputs = outputs;
      return 0;
    }),
  );
  const inside = await attempt(`${name}, inner values as outputs, ${level}`, images, () =>
    compared(options, encodeOnnx(exposed(model, inner)), inner, level, images, (outputs) =>
      level === 'all' ? changesOf(untouched.outputs ?? [], outputs) : 0,
    ),
  );
  datapath.setDisturbance(undefined);
  datapath.setActivationUnits(new Map());
  return [whole, inside];
}

/** The file in a state, or why it cannot be. */
function variantOf(
  { graph, read, datapath, thresholds, workload }: FileVerifyOptions,
  state: FileState,
  inner: InnerValues,
  images: number,
): Variant | string {
  const { model, network } = graph;
  switch (state) {
    case 'clean':
      return { name: 'the file as given, clean', model };
    case 'faulted': {
      const found = faultyFile(graph, read);
      if (!found) return 'it keeps no weights as the weight memory does';
      const { flips, layers, patches } = found;
      const all = network.layers.filter((layer) => isWeighted(layer)).length;
      const name = `the file as given, faulted: ${flips} flipped bits in ${patches.weights.length} words of ${layers} of ${all} layers`;
      return { name, model: found.model, patches };
    }
    case 'clipped': {
      const samples = workloadInputs(
        workload,
        Uint32Array.from({ length: Math.min(images, datapath.batch) }, (_, index) => index),
      );
      const count = samples.length / workload.sampleLength;
      const found =
        network.format === 'int8'
          ? clippedIntegers(model, network, inner, thresholds)
          : clippedNumbers(model, datapath, inner, samples, count);
      if (!found) return 'no activation function of it makes a value that can be clipped';
      return { name: `the file as given, clipped in ${found.units.size} layers`, ...found };
    }
  }
}

type Found = Omit<CaseResult, 'name' | 'images'>;

async function compared(
  { datapath, workload, threads, graph }: FileVerifyOptions,
  file: Uint8Array,
  inner: InnerValues,
  level: OptimizationLevel,
  images: number,
  changes: (outputs: readonly Float32Array[]) => number,
): Promise<Found> {
  const { network } = graph;
  const unfused = network.format === 'int8' ? await unfusedGroups(file) : [];
  const sides = { datapath, file, workload, images, threads };
  const { comparison, outputs } = await compareFile(sides, inner, level);
  const exposingChanges = changes(outputs);
  const behind = behindFloats(graph, unfused);
  const { first, ...judged } = judge(comparison, (order): Rule => {
    if (network.format === 'float32') return 'close';
    const place = order - network.layers.length;
    const tensor = place < 0 ? network.layers[order].output : networkOutputs(network)[place].tensor;
    return behind === 'all' || exposingChanges > 0 || behind.has(tensor) ? 'step' : 'exact';
  });
  return { layers: comparison.size, ...judged, exposingChanges, first, unfused };
}

/** How many outputs of the file untouched are others where inner values are outputs, too. */
function changesOf(one: readonly Float32Array[], other: readonly Float32Array[]): number {
  return one.reduce((sum, values, place) => sum + countDifferent(values, other[place]), 0);
}

/**
 * The tensors of a quantised network that depend on what is computed in float32: on a group that onnxruntime leaves unfused,
 * or on a layer that makes float32 numbers without a product in integers. `all` where a group is of no layer.
 */
function behindFloats(
  { network, products }: NetworkGraph,
  unfused: readonly string[],
): ReadonlySet<number> | 'all' {
  const named = network.format === 'int8' ? (network.unfused ?? []) : [];
  const labels = new Set([...unfused.filter(isInexact), ...named].map(nodeOf));
  const found = new Set<string>();
  const behind = new Set<number>();
  for (const layer of network.layers) {
    const names = [layer.name, products.get(layer.name)?.name ?? ''];
    const own = names.filter((name) => name !== '' && labels.has(name));
    for (const name of own) found.add(name);
    const isReal = !isOnArray(layer) && !network.tensors[layer.output].quantization;
    const depends = inputsOf(layer).some((tensor) => behind.has(tensor));
    if (own.length > 0 || isReal || depends) behind.add(layer.output);
  }
  return found.size < labels.size ? 'all' : behind;
}

/** The name in a label of a node, as `nodeLabel` writes it. */
function nodeOf(label: string): string {
  return /^node "(.*)" \(\S+\)$/.exec(label)?.[1] ?? label;
}

/** What onnxruntime itself refuses (it has bugs of its own) is told, not compared. */
async function attempt(
  name: string,
  images: number,
  compare: () => Promise<Found>,
): Promise<CaseResult> {
  try {
    return { name, images, ...(await compare()) };
  } catch (error) {
    if (!(error instanceof UnloadableError)) throw error;
    return refusedCase(name, `onnxruntime does not load it: ${error.message}`);
  }
}
