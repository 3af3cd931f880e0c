import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import {
  type DieVmin,
  type ImageEnergy,
  type StudyPrices,
  vminEnergies,
} from '../../campaign/index.js';
import { PRICE_OF_NOTHING, unknownPrice } from '../../mitigation/index.js';
import {
  ENERGY_COMPONENTS,
  parseAccelerator,
  type Supply,
  SWITCHING_COMPONENTS,
} from '../../sim/index.js';

const PLACE = { model: 'net', format: 'int8', accelerator: 'chip' } as const;

function vminOf(die: string, mitigation: string, vmin: number | null): DieVmin {
  return { ...PLACE, die, lot: 'L', wafer: null, x: 0, y: 1, mitigation, vmin };
}

const COMPONENTS = {
  ...{ inputSram: 1, weightSram: 8, outputSram: 2, registerFile: 4, mac: null },
  ...{ memory: 16, leakage: 32 },
};

function imageOf(supply: Supply | null, reason: string | null = null): ImageEnergy {
  return {
    ...PLACE,
    ...{ table: 'mine', total: 63, components: COMPONENTS, supply, reason },
    notGiven: [{ component: 'mac', reason: 'energy table mine has no mac.int8' }],
  };
}

const ALL: Supply = { nominal: 1, components: SWITCHING_COMPONENTS };

const prices: StudyPrices = ({ mitigation }) =>
  mitigation === 'secded' ? { ...PRICE_OF_NOTHING, energy: 2 } : PRICE_OF_NOTHING;

describe('energy at Vmin', () => {
  property.prop([
    fc.double({ min: 0.2, max: 1.2, noNaN: true }),
    fc.double({ min: 0.2, max: 1.2, noNaN: true }),
    fc.uniqueArray(fc.constantFrom(...ENERGY_COMPONENTS), { minLength: 1 }),
  ])(
    'goes with V² in what the supply feeds, the cells of the mitigation among it, and nowhere else',
    (vmin, nominal, components) => {
      const supply = { nominal, components };
      const { vmin: rows } = vminEnergies(
        [vminOf('A', 'none', vmin), vminOf('A', 'secded', vmin)],
        () => imageOf(supply),
        prices,
      );
      const factor = (vmin / nominal) ** 2;
      const expected = ENERGY_COMPONENTS.reduce(
        (sum, name) => sum + (COMPONENTS[name] ?? 0) * (components.includes(name) ? factor : 1),
        0,
      );
      expect(rows[0].energy).toBeCloseTo(expected, 9);
      const added = 2 * (components.includes('weightSram') ? factor : 1);
      expect(rows[1].energy).toBeCloseTo(expected + added, 9);
    },
  );

  test('compares each die with itself without a mitigation', () => {
    const { vmin, vminSavings, imageEnergy } = vminEnergies(
      [
        vminOf('A', 'none', 1),
        vminOf('A', 'secded', 0.5),
        vminOf('B', 'none', null),
        vminOf('B', 'secded', 0.5),
        vminOf('C', 'none', 0.5),
        vminOf('C', 'secded', null),
      ],
      () => imageOf(ALL),
      prices,
    );
    // 15 J are fed, 48 J are not; the code reads 2 J more.
    const [none, coded] = [63, (15 + 2) / 4 + 48];
    expect(vmin.map(({ energy }) => energy)).toEqual([none, coded, null, coded, 15 / 4 + 48, null]);
    expect(vmin.map(({ energySaving }) => energySaving)).toEqual([
      ...[null, 1 - coded / none, null, null, null, null],
    ]);
    expect(vmin[2].energyNotGiven).toBe('it does not pass at the highest voltage');
    expect(vminSavings).toEqual([
      {
        ...{ ...PLACE, mitigation: 'secded', dies: 1, onlyWith: 1, onlyWithout: 1 },
        ...{ energyWithout: none, energy: coded, saving: 1 - coded / none },
      },
    ]);
    expect(imageEnergy).toEqual([imageOf(ALL)]);
  });

  test('takes measured factors at their voltages alone', () => {
    const supply = { ...ALL, factors: [{ voltage: 0.5, factor: 0.1 }] };
    const { vmin } = vminEnergies(
      [0.5, 0.6, 1].map((voltage) => vminOf(`${voltage}`, 'none', voltage)),
      () => imageOf(supply),
      prices,
    );
    expect(vmin.map(({ energy }) => energy)).toEqual([15 * 0.1 + 48, null, 63]);
    expect(vmin[1].energyNotGiven).toBe('the supply of chip has no factor for 0.6 V');
  });

  test('is null with the reason where a figure is missing', () => {
    const one = [vminOf('A', 'none', 0.5), vminOf('A', 'secded', 0.5)];
    const lacking = vminEnergies(one, () => imageOf(null, 'chip has no supply'), prices);
    expect(lacking.vmin.map(({ energyNotGiven }) => energyNotGiven)).toEqual([
      ...['chip has no supply', 'chip has no supply'],
    ]);
    const unpriced = vminEnergies(
      one,
      () => imageOf(ALL),
      ({ mitigation }) => (mitigation === 'none' ? PRICE_OF_NOTHING : unknownPrice('nobody knows')),
    );
    expect(unpriced.vmin.map(({ energy }) => energy)).toEqual([15 / 4 + 48, null]);
    expect(unpriced.vmin[1].networkEnergy).toBe(15 / 4 + 48);
    expect(unpriced.vmin[1].energyNotGiven).toBe('nobody knows');
    expect(unpriced.vminSavings[0]).toMatchObject({ dies: 0, energy: null, saving: null });
  });
});

describe('the supply of an accelerator', () => {
  const file = (supply: string) =>
    parseAccelerator(
      `name: chip\narray: { rows: 8, columns: 8, dataflow: weight-stationary }\nweightMemory: fits-network\nsupply: ${supply}\n`,
      'chip.yaml',
    ).supply;

  test('is read with units, and feeds what switches on the chip', () => {
    expect(file('{ nominal: 850mV }')).toEqual({ nominal: 0.85, components: SWITCHING_COMPONENTS });
    expect(
      file(
        '{ nominal: 1V, components: [weightSram, leakage], factors: [{ voltage: 0.6V, factor: 0.3 }] }',
      ),
    ).toEqual({
      ...{ nominal: 1, components: ['weightSram', 'leakage'] },
      factors: [{ voltage: 0.6, factor: 0.3 }],
    });
  });

  test('is refused where it says too little or too much', () => {
    expect(() => file('{ nominal: 1V, components: [leakage] }')).toThrow(
      'leakage does not go with the square of the voltage',
    );
    expect(() => file('{ nominal: 1 }')).toThrow('for example 1V');
    expect(() =>
      file(
        '{ nominal: 1V, factors: [{ voltage: 0.6V, factor: 1 }, { voltage: 600mV, factor: 2 }] }',
      ),
    ).toThrow('a voltage stands there twice');
  });
});
