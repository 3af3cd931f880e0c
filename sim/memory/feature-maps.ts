import { featureCount, InputError } from '../../core/index.js';
import type { CellGeometry } from '../../fault/index.js';
import {
  definitionOf,
  inputsOf,
  isOnArray,
  isWeighted,
  type Layer,
  type Network,
  networkInputs,
  networkOutputs,
  WORD_BITS,
} from '../../models/index.js';
import type { Placement } from './placement.js';
import {
  defaultResidentMemory,
  memoryGeometry,
  slotCount,
  type WeightMemory,
  wordSlots,
} from './weight-memory.js';

/** A tensor in the feature-map memory. */
export interface StoredTensor {
  /** Index into `network.tensors`. */
  readonly tensor: number;
  /** The layer that writes it; undefined: it is the network's input. */
  readonly layer: string | undefined;
  /**
   * Its values (height × width × channels, channels innermost) as what a placement calls weights: each in its slot, and
   * where there are fewer slots than values, these fill them in turn.
   */
  readonly placement: Placement;
}

/** The tensors of a network in the memory that holds its feature maps. */
export interface FeatureMaps {
  readonly kind: Placement['kind'];
  readonly memory: WeightMemory;
  readonly geometry: CellGeometry;
  /** Bits of a value: 8 (int8) or 32 (float32). */
  readonly valueBits: 8 | 32;
  /** In the order in which they are written, the network's input first. */
  readonly tensors: readonly StoredTensor[];
}

/** A tensor that the feature-map memory holds, without its place. */
export type HeldTensor = Omit<StoredTensor, 'placement'> & { readonly values: number };

/**
 * The network's inputs and what its layers hand on, in the order in which it is written. A flattened tensor is its
 * source in another order, and stays in its cells. The network's outputs leave the accelerator, and weights that an
 * operator on the host takes are in the weight memory.
 */
export function heldTensors(network: Network): HeldTensor[] {
  const valuesOf = (tensor: number) => featureCount(network.tensors[tensor].shape);
  const layers: readonly Layer[] = network.layers;
  const taken = new Set(layers.flatMap(inputsOf));
  const outputs = new Set(networkOutputs(network).map(({ tensor }) => tensor));
  const written = layers.filter((layer) => {
    const isHandedOn = taken.has(layer.output) || !outputs.has(layer.output);
    return !definitionOf(layer).renumbers && isHandedOn && (isOnArray(layer) || !isWeighted(layer));
  });
  const inputs = new Set(networkInputs(network).map(({ tensor }) => tensor));
  return [
    ...[...inputs].map((tensor) => ({ tensor, layer: undefined, values: valuesOf(tensor) })),
    ...written.map(({ name, output }) => ({
      tensor: output,
      layer: name,
      values: valuesOf(output),
    })),
  ];
}

/** @throws InputError where tensors of an int8 network hold float32 numbers: the memory holds values of one width */
function requireOneKind(network: Network): void {
  if (network.format === 'float32') return;
  const wide = heldTensors(network).find(({ tensor }) => !network.tensors[tensor].quantization);
  if (!wide) return;
  throw new InputError(
    `${network.name}: tensor "${network.tensors[wide.tensor].name}" holds float32 numbers among int8 values, and Bitcell simulates feature-map memories of values of one width: choose other storages than inputs and activations, or --format float32`,
  );
}

/** Slots that a tensor takes: it begins with a memory word. */
function slotsTaken(values: number, perWord: number): number {
  return Math.ceil(values / perWord) * perWord;
}

/** The default feature-map memory: the smallest of whole banks of 32 KiB that holds all tensors at once. */
export function defaultFeatureMapMemory(network: Network): WeightMemory {
  const bits = WORD_BITS[network.format];
  // Words of 64 bits hold two float32 values, or eight of int8.
  const perWord = 64 / bits;
  const slots = heldTensors(network).reduce(
    (sum, { values }) => sum + slotsTaken(values, perWord),
    0,
  );
  return defaultResidentMemory(slots, bits);
}

/**
 * Place the tensors of a network in its feature-map memory, each from the start of a memory word on.
 *
 * - `resident`: every tensor has cells of its own, one behind the other in the order in which they are written.
 * - `streamed`: the memory is two halves, of which a layer reads one and writes the other. Tensor i (in that order, the
 *   network's input is 0) lies in half i mod 2 from its start on; with H slots a half, value v is in slot v mod H of it, so
 *   a tensor larger than a half fills it in turns.
 *
 * @throws InputError where the tensors do not fit, or are not of one kind, or the memory has no two equal halves
 */
export function placeFeatureMaps(
  network: Network,
  memory: WeightMemory,
  kind: Placement['kind'],
): FeatureMaps {
  const valueBits = WORD_BITS[network.format];
  requireOneKind(network);
  const { perWord } = wordSlots(memory, valueBits);
  const slots = slotCount(memory, valueBits);
  const held = heldTensors(network);
  const geometry = memoryGeometry(memory);
  const place = (first: number, slotsOfTensor: number, values: number): Placement => ({
    ...{ kind, memory, geometry, weightBits: valueBits, weights: values },
    isInOrder: first === 0 && values <= slotsOfTensor,
    tiles: Math.ceil(values / slotsOfTensor),
    slotOf: (value) => first + (value % slotsOfTensor),
    tileOf: (value) => Math.floor(value / slotsOfTensor),
    occupancy(slot) {
      const within = slot - first;
      if (within < 0 || within >= slotsOfTensor) return 0;
      return within < values ? Math.ceil((values - within) / slotsOfTensor) : 0;
    },
    weightAt: (slot, occurrence) => slot - first + occurrence * slotsOfTensor,
  });
  if (kind === 'streamed') {
    const half = slots / 2;
    if (!Number.isInteger(half / perWord)) {
      throw new InputError(
        `Streamed feature maps need two equal halves, but the feature-map memory has ${slots / perWord} words: use an even number of banks, rows or words a row.`,
      );
    }
    const tensors = held.map(({ values, ...tensor }, index) => ({
      ...tensor,
      placement: place((index % 2) * half, half, values),
    }));
    return { kind, memory, geometry, valueBits, tensors };
  }
  let first = 0;
  const tensors = held.map(({ values, ...tensor }) => {
    const placement = place(first, slotsTaken(values, perWord), values);
    first += slotsTaken(values, perWord);
    return { ...tensor, placement };
  });
  if (first > slots) {
    throw new InputError(
      `The feature-map memory is too small for a resident placement: the tensors of ${network.name} take ${first} values of ${valueBits} bits, the memory holds ${slots}; use more banks or a streamed placement.`,
    );
  }
  return { kind, memory, geometry, valueBits, tensors };
}
