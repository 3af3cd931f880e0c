import { featureCount } from '../../../core/index.js';
import {
  type Network,
  type NetworkGraph,
  networkOutputs,
  type OnnxModel,
  type OnnxValue,
  type StoredValue,
} from '../../../models/index.js';
import type { Datapath } from '../../../sim/index.js';
import type { Workload } from '../../../workload/index.js';
import { captureRun, inputBatches } from '../batches.js';
import { type Comparison, compareLayer, type LayerOutputs } from '../compare.js';
import type { OptimizationLevel } from '../onnxruntime.js';
import { loadFile } from './session.js';

/** Both sides of a comparison: a datapath as it stands, and a file that is to compute the same. */
export interface Sides {
  readonly datapath: Datapath;
  readonly file: Uint8Array;
  readonly workload: Workload;
  readonly images: number;
  readonly threads: number;
}

/** A value inside the network, and its type in the file: integers of 8 bits, or float32 numbers. */
export interface InnerValue extends StoredValue {
  readonly elementType: 'int8' | 'uint8' | 'float32';
}

/** Values inside the network that are outputs of the file, too, by name. */
export type InnerValues = ReadonlyMap<string, InnerValue>;

/** The inner values of a file that both sides have: integers of a quantised network, float32 numbers of another. */
export function innerValues({ network, model, graph, stored }: NetworkGraph): InnerValues {
  const made = new Set(model.graph.nodes.flatMap(({ outputs }) => outputs));
  const outputs = new Set(model.graph.outputs.map(({ name }) => name));
  const isQuantized = network.format === 'int8';
  const computed = new Set(network.layers.map(({ output }) => output));
  return new Map(
    [...stored].flatMap(([name, value]): [string, InnerValue][] => {
      const elementType = graph.types.get(name)?.elementType;
      const isInteger = elementType === 'int8' || elementType === 'uint8';
      if (!isInteger && elementType !== 'float32') return [];
      if (!made.has(name) || outputs.has(name) || !computed.has(value.tensor)) return [];
      if (isInteger !== isQuantized || value.isInteger !== isQuantized) return [];
      return [[name, { ...value, elementType }]];
    }),
  );
}

/** The model with inner values as outputs, too. */
export function exposed(model: OnnxModel, inner: InnerValues): OnnxModel {
  const values = [...inner].map(
    ([name, { elementType }]): OnnxValue => ({ name, elementType, dims: undefined }),
  );
  const { graph } = model;
  return { ...model, graph: { ...graph, outputs: [...graph.outputs, ...values] } };
}

/** What a comparison of a file found. */
export interface FileComparison {
  readonly comparison: Comparison;
  /** What onnxruntime gave, sample by sample. */
  readonly outputs: readonly Float32Array[];
}

type ComparedValues = Pick<LayerOutputs, 'ours' | 'theirs' | 'isInteger' | 'range'>;

/**
 * Compares what the datapath and the file make of the first samples, one after the other: the outputs, and inner values.
 *
 * @returns what was found by the place of the layer that makes a value, outputs behind all layers; and onnxruntime's outputs
 */
export async function compareFile(
  { datapath, file, workload, images, threads }: Sides,
  inner: InnerValues,
  level: OptimizationLevel,
): Promise<FileComparison> {
  const { network } = datapath;
  const session = await loadFile(file, network, level, threads);
  const comparison: Comparison = new Map();
  const allOutputs: Float32Array[] = [];
  const orders = new Map(network.layers.map(({ output }, order) => [output, order]));
  for (const { inputs, first, count } of inputBatches(workload, images, datapath.batch)) {
    const { tensors, outputs } = captureRun(datapath, inputs, count);
    const length = inputs.length / count;
    for (let image = 0; image < count; image += 1) {
      const theirs = await session.run(inputs.subarray(image * length, (image + 1) * length));
      const add = (order: number, layer: string, values: ComparedValues) =>
        compareLayer(comparison, {
          ...{ layer, order, ...values, firstImage: first + image, images: 1 },
          shape: { channels: values.theirs.length, height: 1, width: 1 },
        });
      for (const [name, value] of inner) {
        const [values, their] = [tensors.get(value.tensor), theirs.get(name)];
        const order = orders.get(value.tensor);
        if (!values || !their || order === undefined) continue;
        add(order, network.layers[order].name, {
          ours: fileOrdered(network, value, values, image),
          theirs: their,
          isInteger: value.isInteger,
          // A step passes from layer to layer, and grows with them, where most of a tensor is zero.
          ...(value.isInteger && { range: value.elementType === 'int8' ? [-128, 127] : [0, 255] }),
        });
      }
      let start = (image * outputs.length) / count;
      for (const [place, { name, tensor, elementType }] of networkOutputs(network).entries()) {
        const own = featureCount(network.tensors[tensor].shape);
        const their = theirs.get(name);
        if (!their) throw new Error(`no output ${name}`);
        allOutputs.push(their);
        add(network.layers.length + place, `${name} (output)`, {
          ours: outputs.subarray(start, start + own),
          theirs: their,
          isInteger: elementType !== 'float32',
        });
        start += own;
      }
    }
  }
  await session.release();
  return { comparison, outputs: allOutputs };
}

/** A value of one image in the order of the file, integers as the file has them. */
function fileOrdered(
  network: Network,
  { tensor, dims, layout, elementType }: InnerValue,
  values: Uint8Array | Float32Array,
  image: number,
): Float32Array {
  const length = featureCount(network.tensors[tensor].shape);
  // A view of a tensor under other dimensions has channels of its own.
  const channels = layout === 'channels-last' ? (dims[1] ?? 1) : 1;
  const positions = length / channels;
  const offset = elementType === 'int8' ? 128 : 0;
  const ordered = new Float32Array(length);
  let target = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let position = 0; position < positions; position += 1) {
      ordered[target] = values[image * length + position * channels + channel] - offset;
      target += 1;
    }
  }
  return ordered;
}
