import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { cellAt, type FaultMap } from '../../../fault/index.js';
import {
  MECHANISMS,
  type MemoryPart,
  memorySideOf,
  type PlacedWeights,
} from '../../../mitigation/index.js';
import { applyFaultMap, storedWords, type WeightPatches } from '../../../sim/index.js';
import { faultsWhere, PARTS, placedCases, withUint8Words } from './placed-networks.js';

const EXTRAS = { checkBits: 24, spareRows: 1, spareColumns: 2 };

/** What takes int8 words alone. */
const NOT_UINT8 = ['closest-value', 'in-place-ecc'];

/** What keeps its check bits in the weights. */
const IN_WEIGHTS = ['mset', 'cep', 'in-place-ecc'];

const NOTHING: WeightPatches = {
  weights: new Uint32Array(0),
  words: new Uint32Array(0),
  effectiveFaults: 0,
};

function unprotected(map: FaultMap, { network, placement }: PlacedWeights): WeightPatches {
  return applyFaultMap(map, placement, storedWords(network));
}

/** The word that each changed weight is read as, of the weights for which `isAsked` holds. */
function changesWhere({ weights, words }: WeightPatches, isAsked: (weight: number) => boolean) {
  return [...weights].flatMap((weight, place) => (isAsked(weight) ? [[weight, words[place]]] : []));
}

test('every mechanism is tested', () => {
  const uses = [...PARTS.int8, ...PARTS.float32].map(({ use }) => use);
  expect(new Set(uses)).toEqual(new Set(Object.keys(MECHANISMS)));
});

describe.each(['int8', 'float32'] as const)('%s', (format) => {
  describe.each(PARTS[format])('$use', (part: MemoryPart) => {
    property.prop([placedCases(format, EXTRAS)], { numRuns: 20 })(
      'without faults the network is as it was, or as the code in its weights leaves it',
      ({ placed, map }) => {
        const side = memorySideOf([part], placed);
        const none = faultsWhere(map, () => false);
        expect(side.patchesOf(none)).toEqual(side.faultFree ?? NOTHING);
        expect(side.faultFree !== undefined).toBe(IN_WEIGHTS.includes(part.use));
      },
    );

    // A channel that takes another place takes the next layer's inputs with it, whatever banks these lie in.
    if (part.use === 'reorder') return;

    property.prop([placedCases(format, EXTRAS)], { numRuns: 20 })(
      'stands in its banks alone',
      ({ placed, map }) => {
        const { placement } = placed;
        const { memory } = placement;
        const slotsPerBank =
          (memory.rows * memory.columnMux * memory.wordBits) / placement.weightBits;
        const isInBank = (weight: number) =>
          Math.floor(placement.slotOf(weight) / slotsPerBank) === 1;
        const patches = memorySideOf([{ ...part, banks: [1] }], placed).patchesOf(map);
        const everywhere = memorySideOf([part], placed).patchesOf(map);
        expect(changesWhere(patches, isInBank)).toEqual(changesWhere(everywhere, isInBank));
        const isOutside = (weight: number) => !isInBank(weight);
        expect(changesWhere(patches, isOutside)).toEqual(
          changesWhere(unprotected(map, placed), isOutside),
        );
        const ofBank = faultsWhere(map, (cell) => cellAt(map.geometry, cell).bank === 1);
        const side = memorySideOf([part], placed);
        expect(changesWhere(side.patchesOf(ofBank), isOutside)).toEqual(
          changesWhere(side.faultFree ?? NOTHING, isOutside),
        );
      },
    );
  });
});

describe.each(['int8', 'float32'] as const)('mechanisms of different groups, %s', (format) => {
  /** At most one of each group, in the order of the table. */
  const combinations = fc
    .shuffledSubarray([...PARTS[format]], { minLength: 2 })
    .map((parts) => {
      const groups = parts.map(({ use }) => MECHANISMS[use].group);
      const chosen = parts.filter((_, place) => groups.indexOf(groups[place]) === place);
      return PARTS[format].filter((part) => chosen.includes(part));
    })
    .filter(
      (parts) =>
        !['in-place-ecc', 'reorder'].every((use) => parts.some((part) => part.use === use)),
    );

  property.prop([placedCases(format, EXTRAS), combinations])(
    'stand together: without faults they change what the code in the weights does',
    ({ placed, map }, parts) => {
      const side = memorySideOf(parts, placed);
      const code = parts.filter(({ use }) => IN_WEIGHTS.includes(use));
      const { faultFree } = memorySideOf(code, placed);
      expect(side.faultFree).toEqual(faultFree);
      const none = faultsWhere(map, () => false);
      expect(side.patchesOf(none)).toEqual(faultFree ?? NOTHING);
      // What one map leaves behind is not seen by the next.
      const first = side.patchesOf(map);
      side.patchesOf(none);
      expect(side.patchesOf(map)).toEqual(first);
    },
  );

  property.prop([placedCases(format), combinations])(
    'and with spare lines for all rows, whatever the faults',
    ({ placed, map }, parts) => {
      const spares = { use: 'spares' as const, rows: placed.placement.memory.rows, columns: 0 };
      const others = parts.filter(({ use }) => use !== 'spares');
      const side = memorySideOf([spares, ...others], placed);
      expect(side.patchesOf(map)).toEqual(side.faultFree ?? NOTHING);
    },
  );
});

test.each(PARTS.int8)('$use has an answer to uint8 words', (part) => {
  const [{ placed, map }] = fc.sample(placedCases('int8', EXTRAS), { numRuns: 1, seed: 1 });
  const none = faultsWhere(map, () => false);
  const patchesOf = () => memorySideOf([part], withUint8Words(placed)).patchesOf(none);
  if (NOT_UINT8.includes(part.use)) {
    expect(patchesOf).toThrow(`${part.use}: layer "fc2" of tiny stores uint8 words`);
  } else {
    expect(changesWhere(patchesOf(), () => true)).toEqual([]);
  }
});
