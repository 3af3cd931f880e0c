import { ModelError } from '../../../core/index.js';
import { int8Clips, int8Units, type LayerThresholds } from '../../../mitigation/index.js';
import {
  arrayLayers,
  type Int8LayerClip,
  type Int8Network,
  type Network,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../../../models/index.js';
import type { ActivationUnit, Datapath } from '../../../sim/index.js';
import { captureRun } from '../batches.js';
import type { InnerValue, InnerValues } from './compare-file.js';

/** A file with clips behind activation functions, and the activation units that do the same. */
export interface ClippedFile {
  readonly model: OnnxModel;
  readonly units: ReadonlyMap<string, ActivationUnit>;
}

/** Values above their threshold become 0. */
interface ValueClip {
  readonly value: string;
  readonly stored: InnerValue;
  /** As the file has the value: one, or one for each channel. */
  readonly thresholds: Int32Array | Float32Array;
  readonly zero: number;
}

/** A layer on the array whose result is a value of the file. */
interface NamedResult {
  readonly layer: string;
  readonly value: string;
  readonly stored: InnerValue;
}

/** The layers whose results are values of the file, of those that are asked for. */
function resultsOf(
  network: Network,
  inner: InnerValues,
  wanted: (name: string) => boolean,
): NamedResult[] {
  const byTensor = new Map([...inner].map(([value, stored]) => [stored.tensor, { value, stored }]));
  return arrayLayers(network).flatMap(({ name, output }) => {
    const found = wanted(name) ? byTensor.get(output) : undefined;
    return found ? [{ layer: name, ...found }] : [];
  });
}

/**
 * Clips the integers of a quantised file at half the profile, behind requantisation: there the file has a value for it,
 * and stays as it is before.
 *
 * @returns undefined where no clipped layer's result is a value of the file
 */
export function clippedIntegers(
  model: OnnxModel,
  network: Int8Network,
  inner: InnerValues,
  profile: LayerThresholds,
): ClippedFile | undefined {
  const results = resultsOf(network, inner, (name) => profile.has(name));
  if (results.length === 0) return undefined;
  const halves = new Map(
    results.map(({ layer }) => [layer, (profile.get(layer) ?? []).map((t) => Math.floor(t / 2))]),
  );
  const clips: ReadonlyMap<string, Int8LayerClip> = int8Clips(
    'clip',
    network,
    halves,
    'requantised',
  );
  const values = results.map(({ layer, value, stored }): ValueClip => {
    const { quantization } = network.tensors[stored.tensor];
    const offset = stored.elementType === 'int8' ? 128 : 0;
    const thresholds = clips.get(layer)?.thresholds ?? [];
    return {
      ...{ value, stored, zero: (quantization?.zeroPoint ?? 0) - offset },
      thresholds: Int32Array.from(thresholds, (threshold) => threshold - offset),
    };
  });
  return { model: withClips(model, network, values), units: int8Units(network, clips) };
}

/** Layers that are clipped in float32 words at most, spread over the network. */
const MOST_CLIPPED = 4;

/** Between the values on both sides of a threshold there must be this share of it, far more than sums differ by. */
const LEAST_GAP = 2e-3;

/**
 * Clips float32 numbers behind activation functions, at thresholds between values that lie apart: close to one, the
 * order of a sum would decide what is clipped.
 *
 * @param samples of the network, of which `count` are compared
 * @returns undefined where no layer has such a threshold
 */
export function clippedNumbers(
  model: OnnxModel,
  datapath: Datapath,
  inner: InnerValues,
  samples: Float32Array,
  count: number,
): ClippedFile | undefined {
  const { network } = datapath;
  const rectified = new Set(arrayLayers(network).flatMap(({ name, relu }) => (relu ? [name] : [])));
  const results = resultsOf(network, inner, (name) => rectified.has(name));
  const step = Math.max(1, Math.ceil(results.length / MOST_CLIPPED));
  const units = new Map<string, ActivationUnit>();
  const values: ValueClip[] = [];
  for (const { layer, value, stored } of results.filter((_, index) => index % step === 0)) {
    datapath.setActivationUnits(units);
    const found = captureRun(datapath, samples, count).tensors.get(stored.tensor);
    const threshold = found && thresholdApart(found);
    if (threshold === undefined) continue;
    const { channels } = network.tensors[stored.tensor].shape;
    const thresholds = new Float32Array(channels).fill(threshold);
    units.set(layer, { format: 'float32', clip: { mode: 'clip-zero', thresholds } });
    values.push({ value, stored, thresholds: Float32Array.of(threshold), zero: 0 });
  }
  return values.length === 0 ? undefined : { model: withClips(model, network, values), units };
}

/** The middle of the widest gap, by ratio, among the upper half of positive values; undefined: none is wide enough. */
function thresholdApart(values: Uint8Array | Float32Array): number | undefined {
  const sorted = Float32Array.from(values)
    .filter((value) => value > 0)
    .sort();
  let [widest, threshold] = [LEAST_GAP, undefined as number | undefined];
  for (let index = Math.floor(sorted.length / 2); index < sorted.length - 1; index += 1) {
    const gap = sorted[index + 1] / sorted[index] - 1;
    if (!(gap > widest)) continue;
    widest = gap;
    threshold = Math.fround((sorted[index] + sorted[index + 1]) / 2);
  }
  return threshold;
}

/** Numbers of TensorProto.DataType. */
const DATA_TYPE = { uint8: 2, int8: 3, int32: 6 } as const;

/** The model with clips in standard operators between the nodes that make values and all that take them. */
function withClips(model: OnnxModel, network: Network, clips: readonly ValueClip[]): OnnxModel {
  const nodes: OnnxNode[] = [...model.graph.nodes];
  const initializers: OnnxTensor[] = [...model.graph.initializers];
  for (const { value, stored, thresholds, zero } of clips) {
    const index = nodes.findIndex(({ outputs }) => outputs.includes(value));
    if (index < 0) throw new ModelError(`${network.name}: nothing makes the value "${value}"`);
    const [unclipped, limit, zeroName] = ['unclipped', 'limit', 'zero'].map(
      (what) => `${value}.bitcell.${what}`,
    );
    const maker = nodes[index];
    const outputs = maker.outputs.map((name) => (name === value ? unclipped : name));
    const dims = thresholdDims(stored, thresholds.length);
    const node = (
      opType: string,
      inputs: readonly string[],
      output: string,
      to?: number,
    ): OnnxNode => ({
      ...{ name: `${value}.bitcell.${opType}.${output}`, opType, domain: '' },
      ...{ inputs, outputs: [output] },
      attributes: new Map<string, OnnxAttribute>(
        to === undefined ? [] : [['to', { type: 'int', value: to }]],
      ),
    });
    const [wide, exceeds, clipped] = ['wide', 'exceeds', 'clipped'].map(
      (what) => `${value}.bitcell.${what}`,
    );
    if (thresholds instanceof Int32Array) {
      initializers.push(
        { name: limit, elementType: 'int32', dims, data: thresholds },
        { name: zeroName, elementType: 'int32', dims: [], data: Int32Array.of(zero) },
      );
      nodes.splice(
        index,
        1,
        { ...maker, outputs },
        node('Cast', [unclipped], wide, DATA_TYPE.int32),
        node('Greater', [wide, limit], exceeds),
        node('Where', [exceeds, zeroName, wide], clipped),
        node('Cast', [clipped], value, DATA_TYPE[stored.elementType as 'int8' | 'uint8']),
      );
    } else {
      initializers.push(
        { name: limit, elementType: 'float32', dims, data: thresholds },
        { name: zeroName, elementType: 'float32', dims: [], data: Float32Array.of(zero) },
      );
      nodes.splice(
        index,
        1,
        { ...maker, outputs },
        node('Greater', [unclipped, limit], exceeds),
        node('Where', [exceeds, zeroName, unclipped], value),
      );
    }
  }
  return { ...model, graph: { ...model.graph, nodes, initializers } };
}

/** Dimensions in which thresholds broadcast to a value: one for all, one for each channel. */
function thresholdDims({ dims, layout }: InnerValue, count: number): number[] {
  if (count === 1) return [];
  if (layout === 'row-major') return [count];
  return [1, count, ...dims.slice(2).map(() => 1)];
}
