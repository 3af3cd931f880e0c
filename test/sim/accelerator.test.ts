import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { formatBytes, formatFrequency, InputError, packageRoot } from '../../core/index.js';
import { resolveModel } from '../../models/index.js';
import {
  ACCELERATOR_PRESETS,
  ACCELERGY_65NM,
  type Accelerator,
  acceleratorFile,
  acceleratorJsonSchema,
  DEFAULT_ACCELERATOR,
  defineWeightMemory,
  loadAccelerator,
  loadTimedAccelerator,
  parseAccelerator,
  placeNetwork,
  slotCount,
} from '../../sim/index.js';
import { systolicArrays, weightMemories } from '../../testing/index.js';

const SCRATCHPAD = { banks: 4, rows: 4096, wordBits: 128, columnMux: 1 };

const VALID = `name: mine
array:
  rows: 8
  columns: 32
  dataflow: output-stationary
clock: 200MHz
weightMemory:
  banks: 4
  rows: 4096
  wordBits: 128
  columnMux: 1
`;

const BUFFERS = 'buffers: { input: 64KiB, weights: 64KiB, output: 64KiB }\n';

const EXAMPLES = join(packageRoot(), 'examples', 'accelerators');

const folder = mkdtempSync(join(tmpdir(), 'bitcell-accelerator-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An accelerator as its file says it: quantities with their units. */
function written({ clock, buffers, energyTable, ...rest }: Accelerator): unknown {
  return {
    ...rest,
    ...(energyTable && { energyTable: energyTable.name }),
    ...(clock !== undefined && { clock: formatFrequency(clock) }),
    ...(buffers && {
      buffers: {
        input: formatBytes(buffers.input),
        weights: formatBytes(buffers.weights),
        output: formatBytes(buffers.output),
      },
    }),
  };
}

describe('presets', () => {
  test.each(ACCELERATOR_PRESETS)('$name is a valid configuration', (preset) => {
    expect(loadAccelerator(preset.name)).toBe(preset);
    expect(parseAccelerator(stringify(written(preset)), 'preset.yaml')).toEqual(preset);
  });

  test.each(ACCELERATOR_PRESETS)('AlexNet streams through $name', (preset) => {
    const network = resolveModel('alexnet');
    const placement = placeNetwork(network, preset, 'streamed');
    expect(placement.weightAt(placement.slotOf(0), 0)).toBe(0);
    expect(placement.occupancy(0)).toBe(
      Math.ceil(placement.weights / slotCount(placement.memory, placement.weightBits)),
    );
  });

  test('the default is a 16×16 weight-stationary array with a memory that fits the network', () => {
    expect(loadAccelerator(DEFAULT_ACCELERATOR)).toEqual({
      name: 'edge-16x16',
      array: { rows: 16, columns: 16, dataflow: 'weight-stationary' },
      weightMemory: 'fits-network',
    });
  });

  // Sizes in bytes as published, against the product of the organisation.
  test.each([
    ['gemmini-16x16', 256 * 1024],
    ['eyeriss', 8 * 1024],
    ['tpu-v1', 2 * 64 * 1024],
  ])('the weight memory of %s holds %i bytes', (name, bytes) => {
    const { weightMemory } = loadAccelerator(name);
    if (weightMemory === 'fits-network') expect.unreachable();
    expect(slotCount(weightMemory, 8)).toBe(bytes);
  });

  test("half of the TPU's weight memory is a tile of its array", () => {
    const { array, weightMemory } = loadAccelerator('tpu-v1');
    if (weightMemory === 'fits-network') expect.unreachable();
    expect(slotCount(weightMemory, 8)).toBe(2 * array.rows * array.columns);
  });

  test.each([
    ['gemini-16x16', ' (did you mean "gemmini-16x16"?)'],
    ['systolic', ''],
  ])('an unknown name %s is an error with the known ones', (name, hint) => {
    expect(() => loadAccelerator(name)).toThrow(
      new InputError(
        `Unknown accelerator "${name}"${hint}: give one of edge-16x16, gemmini-16x16, eyeriss, tpu-v1 or a .yaml, .json or SCALE-Sim .cfg file.`,
      ),
    );
  });
});

describe('configuration files', () => {
  test.each(['.yaml', '.yml'])('%s are read with their units', (extension) => {
    const file = join(folder, `mine${extension}`);
    writeFileSync(file, VALID);
    expect(loadAccelerator(file)).toEqual({
      name: 'mine',
      array: { rows: 8, columns: 32, dataflow: 'output-stationary' },
      clock: 200e6,
      weightMemory: SCRATCHPAD,
    });
  });

  const arrays = fc
    .tuple(systolicArrays(), fc.boolean())
    .map(([array, preload]) =>
      preload && array.dataflow === 'weight-stationary' ? { ...array, preload } : array,
    );
  const operands = <T>(each: fc.Arbitrary<T>) =>
    fc.record({ input: each, weights: each, output: each });

  property.prop([
    fc
      .record(
        {
          name: fc.string({ minLength: 1 }),
          array: arrays,
          weightMemory: fc.oneof(fc.constant('fits-network' as const), weightMemories()),
          clock: fc.double({ min: 1, max: 1e12, noNaN: true }),
          buffers: operands(fc.integer({ min: 1, max: 2 ** 40 })),
          bandwidth: operands(fc.double({ min: 1e-3, max: 1e6, noNaN: true })),
          vectorUnit: fc.record({ lanes: fc.integer({ min: 1, max: 1024 }) }),
        },
        { requiredKeys: ['name', 'array', 'weightMemory'] },
      )
      .filter(({ bandwidth, buffers }) => bandwidth === undefined || buffers !== undefined),
    fc.constantFrom(stringify, JSON.stringify),
  ])('hold every accelerator, as YAML and as JSON', (accelerator, write) => {
    expect(parseAccelerator(write(written(accelerator)), 'a.yaml')).toEqual(accelerator);
  });

  test('give bandwidths in bytes a second, bytes a cycle at the clock, or in words a cycle', () => {
    const text = `${VALID}${BUFFERS}bandwidth: { input: 1GB/s, weights: 2.5, output: 100MB/s }`;
    expect(parseAccelerator(text, 'a.yaml').bandwidth).toEqual({
      input: { bytesPerCycle: 5 },
      weights: 2.5,
      output: { bytesPerCycle: 0.5 },
    });
  });

  test('give spare cells and check bits of the weight memory', () => {
    const spares = { spareRows: 2, spareColumns: 4, checkBits: 8 };
    const text = `${VALID}  spareRows: 2\n  spareColumns: 4\n  checkBits: 8\n`;
    expect(parseAccelerator(text, 'a.yaml').weightMemory).toEqual(
      defineWeightMemory({ ...SCRATCHPAD, ...spares }),
    );
  });

  test('name an energy table, or hold the figures of one', () => {
    const parse = (table: string) =>
      parseAccelerator(`${VALID}energyTable: ${table}\n`, 'a.yaml').energyTable;
    expect(parse('accelergy-65nm')).toEqual(ACCELERGY_65NM);
    expect(parse('{ name: mine, sram: [], mac: { int8: 0.2pJ } }')).toEqual({
      name: 'mine',
      sram: [],
      mac: { int8: 0.2e-12 },
    });
  });

  test('that are missing are an error', () => {
    const file = join(folder, 'absent.yaml');
    expect(() => loadAccelerator(file)).toThrow(
      new InputError(`Cannot read ${file}: no such file or folder.`),
    );
  });

  test.each([
    ['name: mine', 'nam: mine', '1:1: unknown key "nam" (did you mean "name"?).'],
    ['clock: 200MHz', 'colour: red', '6:1: unknown key "colour".'],
    ['columns: 32', 'colums: 32', '4:3: unknown key "colums" in array (did you mean "columns"?).'],
    [
      '  wordBits: 128',
      '  wordbits: 128',
      '10:3: unknown key "wordbits" in weightMemory (did you mean "wordBits"?).',
    ],
    ['rows: 8', "rows: '8'", '3:9: array.rows: Invalid input: expected number, received string.'],
    ['rows: 8', 'rows: 0', '3:9: array.rows: Too small: expected number to be >0.'],
    ['rows: 8', 'rows: 8.5', '3:9: array.rows: Invalid input: expected int, received number.'],
    [
      'output-stationary',
      'row-stationary',
      '5:13: array.dataflow: Invalid option: expected one of "weight-stationary"|"output-stationary"|"input-stationary".',
    ],
    [
      'output-stationary',
      'output-stationary\n  preload: true',
      '6:12: array.preload: only a weight-stationary array preloads.',
    ],
    [
      '  banks: 4\n',
      '',
      '8:3: weightMemory.banks is missing: Invalid input: expected number, received undefined.',
    ],
    [
      'name: mine\n',
      '',
      '1:1: name is missing: Invalid input: expected string, received undefined.',
    ],
    [
      'wordBits: 128',
      'wordBits: 0',
      '10:13: weightMemory.wordBits: Too small: expected number to be >0.',
    ],
    [
      'clock: 200MHz',
      'weightMemory: 64KiB',
      '7:1: the key "weightMemory" a second time; expected it once.',
    ],
    [
      'clock: 200MHz',
      'clock: 1 parsec',
      '6:8: clock: "1 parsec" is not a frequency: write a number and a unit (Hz, kHz, MHz, GHz), for example 1GHz.',
    ],
    ['clock: 200MHz', 'clock: 200', '6:8: clock: expected a number and a unit, for example 1GHz.'],
    [
      'clock: 200MHz',
      'buffers: { input: 64KiB, weights: 64KiB, output: 1.5B }',
      '6:50: buffers.output: "1.5B" is not a size: it must be a whole number of bytes below 2^53.',
    ],
    [
      'clock: 200MHz',
      `bandwidth: { input: 1GB/s, weights: 1, output: 1 }\n${BUFFERS}`,
      '6:21: bandwidth.input: a bandwidth in bytes a second needs a clock; give "clock", or words a cycle.',
    ],
    [
      'clock: 200MHz',
      'bandwidth: { input: fast, weights: 1, output: 1 }',
      '6:21: bandwidth.input: "fast" is not a bandwidth: write a number and a unit (B/s, kB/s, KiB/s, MB/s, MiB/s, GB/s, GiB/s, TB/s, TiB/s), for example 10GB/s.',
    ],
    [
      'clock: 200MHz',
      'bandwidth: { input: 1, weights: 1, output: 1 }',
      '6:12: bandwidth: a finite bandwidth needs buffers to wait for; give "buffers".',
    ],
    [
      'clock: 200MHz',
      'energyTable: accelergy',
      '6:14: energyTable: expected "accelergy-65nm" or an energy table.',
    ],
    [
      'clock: 200MHz',
      'energyTable: { name: mine, sram: [], leakage: 5 }',
      '6:47: energyTable.leakage: expected a number and a unit, for example 5mW.',
    ],
    [
      'clock: 200MHz',
      'vectorUnit: 8',
      '6:13: vectorUnit: Invalid input: expected object, received number.',
    ],
  ])('with %j changed to %j name the place', (from, to, message) => {
    expect(() => parseAccelerator(VALID.replace(from, to), 'a.yaml')).toThrow(
      new InputError(`a.yaml:${message}`),
    );
  });

  property.prop([fc.nat(VALID.length), fc.nat(20), fc.string({ unit: 'binary', maxLength: 8 })])(
    'with anything written over them are accelerators or errors that name a place',
    (start, length, noise) => {
      const text = VALID.slice(0, start) + noise + VALID.slice(start + length);
      try {
        expect(parseAccelerator(text, 'a.yaml').array.rows).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect(String(error)).toMatch(/^InputError: a\.yaml:\d+:\d+: ./);
      }
    },
  );

  test('with another kind of weight memory name what it may be', () => {
    const text = `${VALID.slice(0, VALID.indexOf('weightMemory'))}weightMemory: 64KiB`;
    expect(() => parseAccelerator(text, 'a.yaml')).toThrow(
      new InputError(
        'a.yaml:7:15: weightMemory: expected "fits-network" or a mapping of banks, rows, wordBits, columnMux and perhaps spareRows, spareColumns, checkBits.',
      ),
    );
  });

  test.each(['[]', '', 'edge', '{"name": '])('that hold %j are an error', (text) => {
    expect(() => parseAccelerator(text, 'a.yaml')).toThrow(/^a\.yaml:1:\d+: /);
  });
});

test.each(readdirSync(EXAMPLES))('the example %s is an accelerator', (name) => {
  expect(`${loadAccelerator(join(EXAMPLES, name)).name.slice(0, 4)}`).toBe(name.slice(0, 4));
});

describe('SCALE-Sim configurations', () => {
  const file = join(folder, 'array.cfg');
  writeFileSync(
    file,
    `[architecture_presets]
ArrayHeight: 8
ArrayWidth: 32
IfmapSramSzkB: 1
FilterSramSzkB: 2
OfmapSramSzkB: 3
Dataflow: os
Bandwidth: 4
[run_presets]
InterfaceBandwidth: USER
`,
  );
  const known = {
    name: file,
    array: { rows: 8, columns: 32, dataflow: 'output-stationary' },
    buffers: { input: 1024, weights: 2048, output: 3072 },
    bandwidth: { input: 4, weights: 4, output: 4 },
  };

  test.each([
    ['4x1024x64x8', { banks: 4, rows: 1024, wordBits: 64, columnMux: 8 }],
    ['4×1024×64', { banks: 4, rows: 1024, wordBits: 64, columnMux: 1 }],
    ['fits-network', 'fits-network'],
  ])('with the weight memory %s are accelerators', (memory, weightMemory) => {
    expect(loadAccelerator(`${file}@${memory}`)).toEqual({ ...known, weightMemory });
    expect(loadTimedAccelerator(`${file}@${memory}`)).toMatchObject({ ...known, weightMemory });
    expect(acceleratorFile(`${file}@${memory}`)).toBe(file);
  });

  test('need no weight memory where cycles alone are of interest', () => {
    expect(loadTimedAccelerator(file)).toMatchObject(known);
    expect(loadTimedAccelerator(file)).not.toHaveProperty('weightMemory');
    expect(() => loadAccelerator(file)).toThrow(
      new InputError(
        `${file}: a SCALE-Sim configuration has no weight memory (keys weightMemory.banks, weightMemory.rows, weightMemory.wordBits, weightMemory.columnMux), expected it behind the file's name: --accelerator ${file}@BANKSxROWSxWORDBITSxCOLUMNMUX, such as ${file}@4x1024x64x4, or ${file}@fits-network.`,
      ),
    );
  });

  test.each([
    [
      '4x1024',
      '"4x1024" is no weight memory, expected BANKSxROWSxWORDBITS, BANKSxROWSxWORDBITSxCOLUMNMUX such as 4x1024x64x4, or fits-network.',
    ],
    ['4x1024x0', 'Weight memory: wordBits must be a positive integer, not 0.'],
    ['0x1024x64', 'Weight memory: banks must be a positive integer, not 0.'],
  ])('refuse the weight memory %s', (memory, message) => {
    expect(() => loadAccelerator(`${file}@${memory}`)).toThrow(
      new InputError(`${file}@${memory}: ${message}`),
    );
  });
});

test('the shipped JSON Schema is the one of the code', async () => {
  await expect(acceleratorJsonSchema()).toMatchFileSnapshot(
    join(packageRoot(), 'sim', 'accelerator', 'accelerator.schema.json'),
  );
});
