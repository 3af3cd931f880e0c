import { test as property } from '@fast-check/vitest';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStorageScope, expandStorageScope } from '../../campaign/index.js';
import { dataCellCount } from '../../fault/index.js';
import {
  type Accelerator,
  placeStorage,
  registerBitOf,
  STORAGES,
  type StorageName,
  valueHits,
} from '../../sim/index.js';
import { smallNetwork } from './small-network.js';

const network = smallNetwork();

const memory = { banks: 2, rows: 64, wordBits: 64, columnMux: 2 };

const accelerators: readonly Accelerator[] = (
  ['weight-stationary', 'output-stationary', 'input-stationary'] as const
).flatMap((dataflow) => {
  const plain: Accelerator = {
    name: dataflow,
    array: { rows: 3, columns: 5, dataflow },
    weightMemory: 'fits-network',
  };
  return dataflow === 'output-stationary'
    ? [plain]
    : [plain, { ...plain, accumulatorMemory: { ...memory, spareRows: 1, spareColumns: 3 } }];
});

const storages = fc.record({
  name: fc.constantFrom<StorageName>(...STORAGES),
  accelerator: fc.constantFrom(...accelerators),
  placement: fc.constantFrom('resident' as const, 'streamed' as const),
});

describe('the scope of a storage', () => {
  property.prop([storages, fc.constantFrom('all', 'bit:*', 'bank:*', 'layer:*')], { numRuns: 60 })(
    'has distinct cells, which it knows, and of bits and banks each data cell that holds one is in one of them',
    ({ name, accelerator, placement }, scope) => {
      const placed = placeStorage(name, network, accelerator, { placement });
      const count = dataCellCount(placed.geometry);
      const scopes =
        scope === 'layer:*' && name === 'inputs'
          ? []
          : expandStorageScope(scope, network, [placed]).map((one) =>
              createStorageScope(one, network, placed),
            );
      for (const one of scopes) {
        const step = Math.max(1, Math.floor(one.count / 500));
        const cells = new Set<number>();
        for (let position = 0; position < one.count; position += step) {
          const cell = one.at(position);
          expect(cell).toBeGreaterThanOrEqual(0);
          expect(cell).toBeLessThan(count);
          expect(one.has(cell)).toBe(true);
          cells.add(cell);
        }
        expect(cells.size).toBe(Math.ceil(one.count / step));
      }
      if (scope === 'bank:*' || scope === 'all') {
        expect(scopes.reduce((sum, one) => sum + one.count, 0)).toBe(count);
      }
      if (scope === 'bit:*') {
        expect(new Set(scopes.map((one) => one.count)).size).toBe(1);
        for (const cell of [0, Math.floor(count / 3), count - 1]) {
          expect(scopes.filter((one) => one.has(cell)).length).toBeLessThanOrEqual(1);
        }
      }
    },
  );

  property.prop([storages, fc.nat({ max: 7 })], { numRuns: 6 })(
    'of a bit or of a layer holds what the storage says of its cells',
    ({ accelerator, placement }, bit) => {
      const placed = placeStorage('activations', network, accelerator, { placement });
      if (placed.cells.kind !== 'feature-maps') throw new Error('no feature maps');
      const { featureMaps, tensors } = placed.cells;
      const cells = Float64Array.from(
        { length: dataCellCount(placed.geometry) },
        (_, cell) => cell,
      );
      const map = {
        geometry: placed.geometry,
        cells,
        kinds: new Uint8Array(cells.length),
        provenance: { source: 'file', file: 'all cells' } as const,
      };
      const hits = [...valueHits(map, featureMaps, tensors)];
      const ofBit = createStorageScope(`bit:${bit}`, network, placed);
      expect(hits.filter((hit) => ofBit.has(hit.fault) !== (hit.bit === bit))).toEqual([]);
      const [{ layer }] = tensors;
      const ofLayer = createStorageScope(`layer:${layer}`, network, placed);
      const inLayer = new Set(
        hits.filter(({ stored }) => stored.layer === layer).map(({ fault }) => fault),
      );
      expect(inLayer.size).toBe(ofLayer.count);
      expect([...cells].filter((cell) => ofLayer.has(cell) !== inLayer.has(cell))).toEqual([]);
    },
  );

  test('of a bit of registers is that bit of each', () => {
    const placed = placeStorage('multipliers', network, accelerators[0], { placement: 'resident' });
    if (placed.cells.kind !== 'registers') throw new Error('no registers');
    const scope = createStorageScope('bit:17', network, placed);
    expect(scope.count).toBe(15);
    const elements = new Set<number>();
    for (let position = 0; position < scope.count; position += 1) {
      const { element, bit } = registerBitOf(placed.cells.registers, scope.at(position));
      expect(bit).toBe(17);
      elements.add(element);
    }
    expect(elements.size).toBe(15);
  });

  test('names what a storage does not have', () => {
    const [accelerator] = accelerators;
    const accumulators = placeStorage('accumulators', network, accelerator, {
      placement: 'resident',
    });
    expect(() => expandStorageScope('bit:32', network, [accumulators])).toThrow(
      /the accumulators of .* has no such bit: expected 0 to 31/,
    );
    const inputs = placeStorage('inputs', network, accelerator, { placement: 'resident' });
    expect(() => expandStorageScope('layer:conv1', network, [inputs])).toThrow(
      /has no such layer: expected none/,
    );
  });
});
