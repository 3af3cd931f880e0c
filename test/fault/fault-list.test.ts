import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { mergeFaults } from '../../fault/fault-list.js';

const lists = fc.array(
  fc.array(fc.record({ cell: fc.nat(30), kind: fc.nat(2) }), { maxLength: 12 }),
  { minLength: 1, maxLength: 4 },
);

property.prop([lists, fc.boolean()])(
  'merging gives every cell once, in order, as the first list that has it says',
  (faults, areSorted) => {
    const given = faults.map((list) =>
      areSorted ? [...list].sort((a, b) => a.cell - b.cell) : list,
    );
    const first = new Map<number, number>();
    for (const { cell, kind } of given.flat()) if (!first.has(cell)) first.set(cell, kind);
    const expected = [...first].sort(([a], [b]) => a - b);
    const merged = mergeFaults(
      // One list that is in order is taken as it is: its cells are distinct already.
      [...given, []].map((list) => ({
        cells: Float64Array.from(list, ({ cell }) => cell),
        kinds: Uint8Array.from(list, ({ kind }) => kind),
      })),
    );
    expect([...merged.cells].map((cell, at) => [cell, merged.kinds[at]])).toEqual(expected);
  },
);
