import type { SumGroup, WordMasks } from '../../kernels/index.js';
import { isOnArray, isWeighted, type Network, type WeightedLayer } from '../../models/index.js';
import { sharedSlots } from '../memory/shared-slots.js';
import { firstWeightOfLayers } from '../memory/weight-position.js';
import { type ArrayWeights, filterReader } from './array/window-weights.js';
import { UNCHANGED } from './array/word-functions.js';
import type { Disturbance, ReadThrough } from './disturbance.js';
import { patchesOfLayer, readLayer } from './layer-patches.js';
import type { WeightPatches } from './patches.js';
import { withOneNaN } from './stored-values.js';

/** One bit of one value that is inverted at one moment while an image passes. */
export type TransientFault = TransientWeight | TransientValue | TransientOperation;

/** Of a weight, numbered over the network, in its memory: for the whole image, and for all layers that read its word. */
export interface TransientWeight {
  readonly kind: 'weight';
  readonly weight: number;
  readonly bit: number;
}

/** Of a value of a tensor, (y · width + x) · channels + channel, when it has been written. */
export interface TransientValue {
  readonly kind: 'value';
  readonly tensor: number;
  readonly value: number;
  readonly bit: number;
}

/** In a processing element, while it makes or adds the product of one window position for one output. */
export interface TransientOperation {
  readonly kind: 'operation';
  /** Whose bit is inverted: of the weight, stored as in its memory, of the product, or of the sum that it was added to. */
  readonly register: 'weight' | 'product' | 'sum';
  /** Index into `network.layers`. */
  readonly layer: number;
  /** Output channel of the layer. */
  readonly channel: number;
  /**
   * The output positions for which it does so, from the first to before the end: one, but a weight stays in its register,
   * or moves on to the next elements, and is then the same for other positions.
   */
  readonly firstPosition: number;
  readonly endPosition: number;
  /** Window position, in the order in which products are added. */
  readonly window: number;
  readonly bit: number;
}

/** Bits of an int8 product; the highest one is the sign. */
const INT8_PRODUCT_BITS = 18;

/** What transient faults make of one image. */
export function transientDisturbance(
  network: Network,
  faults: readonly TransientFault[],
  words: Uint8Array | Uint32Array,
): Disturbance {
  const weights = transientPatches(
    faults.filter((fault) => fault.kind === 'weight'),
    network,
    words,
  );
  const tensors = transientReads(faults.filter((fault) => fault.kind === 'value'));
  const sums = transientSums(
    faults.filter((fault) => fault.kind === 'operation'),
    network,
    weights,
  );
  return {
    ...(weights.weights.length > 0 && { weights }),
    ...(tensors.size > 0 && { tensors }),
    ...(sums.size > 0 && { sums }),
  };
}

/** The patches of weights of which bits are inverted. */
function transientPatches(
  faults: readonly TransientWeight[],
  network: Network,
  words: Uint8Array | Uint32Array,
): WeightPatches {
  const inverted = new Map<number, number>();
  const readersOf = faults.length > 0 ? weightsOfWord(network) : undefined;
  for (const { weight, bit } of faults) {
    for (const one of readersOf?.(weight) ?? []) {
      inverted.set(one, (inverted.get(one) ?? 0) ^ (1 << bit));
    }
  }
  const weights = Uint32Array.from(inverted.keys()).sort();
  return {
    weights,
    words: Uint32Array.from(weights, (weight) => words[weight] ^ (inverted.get(weight) ?? 0)),
    effectiveFaults: faults.length,
  };
}

/** The weights that are read of the word of a weight: that of each layer that shares it. */
function weightsOfWord(network: Network): (weight: number) => readonly number[] {
  const shared = sharedSlots(network);
  if (!shared) return (weight) => [weight];
  return (weight) => {
    const slot = shared.slotOf(weight);
    return Array.from({ length: shared.occupancy(slot) }, (_, reader) =>
      shared.weightAt(slot, reader),
    );
  };
}

/** What is read of the tensors of which bits are inverted, by index into `network.tensors`. */
export function transientReads(faults: readonly TransientValue[]): Map<number, ReadThrough> {
  const byTensor = groupBy(faults, ({ tensor }) => tensor);
  return new Map(
    [...byTensor].map(([tensor, its]) => [
      tensor,
      (words) => {
        for (const { value, bit } of its) {
          if (words instanceof Uint32Array) words[value] = withOneNaN(words[value]);
          words[value] ^= 1 << bit;
        }
      },
    ]),
  );
}

/**
 * The outputs that faults in operations change, by index into `network.layers`.
 *
 * @param weights as they are read of their memory, where that is not as they are stored
 */
export function transientSums(
  faults: readonly TransientOperation[],
  network: Network,
  weights?: WeightPatches,
): Map<number, readonly SumGroup[]> {
  const byLayer = groupBy(faults, ({ layer }) => layer);
  return new Map(
    [...byLayer].map(([index, its]) => {
      const layer: Network['layers'][number] = network.layers[index];
      if (!isOnArray(layer)) throw new Error(`${layer.name} does not run on the array`);
      const own = patchesOfLayer(weights, firstWeightOf(network, index), layer.weights.length);
      return [index, groupsOf(its, layer, readLayer(layer, own))];
    }),
  );
}

/** Number of the first weight of a layer, by its index into `network.layers`. */
function firstWeightOf(network: Network, index: number): number {
  const layers: readonly Network['layers'][number][] = network.layers;
  return firstWeightOfLayers(network)[
    layers.slice(0, index).filter((one) => isWeighted(one)).length
  ];
}

/** Outputs of one channel that the same faults strike, at these positions. */
export interface StruckOutputs {
  readonly channel: number;
  readonly faults: readonly TransientOperation[];
  readonly positions: number[];
}

function groupsOf(
  faults: readonly TransientOperation[],
  layer: WeightedLayer,
  read: ArrayWeights,
): SumGroup[] {
  const readFilter = filterReader(read);
  return struckOutputs(faults).map(({ channel, faults: its, positions }) => {
    const channels = Uint32Array.of(channel);
    const { weights } = readFilter(channels, [UNCHANGED], false);
    for (const fault of its) invertWeight(fault, weights, layer);
    return {
      positions: Uint32Array.from(positions),
      parts: [{ channels, weights, steps: stepsOf(its, layer) }],
    };
  });
}

/** The outputs that faults strike, those together that the same ones do. */
export function struckOutputs(faults: readonly TransientOperation[]): StruckOutputs[] {
  const struck = new Map<string, StruckOutputs>();
  for (const [channel, its] of groupBy(faults, (one) => one.channel)) {
    const bounds = new Set(its.flatMap((one) => [one.firstPosition, one.endPosition]));
    const ascending = [...bounds].sort((a, b) => a - b);
    for (const [place, first] of ascending.entries()) {
      const end = ascending[place + 1] ?? first;
      const here = its.filter((one) => one.firstPosition <= first && first < one.endPosition);
      if (here.length === 0) continue;
      const key = `${channel}:${here.map((one) => its.indexOf(one)).join()}`;
      const known = struck.get(key) ?? { channel, faults: here, positions: [] };
      for (let position = first; position < end; position += 1) known.positions.push(position);
      struck.set(key, known);
    }
  }
  return [...struck.values()];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** Invert a bit of a weight of one filter, which is in window order. */
function invertWeight(
  { register, channel, window, bit }: TransientOperation,
  weights: Int16Array | Float32Array,
  layer: WeightedLayer,
): void {
  if (register !== 'weight') return;
  if (weights instanceof Float32Array) {
    new Uint32Array(weights.buffer, weights.byteOffset, weights.length)[window] ^= 1 << bit;
    return;
  }
  const zeroPoint = 'zeroPoints' in layer ? layer.zeroPoints[channel] : 0;
  // A bit of the stored word is the same bit of the weight, inverted or not.
  const weight = (weights[window] + zeroPoint) ^ (1 << bit);
  weights[window] = ((weight << 24) >> 24) - zeroPoint;
}

/** Where products and sums have an inverted bit, ascending. */
function stepsOf(
  faults: readonly TransientOperation[],
  layer: WeightedLayer,
): SumGroup['parts'][number]['steps'] {
  const struck = faults.filter(({ register }) => register !== 'weight');
  const at = Uint32Array.from(new Set(struck.map(({ window }) => window))).sort();
  const inverted = (which: TransientOperation['register']): WordMasks => ({
    and: new Uint32Array(at.length).fill(0xffffffff),
    or: new Uint32Array(at.length),
    xor: Uint32Array.from(at, (window) =>
      struck
        .filter((one) => one.register === which && one.window === window)
        .reduce((mask, one) => mask ^ invertedBits(one, layer), 0),
    ),
  });
  return { at, product: inverted('product'), sum: inverted('sum') };
}

/** The bits that a fault inverts: the highest one of an int8 product is its sign, which stands in all bits above, too. */
export function invertedBits({ register, bit }: TransientOperation, layer: WeightedLayer): number {
  const isSign = register === 'product' && 'zeroPoints' in layer && bit === INT8_PRODUCT_BITS - 1;
  return isSign ? -1 << bit : 1 << bit;
}
