import { type Network, weightedLayers } from '../../models/index.js';
import type { Placement } from './placement.js';
import { firstWeightOfLayers } from './weight-position.js';

/** Number of stored weights of a network; what several layers share counts once. */
export function networkWeights(network: Network): number {
  return weightedLayers(network).reduce(
    (sum, { weights, sharedWeights }) => sum + (sharedWeights ? 0 : weights.length),
    0,
  );
}

/** A layer that reads words, and where among them. */
interface Reader {
  readonly firstWeight: number;
  readonly firstSlot: number;
  readonly count: number;
  /** The matrix of the first reader is `outputs` × `inputs` of this one, transposed; undefined: in the same order. */
  readonly transposed?: { readonly outputs: number; readonly inputs: number } | undefined;
}

/** What of a resident placement differs where layers share words. */
export type SharedSlots = Pick<
  Placement,
  'weights' | 'isInOrder' | 'slotOf' | 'occupancy' | 'weightAt'
>;

/**
 * Slots of a resident network some layers of which read the same words: the words lie behind one another in the order in
 * which layers first read them, and a slot holds a weight of each layer that reads it, in network order.
 *
 * @returns undefined where no layer shares words
 */
export function sharedSlots(network: Network): SharedSlots | undefined {
  const layers = weightedLayers(network);
  if (layers.every(({ sharedWeights }) => !sharedWeights)) return undefined;
  const firstWeights = firstWeightOfLayers(network);
  const firstSlots = new Map<string, number>();
  let slots = 0;
  const readers = layers.map(({ name, weights, shape, sharedWeights }, index): Reader => {
    const firstSlot = (sharedWeights && firstSlots.get(sharedWeights.layer)) ?? slots;
    if (!sharedWeights) {
      firstSlots.set(name, slots);
      slots += weights.length;
    }
    return {
      firstWeight: firstWeights[index],
      firstSlot,
      count: weights.length,
      transposed: sharedWeights?.transposed
        ? { outputs: shape.output.channels, inputs: shape.input.channels }
        : undefined,
    };
  });
  const owners = [...new Set(readers.map(({ firstSlot }) => firstSlot))];
  const readersFrom = new Map(
    owners.map((first) => [first, readers.filter(({ firstSlot }) => firstSlot === first)]),
  );
  const readersOf = (slot: number): readonly Reader[] =>
    slot < slots ? (readersFrom.get(owners.findLast((first) => first <= slot) ?? 0) ?? []) : [];
  return {
    weights: firstWeights[layers.length],
    isInOrder: false,
    slotOf(weight) {
      const reader = readers.findLast(({ firstWeight }) => firstWeight <= weight) ?? readers[0];
      const { firstWeight, firstSlot, transposed } = reader;
      const within = weight - firstWeight;
      return (
        firstSlot +
        (transposed ? transposedIndex(within, transposed.inputs, transposed.outputs) : within)
      );
    },
    occupancy: (slot) => readersOf(slot).length,
    weightAt(slot, occurrence) {
      const { firstWeight, firstSlot, transposed } = readersOf(slot)[occurrence];
      const within = slot - firstSlot;
      return (
        firstWeight +
        (transposed ? transposedIndex(within, transposed.outputs, transposed.inputs) : within)
      );
    },
  };
}

/** Where the value at `index` of a matrix of so many columns lies in the transposed one, which has `rows` columns. */
function transposedIndex(index: number, columns: number, rows: number): number {
  return (index % columns) * rows + Math.floor(index / columns);
}
