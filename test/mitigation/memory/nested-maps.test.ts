import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  createFaultBuffers,
  type FaultMap,
  faultMapOf,
  nestedFaultMaps,
  parseFaultModel,
} from '../../../fault/index.js';
import { memorySideOf } from '../../../mitigation/index.js';
import { PARTS, placedCases, plain } from './placed-networks.js';

/** Enough beside the data for any of the parts. */
const EXTRAS = { checkBits: 24, spareRows: 1, spareColumns: 2 };

const rates = fc
  .tuple(fc.double({ min: 0, max: 0.4, noNaN: true }), fc.double({ min: 0, max: 0.4, noNaN: true }))
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);

/** Cells with their kinds. */
function faultsOf({ cells, kinds }: FaultMap): string[] {
  return Array.from(cells, (cell, fault) => `${cell} ${kinds[fault]}`);
}

describe.each(['int8', 'float32'] as const)('maps of %s words that are nested', (format) => {
  property.prop([
    placedCases(format, EXTRAS),
    rates,
    fc.constantFrom('flip', 'stuck-at'),
    fc.nat(1000),
  ])(
    'mean the same behind a mitigation, drawn in one go or alone',
    ({ placed }, [low, high], faults, seed) => {
      const model = parseFaultModel({ model: 'uniform', faults }, 'model');
      const { geometry } = placed.placement;
      const sides = PARTS[format].map((part) => memorySideOf([part], placed));
      const nested = nestedFaultMaps(model, geometry, seed, 0, undefined, createFaultBuffers());
      const seen: string[][] = [];
      for (const rate of [low, high]) {
        const together = nested(rate);
        const alone = faultMapOf(model, geometry, seed, 0, rate);
        seen.push(faultsOf(together));
        for (const side of sides) {
          expect(plain(side.patchesOf(together))).toEqual(plain(side.patchesOf(alone)));
        }
      }
      const dense = new Set(seen[1]);
      expect(seen[0].filter((fault) => !dense.has(fault))).toEqual([]);
    },
  );
});
