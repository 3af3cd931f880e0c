import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  activeFaults,
  createFaultBuffers,
  type FaultMap,
  type FaultModel,
  faultMapOf,
  faultsOfMap,
  nestedFaultMaps,
} from '../../fault/index.js';
import { cellGeometries, extendedGeometries } from '../../testing/index.js';

const plain = ({ cells, kinds }: FaultMap) => ({
  cells: Array.from(cells),
  kinds: Array.from(kinds),
});

const models: fc.Arbitrary<FaultModel> = fc.record({
  model: fc.constant('uniform' as const),
  faults: fc.constantFrom('flip', 'stuck-at-0', 'stuck-at-1', 'stuck-at'),
  stuckAt1Share: fc.double({ min: 0, max: 1, noNaN: true }),
});

const geometries = fc.oneof(
  cellGeometries(),
  extendedGeometries(),
  fc.constant({ banks: 2, rows: 64, columns: 256 }),
);

describe('maps that are drawn as bitmaps', () => {
  const buffers = createFaultBuffers();

  test.prop(
    [
      models,
      geometries,
      fc.maxSafeNat(),
      fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.001)), {
        minLength: 1,
        maxLength: 5,
      }),
    ],
    { numRuns: 200 },
  )(
    'are those that are drawn as lists, in whatever order of rates',
    (model, geometry, seed, rates) => {
      const mapAt = nestedFaultMaps(model, geometry, seed, 7, undefined, buffers);
      for (const rate of rates) {
        const map = mapAt(rate);
        const expected = faultMapOf(model, geometry, seed, 7, rate);
        expect(expected.bits).toBeUndefined();
        expect(faultsOfMap(map)).toBe(expected.cells.length);
        expect(plain(map)).toEqual(plain(expected));
        expect(map.provenance).toEqual(expected.provenance);
        const active = activeFaults(map, 0.5, seed, 7, 3);
        expect(active.bits).toBeUndefined();
        expect(plain(active)).toEqual(plain(activeFaults(expected, 0.5, seed, 7, 3)));
      }
    },
  );

  test('are bitmaps from one fault among 2,048 cells on, up to half of the cells', () => {
    const geometry = { banks: 1, rows: 1024, columns: 64 };
    const isDense = (faults: number) => {
      const model: FaultModel = { model: 'uniform', faults: 'flip' };
      const mapAt = nestedFaultMaps(model, geometry, 1, 0, undefined, createFaultBuffers());
      return mapAt(faults / 65_536).bits !== undefined;
    };
    expect([0, 31, 32, 32_768, 32_769].map(isDense)).toEqual([false, false, true, true, false]);
  });
});
