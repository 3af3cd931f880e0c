import { FAULT_KINDS, type FaultMap, requireGeometry } from '../../fault/index.js';
import type { Network } from '../../models/index.js';
import type { FeatureMaps, StoredTensor } from '../memory/feature-maps.js';
import { findDataBits, NO_SLOT } from '../memory/weight-memory.js';
import type { ReadThrough } from './disturbance.js';
import type { WordFaults } from './struck-words.js';

const STUCK_AT_0 = FAULT_KINDS.indexOf('stuck-at-0');
const STUCK_AT_1 = FAULT_KINDS.indexOf('stuck-at-1');

/** Values of a tensor with faulty cells, ascending: what is read of value `places[i]` is ((v & and) | or) ^ xor. */
export interface ValueMasks extends WordFaults {
  readonly places: Uint32Array;
}

/** A faulty cell and one value of a tensor that it holds. */
export interface ValueHit {
  /** Of the fault in its map. */
  readonly fault: number;
  readonly stored: StoredTensor;
  /** Number of the value within the tensor: (y · width + x) · channels + channel. */
  readonly value: number;
  readonly bit: number;
}

/**
 * Every value that each faulty cell holds during one inference: cells in the map's order, the tensors of a cell in the
 * order in which they are written.
 *
 * @throws InputError (on the first step) when the map is of another memory
 */
export function* valueHits(
  map: FaultMap,
  { memory, geometry, valueBits }: Omit<FeatureMaps, 'tensors'>,
  tensors: readonly StoredTensor[],
): Generator<ValueHit, void, undefined> {
  requireGeometry(map, geometry, 'The fault map');
  const slots = new Float64Array(map.cells.length);
  const bits = new Uint8Array(map.cells.length);
  findDataBits(memory, valueBits, map.cells, slots, bits);
  for (const [fault, slot] of slots.entries()) {
    if (slot === NO_SLOT) continue;
    for (const stored of tensors) {
      const { occupancy, weightAt } = stored.placement;
      const values = occupancy(slot);
      for (let occurrence = 0; occurrence < values; occurrence += 1) {
        yield { fault, stored, value: weightAt(slot, occurrence), bit: bits[fault] };
      }
    }
  }
}

/**
 * The values that a map reaches, by index into `network.tensors`.
 *
 * @param tensors of `featureMaps`: those that are meant
 * @throws InputError when the map is of another memory
 */
export function valueMasks(
  map: FaultMap,
  network: Network,
  featureMaps: FeatureMaps,
  tensors: readonly StoredTensor[],
): Map<number, ValueMasks> {
  const byTensor = new Map<number, Map<number, [and: number, or: number, xor: number]>>();
  for (const { fault, stored, value, bit } of valueHits(map, featureMaps, tensors)) {
    const values = byTensor.get(stored.tensor) ?? new Map();
    byTensor.set(stored.tensor, values);
    const masks = values.get(value) ?? [0xffffffff, 0, 0];
    values.set(value, masks);
    addFault(masks, map.kinds[fault], bit, isInvertedInFile(network, stored.tensor, bit));
  }
  return new Map([...byTensor].map(([tensor, values]) => [tensor, masksOf(values)]));
}

/** Whether a bit of a stored value is the inverse of that of the word in the memory, which is as ONNX files have it. */
function isInvertedInFile(network: Network, tensor: number, bit: number): boolean {
  return bit === 7 && network.tensors[tensor].quantization?.signed === true;
}

function addFault(
  masks: [and: number, or: number, xor: number],
  kind: number,
  bit: number,
  isInverted: boolean,
): void {
  const mask = 1 << bit;
  if (kind === (isInverted ? STUCK_AT_1 : STUCK_AT_0)) masks[0] &= ~mask;
  else if (kind === (isInverted ? STUCK_AT_0 : STUCK_AT_1)) masks[1] |= mask;
  else masks[2] |= mask;
}

function masksOf(
  values: ReadonlyMap<number, readonly [and: number, or: number, xor: number]>,
): ValueMasks {
  const places = Uint32Array.from(values.keys()).sort();
  const column = (index: 0 | 1 | 2) =>
    Uint32Array.from(places, (place) => values.get(place)?.[index] ?? 0);
  return { places, and: column(0), or: column(1), xor: column(2) };
}

/**
 * What is read of a tensor with these faulty values. A float32 NaN is stored as 0x7fc00000, because engines and
 * processors leave its other bits open.
 */
export function readMasked({ places, and, or, xor }: ValueMasks): ReadThrough {
  return (words) => {
    const isFloat = words instanceof Uint32Array;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index];
      const word = isFloat ? withOneNaN(words[place]) : words[place];
      words[place] = ((word & and[index]) | or[index]) ^ xor[index];
    }
  };
}

/** The bits of a float32 number, of which every NaN has the same. */
export function withOneNaN(bits: number): number {
  return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits;
}
