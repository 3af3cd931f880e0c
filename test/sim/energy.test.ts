import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { fullyConnectedShape, InputError, packageRoot } from '../../core/index.js';
import {
  acceleratorArea,
  ENERGY_COMPONENTS,
  ENERGY_TABLES,
  type EnergyTable,
  energyTableJsonSchema,
  type LayerActivity,
  loadEnergyTable,
  type NetworkActivity,
  networkActivity,
  networkEnergy,
  parseEnergyTable,
  runInt8Layer,
  sramBytesOf,
} from '../../sim/index.js';

const KIB = 1024;

/** A figure for everything; powers of two, so that closed forms are exact. */
const TABLE: EnergyTable = {
  name: 'powers-of-two',
  sram: [
    { upTo: KIB, accessBits: 8, read: 1, write: 2, area: 1 },
    { upTo: 4 * KIB, accessBits: 32, read: 16, write: 32, area: 4 },
  ],
  registerFile: { read: 0.25, write: 0.5, area: 0.125 },
  memory: { accessBits: 64, read: 1024, write: 2048 },
  mac: { int8: 0.5, float32: 8, area: 0.25 },
  leakage: 64,
};

const LAYER: LayerActivity = {
  name: 'conv1',
  cycles: 100,
  multiplyAccumulates: 1000,
  registerReads: 1000,
  registerWrites: 40,
  sram: {
    input: { readBits: 800, writtenBits: 400 },
    weights: { readBits: 320, writtenBits: 320 },
    output: { readBits: 0, writtenBits: 640 },
  },
  memory: { readBits: 720, writtenBits: 128 },
};

const ACTIVITY: NetworkActivity = {
  format: 'int8',
  layers: [LAYER],
  sramBytes: { input: KIB, weights: KIB + 1, output: 4 * KIB },
  processingElements: 16,
};

const layers = fc
  .record({
    cycles: fc.integer({ min: 1, max: 1e6 }),
    multiplyAccumulates: fc.nat(1e6),
    registerReads: fc.nat(1e6),
    registerWrites: fc.nat(1e6),
    bits: fc.array(fc.nat(1e6), { minLength: 8, maxLength: 8 }),
  })
  .map(({ bits, ...counts }): LayerActivity => {
    const traffic = (index: number) => ({ readBits: bits[index], writtenBits: bits[index + 1] });
    return {
      name: 'layer',
      ...counts,
      sram: { input: traffic(0), weights: traffic(2), output: traffic(4) },
      memory: traffic(6),
    };
  });

const activities = fc
  .array(layers, { minLength: 1, maxLength: 5 })
  .map((list): NetworkActivity => ({ ...ACTIVITY, layers: list }));

/** Every figure times a factor. */
function scaled(table: EnergyTable, factor: number): EnergyTable {
  const times = (figure: number | undefined) => (figure ?? 0) * factor;
  return {
    ...table,
    sram: table.sram.map((sram) => ({
      ...sram,
      read: times(sram.read),
      write: times(sram.write),
    })),
    registerFile: {
      read: times(table.registerFile?.read),
      write: times(table.registerFile?.write),
    },
    memory: {
      accessBits: 64,
      read: times(table.memory?.read),
      write: times(table.memory?.write),
    },
    mac: { int8: times(table.mac?.int8) },
    leakage: times(table.leakage),
  };
}

describe('networkEnergy', () => {
  test('is accesses times the energy of an access', () => {
    const components = {
      inputSram: 100 * 1 + 50 * 2,
      // Larger than the first class of SRAMs, so it is of the second.
      weightSram: 10 * 16 + 10 * 32,
      outputSram: 20 * 32,
      registerFile: 1000 * 0.25 + 40 * 0.5,
      mac: 1000 * 0.5,
      memory: (720 / 64) * 1024 + (128 / 64) * 2048,
      leakage: 64 * (100 / 50),
    };
    const total = Object.values(components).reduce((sum, joules) => sum + joules, 0);
    expect(networkEnergy(ACTIVITY, TABLE, 50)).toEqual({
      total,
      layers: [{ name: 'conv1', total, components }],
      components,
      notGiven: [],
      power: total / 2,
    });
  });

  test('takes the figure of the number format', () => {
    const energy = networkEnergy({ ...ACTIVITY, format: 'float32' }, TABLE, 50);
    expect(energy.components.mac).toBe(8000);
  });

  property.prop([activities, fc.constantFrom(2, 4, 0.5)])(
    'is linear in the figures',
    (activity, factor) => {
      const energy = networkEnergy(activity, TABLE, 1e9);
      const other = networkEnergy(activity, scaled(TABLE, factor), 1e9);
      // A power of two scales every rounding alike.
      for (const component of ENERGY_COMPONENTS) {
        expect(other.components[component]).toBe((energy.components[component] ?? 0) * factor);
      }
      expect(other.total).toBe(energy.total * factor);
      expect(other.power).toBe((energy.power ?? 0) * factor);
    },
  );

  property.prop([activities, activities])('adds up over layers', (one, other) => {
    const both = networkEnergy({ ...one, layers: [...one.layers, ...other.layers] }, TABLE, 1e9);
    const parts = [networkEnergy(one, TABLE, 1e9), networkEnergy(other, TABLE, 1e9)];
    expect(both.layers).toEqual(parts.flatMap((part) => part.layers));
    expect(both.total).toBeCloseTo(parts[0].total + parts[1].total, 3);
    const totals = both.layers.reduce((sum, layer) => sum + layer.total, 0);
    expect(both.total / totals).toBeCloseTo(1, 9);
  });

  property.prop([activities, fc.constantFrom(...ENERGY_COMPONENTS)])(
    'leaves a component without a figure out of every sum and says so',
    (activity, component) => {
      const full = networkEnergy(activity, TABLE, 1e9);
      const partial = networkEnergy(activity, without(TABLE, component), 1e9);
      const left = full.components[component] ?? 0;
      fc.pre(left > 0);
      expect(partial.components[component]).toBe(null);
      expect(partial.notGiven.map((entry) => entry.component)).toContain(component);
      if (!component.endsWith('Sram')) {
        expect(partial.total / (full.total - left)).toBeCloseTo(1, 9);
      }
    },
  );

  test('has no power and no leakage without a clock', () => {
    const { power, components, notGiven } = networkEnergy(ACTIVITY, TABLE);
    expect(power).toBe(null);
    expect(components.leakage).toBe(null);
    expect(notGiven).toEqual([
      { component: 'leakage', reason: 'leakage needs the clock of the accelerator' },
    ]);
  });

  test('says what each missing figure takes', () => {
    const activity: NetworkActivity = {
      ...ACTIVITY,
      sramBytes: { input: undefined, weights: 256 * KIB, output: 64 * KIB },
      layers: [{ ...LAYER, memory: undefined }],
    };
    const energy = networkEnergy(activity, loadEnergyTable('accelergy-65nm'), 1e9);
    expect(energy.notGiven).toEqual([
      {
        component: 'inputSram',
        reason: 'the accelerator does not say how large it is (buffers.input)',
      },
      {
        component: 'weightSram',
        reason: 'energy table accelergy-65nm has no SRAM of 256KiB or more',
      },
      {
        component: 'registerFile',
        reason: 'energy table accelergy-65nm has no registerFile.write',
      },
      { component: 'mac', reason: 'energy table accelergy-65nm has no mac.int8' },
      {
        component: 'memory',
        reason: 'at ideal bandwidth the traffic of the memory behind the SRAMs is not counted',
      },
      { component: 'leakage', reason: 'energy table accelergy-65nm has no leakage' },
    ]);
    // 640 bits written: ten accesses of 64 bits.
    expect(energy.total).toBe(10 * 14.1e-12);
  });

  test('says which figure of an SRAM is missing, and that of a memory without any', () => {
    const table: EnergyTable = { ...TABLE, sram: [{ upTo: 4 * KIB, accessBits: 8, read: 1 }] };
    const { notGiven } = networkEnergy(ACTIVITY, { ...table, memory: undefined }, 1e9);
    expect(notGiven.map(({ reason }) => reason)).toEqual([
      'energy table powers-of-two has no write for an SRAM of 1KiB',
      'energy table powers-of-two has no write for an SRAM of 1025B',
      'energy table powers-of-two has no write for an SRAM of 4KiB',
      'energy table powers-of-two has no memory.read and no memory.write',
    ]);
  });

  test('what does nothing takes nothing, whether it has a figure or not', () => {
    const none = { readBits: 0, writtenBits: 0 };
    const idle: LayerActivity = {
      name: 'idle',
      cycles: 0,
      multiplyAccumulates: 0,
      registerReads: 0,
      registerWrites: 0,
      sram: { input: none, weights: none, output: none },
      memory: none,
    };
    const energy = networkEnergy({ ...ACTIVITY, layers: [idle] }, { name: 'empty', sram: [] }, 1e9);
    expect(energy).toMatchObject({ total: 0, notGiven: [], power: null });
  });
});

/** The table without the figures of one component. */
function without(table: EnergyTable, component: (typeof ENERGY_COMPONENTS)[number]): EnergyTable {
  if (component.endsWith('Sram')) return { ...table, sram: [] };
  return { ...table, [component]: undefined };
}

describe('networkActivity', () => {
  const array = { rows: 2, columns: 2, dataflow: 'weight-stationary' } as const;
  const buffers = { input: 128, weights: 64, output: 32 };
  const shape = fullyConnectedShape(3, 2);
  const { accesses, cycles } = runInt8Layer(
    {
      shape,
      inputZeroPoint: 0,
      weights: new Int8Array(6),
      weightZeroPoints: new Int32Array(2),
      bias: new Int32Array(2),
    },
    new Uint8Array(3),
    array,
  );
  const layer = { name: 'fc', shape, hardwareCycles: cycles, sram: accesses };

  test('counts bits of the array, and of the memory behind the SRAMs where they are known', () => {
    const traffic = { inputReads: 3, weightReads: 6, partialSumReads: 1, outputWrites: 5 };
    const activity = networkActivity([{ ...layer, memory: traffic }], array, buffers, 'int8');
    expect(activity).toEqual({
      format: 'int8',
      // Three inputs on two rows are two folds: two partial sums are written and read back, two outputs written.
      layers: [
        {
          name: 'fc',
          cycles,
          multiplyAccumulates: 6,
          registerReads: 6,
          registerWrites: 6,
          sram: {
            input: { readBits: 3 * 8, writtenBits: 3 * 8 },
            weights: { readBits: 6 * 8, writtenBits: 6 * 8 },
            output: { readBits: (2 + 5) * 32, writtenBits: (4 + 1) * 32 },
          },
          // Of the five words out, two are outputs of 8 bits and three are partial sums.
          memory: { readBits: 9 * 8 + 32, writtenBits: 2 * 8 + 3 * 32 },
        },
      ],
      sramBytes: buffers,
      processingElements: 4,
    });
  });

  test.each([
    ['weight-stationary', 6],
    ['input-stationary', 3],
    ['output-stationary', 6],
  ] as const)('of an array that is %s writes its registers %i times', (dataflow, writes) => {
    const activity = networkActivity([layer], { ...array, dataflow }, buffers, 'float32');
    expect(activity.layers[0]).toMatchObject({ registerReads: 6, registerWrites: writes });
    expect(activity.layers[0].memory).toBe(undefined);
    expect(activity.layers[0].sram.input).toEqual({ readBits: 3 * 32, writtenBits: 0 });
  });
});

describe('sramBytesOf', () => {
  const buffers = { input: 128, weights: 64, output: 32 };
  const memory = { banks: 2, rows: 64, wordBits: 32, columnMux: 4 };

  test.each([
    [buffers, memory, { input: 128, weights: 2048, output: 32 }],
    [buffers, undefined, buffers],
    [undefined, memory, { input: undefined, weights: 2048, output: undefined }],
  ])('of buffers %o and weight memory %o', (given, weightMemory, bytes) => {
    expect(sramBytesOf(given, weightMemory)).toEqual(bytes);
  });
});

describe('acceleratorArea', () => {
  test('is that of the SRAMs and of every processing element', () => {
    expect(acceleratorArea(ACTIVITY, TABLE)).toEqual({
      total: 1 + 4 + 4 + 2 + 4,
      components: { inputSram: 1, weightSram: 4, outputSram: 4, registerFile: 2, mac: 4 },
    });
  });

  test('is not given where the table has none', () => {
    expect(acceleratorArea(ACTIVITY, ENERGY_TABLES[0])).toEqual({
      total: 0,
      components: {
        inputSram: null,
        weightSram: null,
        outputSram: null,
        registerFile: null,
        mac: null,
      },
    });
  });
});

describe('energy tables', () => {
  test('the example is the table that comes with Bitcell', () => {
    const file = join(packageRoot(), 'examples', 'energy', 'accelergy-65nm.yaml');
    expect(loadEnergyTable(file)).toEqual(loadEnergyTable('accelergy-65nm'));
  });

  test('hold figures with units, in any order of sizes', () => {
    const text = `name: mine
sram:
  - { upTo: 64kB, accessBits: 32, read: 2nJ }
  - { upTo: 1KiB, accessBits: 16, write: 3fJ, area: 0.5mm2 }
mac: { int8: 0.25pJ, float32: 1e-3nJ, area: 100um2 }
leakage: 2.5mW
`;
    expect(parseEnergyTable(text, 't.yaml')).toEqual({
      name: 'mine',
      sram: [
        { upTo: 1024, accessBits: 16, write: 3e-15, area: 0.5e-6 },
        { upTo: 64_000, accessBits: 32, read: 2e-9 },
      ],
      mac: { int8: 0.25e-12, float32: 1e-12, area: 100e-12 },
      leakage: 2.5e-3,
    });
  });

  test.each([
    ['name: a\nsram: []\nmacs: 3', '3:1: unknown key "macs" (did you mean "mac"?).'],
    [
      'name: a\nsram:\n  - { upTo: 1KiB, accessbits: 3 }',
      '3:19: unknown key "accessbits" in sram.0 (did you mean "accessBits"?).',
    ],
    [
      'name: a\nsram: []\nmac: { int8: 3mW }',
      '3:14: mac.int8: "3mW" is not an energy: write a number and a unit (fJ, pJ, nJ, uJ, mJ, J), for example 1.5pJ.',
    ],
    [
      'name: a\nsram: []\nleakage: 3pJ',
      '3:10: leakage: "3pJ" is not a power: write a number and a unit (nW, uW, mW, W), for example 5mW.',
    ],
    ['name: a', '1:1: sram is missing: Invalid input: expected array, received undefined.'],
  ])('that hold %j name the place', (text, message) => {
    expect(() => parseEnergyTable(text, 't.yaml')).toThrow(new InputError(`t.yaml:${message}`));
  });

  test('an unknown name is an error', () => {
    expect(() => loadEnergyTable('accelergy-45nm')).toThrow(
      new InputError(
        'Unknown energy table "accelergy-45nm" (did you mean "accelergy-65nm"?): give accelergy-65nm or a .yaml or .json file.',
      ),
    );
  });

  test('the shipped JSON Schema is the one of the code', async () => {
    await expect(energyTableJsonSchema()).toMatchFileSnapshot(
      join(packageRoot(), 'sim', 'energy', 'energy-table.schema.json'),
    );
  });
});
