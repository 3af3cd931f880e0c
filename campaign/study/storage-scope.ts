import { excerpt, InputError } from '../../core/index.js';
import { type CellSelection, dataCellCount, dataGeometry } from '../../fault/index.js';
import { type Network, weightedLayers } from '../../models/index.js';
import {
  type ArrayRegisters,
  cellOfWeightBit,
  NO_DATA_BIT,
  type PlacedStorage,
  type SiteScope,
  STORAGE_TITLES,
  type StoredTensor,
  slotCount,
  type WeightMemory,
  weightBitOfCell,
} from '../../sim/index.js';
import { createScope, expandScope, type Scope } from './scope.js';

/**
 * The scopes that a user's word stands for in storages that are broken at once: itself, or with `*` one for each layer,
 * bit or bank that all of them have.
 *
 * @throws InputError when one of them has no such layer, bit or bank
 */
export function expandStorageScope(
  scope: string,
  network: Network,
  storages: readonly PlacedStorage[],
): string[] {
  const expanded = storages.map((storage) => expandInStorage(scope, network, storage));
  return expanded[0].filter((one) => expanded.every((others) => others.includes(one)));
}

function expandInStorage(scope: string, network: Network, storage: PlacedStorage): string[] {
  const { cells, geometry, valueBits, name } = storage;
  if (cells.kind === 'weights') return expandScope(scope, network, cells.placement);
  const [kind, wanted] = splitScope(scope);
  if (kind === 'all') return [scope];
  const found = {
    layer: layersIn(storage, network),
    bit: numbersBelow(valueBits),
    bank: numbersBelow(geometry.banks),
  }[kind as 'layer' | 'bit' | 'bank'];
  if (wanted === '*' && found.length > 0) return found.map((one) => `${kind}:${one}`);
  if (found.includes(wanted)) return [scope];
  const expected =
    kind === 'layer' ? excerpt(found.join(', ')) || 'none' : `0 to ${found.length - 1}`;
  throw new InputError(
    `scope ${excerpt(scope)}: ${STORAGE_TITLES[name]} of ${network.name} with ${network.format} words has no such ${kind}: expected ${expected}`,
  );
}

function numbersBelow(count: number): string[] {
  return Array.from({ length: count }, (_, number) => String(number));
}

/** The layers that a scope may name: of activations those that write them, of the array those that run on it. */
function layersIn({ cells }: PlacedStorage, network: Network): string[] {
  return cells.kind === 'feature-maps'
    ? cells.tensors.flatMap(({ layer }) => (layer === undefined ? [] : [layer]))
    : weightedLayers(network).map(({ name }) => name);
}

function splitScope(scope: string): [kind: string, name: string] {
  const colon = scope.indexOf(':');
  return colon < 0 ? [scope, ''] : [scope.slice(0, colon), scope.slice(colon + 1)];
}

/** The layer that a scope names; undefined: it names none. */
export function layerOfScope(scope: string): string | undefined {
  const [kind, name] = splitScope(scope);
  return kind === 'layer' ? name : undefined;
}

/**
 * The places for transient faults that a scope leaves.
 *
 * @throws InputError for a bank: a fault strikes a value, wherever it lies
 */
export function siteScope(scope: string): SiteScope {
  const [kind, name] = splitScope(scope);
  if (kind === 'bank') {
    throw new InputError(
      `scope ${scope}: transient faults strike values, not cells of a bank: give all, layer:NAME or bit:NUMBER`,
    );
  }
  return { layer: layerOfScope(scope), ...(kind === 'bit' && { bit: Number(name) }) };
}

/**
 * The cells of an expanded scope in a storage.
 *
 * - `all`: every data cell.
 * - `layer:NAME`: of activations the cells that hold what this layer writes; of the array, all: they then act on this
 *   layer alone.
 * - `bit:NUMBER`: the cells that hold this bit of a value, a sum or a product; 0 is the least significant.
 * - `bank:NUMBER`: the cells of a bank.
 */
export function createStorageScope(
  scope: string,
  network: Network,
  { cells, geometry, valueBits }: PlacedStorage,
): Scope {
  if (cells.kind === 'weights') return createScope(scope, network, cells.placement);
  const [kind, name] = splitScope(scope);
  const count = dataCellCount(geometry);
  const all = { name: scope, count, at: (cell: number) => cell, has: () => true };
  if (kind === 'all') return all;
  if (kind === 'bank') return bankScope(scope, Number(name), geometry);
  if (kind === 'layer' && cells.kind !== 'feature-maps') return all;
  const bit = Number(name);
  if (cells.kind === 'registers') return registerScope(scope, cells.registers, bit);
  const memory = dataMemory(
    cells.kind === 'feature-maps' ? cells.featureMaps.memory : cells.memory,
  );
  if (kind === 'bit') return bitScope(scope, memory, valueBits, bit);
  const tensor = tensorOf(cells, name);
  return tensorScope(scope, memory, tensor.placement);
}

function tensorOf(cells: PlacedStorage['cells'], name: string): StoredTensor {
  const found = cells.kind === 'feature-maps' && cells.tensors.find(({ layer }) => layer === name);
  if (!found) throw new Error(`no tensor of ${name}`);
  return found;
}

/** The memory without spare and check cells: its cells are numbered by their data indices. */
function dataMemory({ banks, rows, wordBits, columnMux }: WeightMemory): WeightMemory {
  return { banks, rows, wordBits, columnMux };
}

/** The cells that hold values of a tensor: its places lie behind one another. */
function tensorScope(
  name: string,
  memory: WeightMemory,
  { weightBits, weights: values, tiles, slotOf }: StoredTensor['placement'],
): Scope {
  const first = slotOf(0);
  // A tensor of several tiles fills its half.
  const slots = tiles === 1 ? values : slotCount(memory, weightBits) / 2;
  return {
    name,
    count: slots * weightBits,
    at: (position) => cellOfWeightBit(memory, weightBits, first * weightBits + position),
    has(cell) {
      const valueBit = weightBitOfCell(memory, weightBits, cell) - first * weightBits;
      return valueBit >= 0 && valueBit < slots * weightBits;
    },
  };
}

/** One bit of each place of a memory. */
function bitScope(name: string, memory: WeightMemory, valueBits: number, bit: number): Scope {
  const bits = valueBits === 8 ? 8 : 32;
  return {
    name,
    count: slotCount(memory, bits),
    at: (slot) => cellOfWeightBit(memory, bits, slot * bits + bit),
    has(cell) {
      const valueBit = weightBitOfCell(memory, bits, cell);
      return valueBit !== NO_DATA_BIT && valueBit % bits === bit;
    },
  };
}

/** One bit of each register: bit b of register c of a line is in column c · bits + b. */
function registerScope(name: string, { geometry, bits }: ArrayRegisters, bit: number): Scope {
  return {
    name,
    count: dataCellCount(geometry) / bits,
    at: (register) => register * bits + bit,
    has: (cell) => cell % bits === bit,
  };
}

function bankScope(name: string, bank: number, geometry: PlacedStorage['geometry']): CellSelection {
  const { rows, columns } = dataGeometry(geometry);
  const count = rows * columns;
  return {
    name,
    count,
    at: (position) => bank * count + position,
    has: (cell) => Math.floor(cell / count) === bank,
  };
}
