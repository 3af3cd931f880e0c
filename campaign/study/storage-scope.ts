import { excerpt, InputError } from '../../core/index.js';
import { type CellSelection, dataCellCount, dataGeometry, selectCells } from '../../fault/index.js';
import { type Network, weightedLayers } from '../../models/index.js';
import {
  findDataBits,
  NO_SLOT,
  type PlacedStorage,
  registerBitOf,
  type SiteScope,
  STORAGE_TITLES,
  type StoredTensor,
  type WeightMemory,
  wordSlots,
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
  { cells, geometry }: PlacedStorage,
): Scope {
  if (cells.kind === 'weights') return createScope(scope, network, cells.placement);
  const [kind, name] = splitScope(scope);
  const count = dataCellCount(geometry);
  const all = { name: scope, count, at: (cell: number) => cell, has: () => true };
  if (kind === 'all') return all;
  if (kind === 'bank') return bankScope(scope, Number(name), geometry);
  if (kind === 'layer' && cells.kind !== 'feature-maps') return all;
  if (kind === 'bit' && cells.kind === 'registers') {
    const { registers } = cells;
    return selectCells(
      geometry,
      scope,
      (cell) => registerBitOf(registers, cell).bit === Number(name),
    );
  }
  const memory = cells.kind === 'feature-maps' ? cells.featureMaps.memory : memoryIn(cells);
  const valueBits = cells.kind === 'feature-maps' ? cells.featureMaps.valueBits : 32;
  const bitsOf = dataBitsOf(memory, valueBits);
  if (kind === 'bit')
    return selectCells(geometry, scope, (cell) => bitsOf(cell).bit === Number(name));
  const tensor = tensorOf(cells, name);
  return selectCells(geometry, scope, (cell) => {
    const { slot } = bitsOf(cell);
    return slot !== NO_SLOT && tensor.placement.occupancy(slot) > 0;
  });
}

function memoryIn(cells: PlacedStorage['cells']): WeightMemory {
  if (cells.kind !== 'accumulator-memory') throw new Error('registers are no memory');
  return cells.memory;
}

function tensorOf(cells: PlacedStorage['cells'], name: string): StoredTensor {
  const found = cells.kind === 'feature-maps' && cells.tensors.find(({ layer }) => layer === name);
  if (!found) throw new Error(`no tensor of ${name}`);
  return found;
}

/** A function that says which place and bit a data cell, by its data index, holds. */
function dataBitsOf({ banks, rows, wordBits, columnMux }: WeightMemory, valueBits: 8 | 32) {
  // Without spare and check cells: data indices are numbered without them.
  const memory = { banks, rows, wordBits, columnMux };
  wordSlots(memory, valueBits);
  const cells = new Float64Array(1);
  const slots = new Float64Array(1);
  const bits = new Uint8Array(1);
  return (cell: number): { readonly slot: number; readonly bit: number | undefined } => {
    cells[0] = cell;
    findDataBits(memory, valueBits, cells, slots, bits);
    return { slot: slots[0], bit: slots[0] === NO_SLOT ? undefined : bits[0] };
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
