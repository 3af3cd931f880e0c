import { fc } from '@fast-check/vitest';
import { featureCount } from '../../core/index.js';
import { type CellGeometry, cellCount, FAULT_KINDS, type FaultMap } from '../../fault/index.js';
import { type Network, WORD_BITS, type WordFormat } from '../../models/index.js';
import {
  defineWeightMemory,
  type FeatureMaps,
  type Placement,
  placeFeatureMaps,
  type WeightMemory,
} from '../../sim/index.js';
import { weightMemories } from '../../testing/index.js';
import { definedCell, definedPlace } from './reference.js';
import { drawOf, storageNetworks } from './storage-networks.js';

/** A network with its feature maps in a memory. */
export interface PlacedMaps {
  readonly network: Network;
  readonly featureMaps: FeatureMaps;
}

const formats = fc.constantFrom<WordFormat>('int8', 'float32');
const kinds = fc.constantFrom<Placement['kind']>('resident', 'streamed');

/** @param widths of memory words */
export function placedFeatureMaps(
  widths: readonly number[] = [8, 16, 32, 64, 128],
): fc.Arbitrary<PlacedMaps> {
  return formats.chain((format) => {
    const bits = WORD_BITS[format];
    const memories = weightMemories(widths).filter(
      ({ wordBits, rows, columnMux }) => (wordBits * rows * columnMux) % bits === 0,
    );
    return fc.record({ network: storageNetworks(format), memory: memories, kind: kinds }).map(
      ({ network, memory, kind }): PlacedMaps => ({
        network,
        featureMaps: placeFeatureMaps(network, largeEnough(memory, network, kind), kind),
      }),
    );
  });
}

/** So many banks that all tensors are in a resident memory at once; two halves for a streamed one. */
function largeEnough(memory: WeightMemory, network: Network, kind: Placement['kind']) {
  if (kind === 'streamed') return defineWeightMemory({ ...memory, banks: 2 * memory.banks });
  const bits = WORD_BITS[network.format];
  const words = heldTensors(network).reduce((sum, { tensor }) => {
    const values = featureCount(network.tensors[tensor].shape);
    return sum + wordsOf(memory, bits, values);
  }, 0);
  const banks = Math.max(memory.banks, Math.ceil(words / (memory.rows * memory.columnMux)));
  return defineWeightMemory({ ...memory, banks });
}

/** Memory words of so many values. */
function wordsOf({ wordBits }: WeightMemory, bits: number, values: number): number {
  return wordBits < bits
    ? values * (bits / wordBits)
    : Math.ceil(values / Math.floor(wordBits / bits));
}

/** The tensors that the memory holds, in the order in which they are written, from the definition. */
export function heldTensors(
  network: Network,
): { readonly tensor: number; readonly layer: string | undefined }[] {
  const held: { tensor: number; layer: string | undefined }[] = [
    { tensor: network.input, layer: undefined },
  ];
  for (const { kind, name, output } of network.layers) {
    if (kind !== 'flatten' && output !== network.output) held.push({ tensor: output, layer: name });
  }
  return held;
}

/** Where the values of tensor number `index` of those that are held lie: slots, and cells by bit. */
export function definedValueCells(
  { memory, kind, geometry, valueBits }: FeatureMaps,
  network: Network,
  index: number,
): { readonly slot: number; readonly cells: readonly number[] }[] {
  const counts = heldTensors(network).map(({ tensor }) =>
    featureCount(network.tensors[tensor].shape),
  );
  const perWord = Math.max(1, Math.floor(memory.wordBits / valueBits));
  const wordsOfValue = Math.max(1, valueBits / memory.wordBits);
  const slots = ((memory.banks * memory.rows * memory.columnMux) / wordsOfValue) * perWord;
  const first = counts
    .slice(0, index)
    .reduce((sum, count) => sum + Math.ceil(count / perWord) * perWord, 0);
  return Array.from({ length: counts[index] }, (_, value) => {
    const slot =
      kind === 'resident' ? first + value : (index % 2) * (slots / 2) + (value % (slots / 2));
    const cells = Array.from({ length: valueBits }, (_, bit) => {
      const place = definedPlace(
        ...([BigInt(memory.wordBits), BigInt(valueBits), BigInt(slot), BigInt(bit)] as const),
      );
      return definedCellIndex(memory, geometry, place.address, place.bit);
    });
    return { slot, cells };
  });
}

/** The number of a cell of a word, data or check, in a geometry. */
export function definedCellIndex(
  memory: WeightMemory,
  { rows, columns }: CellGeometry,
  address: bigint,
  bit: bigint,
): number {
  const { bank, row, column } = definedCell(memory, address, bit);
  return (bank * rows + row) * columns + column;
}

/** Random faults, one or up to an eighth of the cells. */
export function randomMap(geometry: CellGeometry, random: () => number): FaultMap {
  const draw = drawOf(random);
  const all = cellCount(geometry);
  const count = random() < 0.2 ? 1 : draw(1, Math.ceil(all / 8));
  return mapOf(
    geometry,
    Array.from({ length: count }, () => draw(0, all - 1)),
    random,
  );
}

/** Faults of random kinds in these cells. */
export function mapOf(
  geometry: CellGeometry,
  cells: readonly number[],
  random: () => number,
): FaultMap {
  const sorted = Float64Array.from(new Set(cells)).sort();
  return {
    ...{ geometry, cells: sorted, provenance: { source: 'file', file: 'random' } },
    kinds: Uint8Array.from(sorted, () => drawOf(random)(0, FAULT_KINDS.length - 1)),
  };
}

export function randomWords(
  bits: 8 | 32,
  count: number,
  random: () => number,
): Uint8Array | Uint32Array {
  const words = Array.from({ length: count }, () => Math.floor(random() * 2 ** bits));
  return bits === 8 ? Uint8Array.from(words) : Uint32Array.from(words);
}
