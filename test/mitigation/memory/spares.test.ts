import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { cellAt, type FaultMap } from '../../../fault/index.js';
import {
  type MemoryPart,
  memoryNeeds,
  memorySideOf,
  type PlacedWeights,
  type Repairs,
  repairBank,
} from '../../../mitigation/index.js';
import {
  defineWeightMemory,
  storedWords,
  weightLocator,
  wordBitOfCell,
} from '../../../sim/index.js';
import { faultsWhere, placedCases, plain } from './placed-networks.js';

const SPARES = { rows: 1, columns: 2 };
const part: MemoryPart = { use: 'spares', ...SPARES };
const extras = { checkBits: 8, spareRows: 2, spareColumns: 3 };

/** Few faults, so that some banks are repaired. */
const cases = (format: 'int8' | 'float32') =>
  fc.tuple(placedCases(format, extras), fc.nat(12)).map(([{ placed, map }, most]) => {
    const few = new Set([...map.cells].filter((_, fault) => fault % 7 === 0).slice(0, most));
    return { placed, map: faultsWhere(map, (cell) => few.has(cell)) };
  });

function noRepairs(): Repairs {
  return { banks: 0, repaired: 0, notProvedOptimal: 0, uncoveredCells: 0 };
}

/** The map without the faults in lines that are replaced, and what became of its banks. */
function repairedBanks(map: FaultMap, { placement }: PlacedWeights, isFound: IsFound) {
  const { memory, geometry } = placement;
  const repairs = noRepairs();
  const replaced = Array.from({ length: memory.banks }, (_, bank) => {
    const cells = [...map.cells]
      .map((cell) => cellAt(geometry, cell))
      .filter((cell) => cell.bank === bank);
    const found = cells.filter(isFound);
    const spareColumn = (column: number) => column - (geometry.columns - 3);
    const inSpareRows = cells.filter(
      ({ row, column }) =>
        row >= memory.rows &&
        (isFound({ bank, row: 0, column }) || [0, 1].includes(spareColumn(column))),
    );
    const inSpareColumns = cells.filter(({ row }) => row < memory.rows);
    const repair = repairBank({
      faultRows: Uint32Array.from(found, ({ row }) => row),
      faultColumns: Uint32Array.from(found, ({ column }) => column),
      spareRows: SPARES.rows,
      spareColumns: SPARES.columns,
      faultySpareRows: inSpareRows
        .map(({ row }) => row - memory.rows)
        .filter((row) => row < SPARES.rows),
      faultySpareColumns: inSpareColumns
        .map(({ column }) => spareColumn(column))
        .filter((column) => column >= 0 && column < SPARES.columns),
    });
    if (found.length > 0) {
      repairs.banks += 1;
      repairs.repaired += repair.uncovered === 0 ? 1 : 0;
      repairs.uncoveredCells += repair.uncovered;
    }
    return repair;
  });
  const repaired = faultsWhere(map, (index) => {
    const { bank, row, column } = cellAt(geometry, index);
    return !replaced[bank].rows.includes(row) && !replaced[bank].columns.includes(column);
  });
  return { repaired, repairs };
}

type IsFound = (cell: { bank: number; row: number; column: number }) => boolean;

describe.each(['int8', 'float32'] as const)('%s', (format) => {
  property.prop([cases(format), fc.boolean()])(
    'faults in lines that a repair of their bank replaces are gone, no others',
    ({ placed, map }, hasCode) => {
      const { memory } = placed.placement;
      const isWide = hasCode && memory.wordBits === 64;
      // Check cells are tested where a code uses them.
      const columns = (memory.wordBits + (isWide ? 8 : 0)) * memory.columnMux;
      const { repaired, repairs } = repairedBanks(
        map,
        placed,
        ({ row, column }) => row < memory.rows && column < columns,
      );
      const code: MemoryPart[] = isWide ? [{ use: 'secded' }] : [];
      const found = noRepairs();
      const patches = memorySideOf([part, ...code], placed).patchesOf(
        map,
        undefined,
        undefined,
        found,
      );
      expect(patches).toEqual(memorySideOf(code, placed).patchesOf(repaired));
      expect(found).toEqual(repairs);
    },
  );

  property.prop([cases(format)])('hardened cells are not repaired', ({ placed, map }) => {
    const { weightBits, memory } = placed.placement;
    const harden: MemoryPart = { use: 'harden', bits: [0, 3, 7] };
    const soft = faultsWhere(map, (cell) => {
      const found = wordBitOfCell(memory, cellAt(map.geometry, cell));
      return !found || ![0, 3, 7].includes(found.bit % weightBits);
    });
    const [both, alone] = [noRepairs(), noRepairs()];
    const patches = memorySideOf([part, harden], placed).patchesOf(map, undefined, undefined, both);
    const expected = memorySideOf([part], placed).patchesOf(soft, undefined, undefined, alone);
    expect(plain(patches)).toEqual(plain(expected));
    expect(both).toEqual(alone);
  });
});

describe('spare lines', () => {
  const [{ placed }] = fc.sample(placedCases('int8', extras, [64]), { numRuns: 1, seed: 1 });

  test('are those of the accelerator, not of the memory that a study widened, or as many as are asked for', () => {
    const ownMemory = defineWeightMemory({
      ...placed.placement.memory,
      spareRows: 1,
      spareColumns: 0,
    });
    const own = { ...placed, ownMemory };
    expect(memoryNeeds([{ use: 'spares' }], own)).toMatchObject({ spareRows: 1, spareColumns: 0 });
    expect(memoryNeeds([{ use: 'spares' }], placed)).toMatchObject({
      spareRows: 2,
      spareColumns: 3,
    });
    expect(memoryNeeds([{ use: 'spares', columns: 4 }], own)).toEqual({
      checkBits: 0,
      spareRows: 1,
      spareColumns: 4,
    });
    expect(memoryNeeds([{ use: 'secded' }], own)).toEqual({
      checkBits: 8,
      spareRows: 0,
      spareColumns: 0,
    });
  });

  test('that the memory does not have are sound', () => {
    const [bare] = fc.sample(placedCases('int8'), { numRuns: 1, seed: 1 });
    const all: MemoryPart = { use: 'spares', rows: bare.placed.placement.memory.rows };
    const unprotected = memorySideOf([], bare.placed).patchesOf(bare.map);
    expect(unprotected.weights.length).toBeGreaterThan(0);
    expect(plain(memorySideOf([all], bare.placed).patchesOf(bare.map))).toEqual({
      weights: [],
      words: [],
    });
  });

  test('must exist, and have room', () => {
    const ownMemory = defineWeightMemory({
      ...placed.placement.memory,
      spareRows: 0,
      spareColumns: 0,
    });
    const sideOf = (spares: MemoryPart) => memorySideOf([spares], { ...placed, ownMemory });
    expect(() => sideOf({ use: 'spares' })).toThrow('spares: the accelerator has no spare rows');
    expect(() => sideOf({ use: 'spares', rows: 0 })).toThrow('no spare rows or columns');
    expect(() => sideOf({ use: 'spares', rows: 5 })).toThrow('no room for 5 spare rows beside the');
  });
});

property.prop([cases('int8')])(
  'faults in words outside the place are no reason to replace a line',
  ({ placed, map }) => {
    const { memory, slotOf } = placed.placement;
    const layerOf = weightLocator(placed.network);
    const inPlace = new Set(
      [...storedWords(placed.network).keys()]
        .filter((weight) => layerOf(weight).layer === 'fc2')
        .map((weight) => Math.floor((slotOf(weight) * 8) / memory.wordBits)),
    );
    const others = faultsWhere(map, (cell) => {
      const found = wordBitOfCell(memory, cellAt(map.geometry, cell));
      return !found || !inPlace.has(found.address);
    });
    const repairs = noRepairs();
    const side = memorySideOf([{ ...part, layers: ['fc2'] }], placed);
    const patches = side.patchesOf(others, undefined, undefined, repairs);
    expect(patches).toEqual(memorySideOf([], placed).patchesOf(others));
    expect(repairs).toEqual(noRepairs());
  },
);
