import { createRandomStream, PURPOSE, sampleWithoutReplacement } from '../../../core/index.js';
import {
  encodeOnnx,
  isWeighted,
  type NetworkGraph,
  type OnnxModel,
  type OnnxTensor,
} from '../../../models/index.js';
import { storedWords, type WeightPatches, weightLocator } from '../../../sim/index.js';

/** A file with flipped bits in its weights, and the words that read differently for it. */
export interface FaultyFile {
  readonly model: OnnxModel;
  readonly patches: WeightPatches;
  /** Bits that are flipped. */
  readonly flips: number;
  /** Layers with such words. */
  readonly layers: number;
}

/** Shares of the bits that are flipped: enough to reach every layer of most networks, and to leave something of them. */
const RATE = 1e-3;
const MOST_FLIPS = 2000;

/** The exponent's highest bit makes numbers near the largest, of whose sums the order decides whether they are infinite. */
const FLOAT32_BITS = [...Array(32).keys()].filter((bit) => bit !== 30);
const BYTE_BITS = [...Array(8).keys()];

type Stored = Extract<OnnxTensor, { elementType: 'int8' | 'uint8' | 'float32' }>;

/**
 * Flips bits of the weights where the file keeps them, and finds out which words of the weight memory are others when
 * the network is read from it: what a fault map that breaks these words is to amount to.
 *
 * @param sizes as the network was read with
 * @returns undefined where the file keeps no weights as the memory does, or another network comes of it
 */
export function faultyFile(
  { model, graph, network }: NetworkGraph,
  read: (file: Uint8Array) => NetworkGraph,
): FaultyFile | undefined {
  const keys = new Set(
    network.layers
      .filter((layer) => isWeighted(layer))
      .map(({ weights }) => graph.weightSources.get(weights)?.key ?? ''),
  );
  const struck = tensorsBehind(model, keys);
  const flipped = flipBits(struck);
  if (flipped.size === 0) return undefined;
  const faulty = replaced(model, flipped);
  const other = read(encodeOnnx(faulty)).network;
  const [words, found] = [storedWords(network), storedWords(other)];
  if (words.length !== found.length || other.layers.length !== network.layers.length) {
    return undefined;
  }
  const differing: number[] = [];
  for (let index = 0; index < words.length; index += 1) {
    if (words[index] !== found[index]) differing.push(index);
  }
  if (differing.length === 0) return undefined;
  const positionOf = weightLocator(network);
  return {
    model: faulty,
    layers: new Set(differing.map((weight) => positionOf(weight).layer)).size,
    flips: [...flipped.values()].reduce((sum, { flips }) => sum + flips, 0),
    patches: {
      weights: Uint32Array.from(differing),
      words: Uint32Array.from(differing, (index) => found[index]),
      effectiveFaults: differing.length,
    },
  };
}

/** The stored tensors from which constants of these names are made. */
function tensorsBehind({ graph }: OnnxModel, names: ReadonlySet<string>): Stored[] {
  const tensors = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const found = new Map<string, Stored>();
  const seen = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (name === '' || seen.has(name)) continue;
    seen.add(name);
    const maker = makers.get(name);
    const value = maker?.attributes.get('value');
    const tensor = tensors.get(name) ?? (value?.type === 'tensor' ? value.value : undefined);
    if (tensor && isStored(tensor)) found.set(name, tensor);
    else if (maker) queue.push(...maker.inputs);
  }
  return [...found].map(([name, tensor]) => ({ ...tensor, name }) as Stored);
}

function isStored(tensor: OnnxTensor): tensor is Stored {
  const { elementType, dims } = tensor;
  const isWord = elementType === 'int8' || elementType === 'uint8' || elementType === 'float32';
  return isWord && dims.length > 1 && !tensor.absent;
}

interface Flipped {
  readonly tensor: Stored;
  readonly flips: number;
}

function flipBits(tensors: readonly Stored[]): ReadonlyMap<string, Flipped> {
  const bitsOf = ({ elementType }: Stored) =>
    elementType === 'float32' ? FLOAT32_BITS : BYTE_BITS;
  const counts = tensors.map((tensor) => tensor.data.length * bitsOf(tensor).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const wanted = Math.min(MOST_FLIPS, Math.max(1, Math.round(total * RATE)), total);
  const stream = createRandomStream(1, 0, PURPOSE.faultOrder);
  const places = sampleWithoutReplacement(stream, total, wanted).toSorted();
  const flipped = new Map<string, Flipped>();
  let start = 0;
  let next = 0;
  for (const [index, tensor] of tensors.entries()) {
    const bits = bitsOf(tensor);
    const data = tensor.data.slice();
    const words =
      data instanceof Float32Array
        ? new Uint32Array(data.buffer, data.byteOffset, data.length)
        : data;
    let flips = 0;
    for (; next < places.length && places[next] < start + counts[index]; next += 1) {
      const place = places[next] - start;
      words[Math.floor(place / bits.length)] ^= 1 << bits[place % bits.length];
      flips += 1;
    }
    start += counts[index];
    if (flips > 0) flipped.set(tensor.name, { tensor: { ...tensor, data } as Stored, flips });
  }
  return flipped;
}

/** The model with other data in initialisers and Constant nodes. */
function replaced(model: OnnxModel, flipped: ReadonlyMap<string, Flipped>): OnnxModel {
  const { graph } = model;
  return {
    ...model,
    graph: {
      ...graph,
      initializers: graph.initializers.map((tensor) => flipped.get(tensor.name)?.tensor ?? tensor),
      nodes: graph.nodes.map((node) => {
        const found = node.opType === 'Constant' ? flipped.get(node.outputs[0]) : undefined;
        if (!found) return node;
        const value = { type: 'tensor', value: found.tensor } as const;
        return { ...node, attributes: new Map([...node.attributes, ['value', value]]) };
      }),
    },
  };
}
