import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { inferenceEnergy } from '../../sim/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { WEIGHTS, writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8, float32 } = writeTinyNetwork(folder);

interface Layer {
  readonly name: string;
  readonly totalCycles: number;
}

/** Cycles by layer, and all the numbers of the total. */
async function timing(...options: string[]) {
  const result = await bitcellJson(['timing', ...options]);
  const cycles = (result.layers as Layer[]).map(({ name, totalCycles }) => [name, totalCycles]);
  return { result, cycles };
}

// Positions M, window K and filters N: conv1 256, 27, 8; fc1 1, 512, 16; fc2 1, 16, 10.
test('timing gives the cycles of the weight-stationary 16×16 preset', async () => {
  const { result, cycles } = await timing('--model', int8);
  expect(cycles).toEqual([
    ['conv1', 2 * 1 * (256 + 2 * 16 + 16 - 2) - 1],
    ['fc1', 32 * 1 * (1 + 2 * 16 + 16 - 2) - 1],
    ['fc2', 1 * 1 * (1 + 2 * 16 + 16 - 2) - 1],
  ]);
  expect(result).toMatchObject({
    model: int8,
    accelerator: 'edge-16x16',
    total: {
      computeCycles: 603 + 1503 + 46,
      stallCycles: 0,
      totalCycles: 603 + 1503 + 46,
      utilization: (256 * 27 * 8 + 512 * 16 + 16 * 10) / ((603 + 1503 + 46) * 16 * 16),
    },
    energy: null,
  });
});

test.each([
  [
    'output-stationary',
    [32 * 2 * (27 + 8 + 4 - 2) - 1, 1 * 4 * (512 + 10) - 1, 1 * 3 * (16 + 10) - 1],
  ],
  [
    'input-stationary',
    [4 * 64 * (8 + 2 * 8 + 4 - 2) - 1, 64 * 1 * (16 + 18) - 1, 2 * 1 * (10 + 18) - 1],
  ],
])('timing gives the cycles of an accelerator in a file, %s on 8×4', async (dataflow, expected) => {
  const accelerator = join(newFolder(), 'accelerator.json');
  writeFileSync(
    accelerator,
    JSON.stringify({
      name: 'mine',
      array: { rows: 8, columns: 4, dataflow },
      weightMemory: 'fits-network',
    }),
  );
  const { cycles } = await timing('--model', float32, '--accelerator', accelerator);
  expect(cycles).toEqual([
    ['conv1', expected[0]],
    ['fc1', expected[1]],
    ['fc2', expected[2]],
  ]);
});

test('timing takes AlexNet when no network is given', async () => {
  const { cycles } = await timing();
  const layers = [
    { positions: 16 * 16, window: 3 * 9, filters: 64 },
    { positions: 8 * 8, window: 64 * 9, filters: 192 },
    { positions: 4 * 4, window: 192 * 9, filters: 384 },
    { positions: 4 * 4, window: 384 * 9, filters: 256 },
    { positions: 4 * 4, window: 256 * 9, filters: 256 },
    { positions: 1, window: 1024, filters: 4096 },
    { positions: 1, window: 4096, filters: 4096 },
    { positions: 1, window: 4096, filters: 10 },
  ];
  expect(cycles.map(([, found]) => found)).toEqual(
    layers.map(
      ({ positions, window, filters }) =>
        Math.ceil(window / 16) * Math.ceil(filters / 16) * (positions + 2 * 16 + 16 - 2) - 1,
    ),
  );
});

test('timing prints a table as text', async () => {
  const { status, stdout, stderr } = await bitcell(['timing', '--model', int8]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('edge-16x16: 16×16, weight-stationary, one image, ideal bandwidth\n');
  expect(stdout).toMatch(/\nfc1 +1,503 +0 +1,503 +2\.1\n/);
  expect(stdout).toMatch(/\ntotal +2,152 +0 +2,152 +11\.6\n/);
});

const HEAD =
  'Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,';

/** A topology and a configuration of SCALE-Sim: the layer fc2 of its measured rows. */
function scaleSimFiles(): string[] {
  const files = newFolder();
  const [topology, config] = [join(files, 'fc2.csv'), join(files, 'array.cfg')];
  writeFileSync(topology, `${HEAD}\nfc2, 1, 1, 1, 1, 1024, 512, 1,\n`);
  writeFileSync(
    config,
    [
      '[architecture_presets]',
      ...['ArrayHeight: 16', 'ArrayWidth: 16', 'Dataflow: os', 'Bandwidth: 10'],
      ...['IfmapSramSzkB: 64', 'FilterSramSzkB: 64', 'OfmapSramSzkB: 64'],
      '[run_presets]',
      'InterfaceBandwidth: USER',
    ].join('\n'),
  );
  return ['--topology', topology, '--config', config];
}

test('timing reads the files of SCALE-Sim and stalls as it does', async () => {
  const files = scaleSimFiles();
  const { result } = await timing(...files, '--bandwidth-model', 'scalesim-v2');
  const stalls = { computeCycles: 33727, stallCycles: 174855, totalCycles: 208582 };
  expect(result).toMatchObject({
    bandwidthModel: 'scalesim-v2',
    layers: [{ name: 'fc2', ...stalls }],
    total: stalls,
    vector: null,
    energy: null,
    warnings: [],
  });
  const alias = await timing(...files, '--bandwidth-model', 'scalesim');
  expect(alias.result).toEqual(result);
});

test('timing takes a SCALE-Sim configuration as an accelerator, too', async () => {
  const [, topology, , config] = scaleSimFiles();
  const files = ['--topology', topology];
  const { result } = await timing(...files, '--config', config);
  const given = await timing(...files, '--accelerator', config);
  expect(given.result).toEqual({ ...result, config: undefined, accelerator: config });
});

test('timing names what a SCALE-Sim configuration has on that is not simulated', async () => {
  const [, topology, , config] = scaleSimFiles();
  writeFileSync(config, `${readFileSync(config, 'utf8')}\nTimeLinearModel: TPUv4`);
  const args = ['timing', '--topology', topology, '--config', config, '--json'];
  const { status, stdout, stderr } = await bitcell(args);
  const warning = `${config}:11:18: TimeLinearModel "TPUv4" is not simulated: there are cycles, but no microseconds.`;
  expect({ status, stderr }).toEqual({ status: 0, stderr: `bitcell: warning: ${warning}\n` });
  expect(JSON.parse(stdout).warnings).toEqual([warning]);
});

test('ratios in a topology mean nothing where the configuration says that sparsity is off', async () => {
  const [, topology, , config] = scaleSimFiles();
  const files = ['--topology', topology, '--config', config];
  const { result } = await timing(...files);
  writeFileSync(topology, `${HEAD} Sparsity\nfc2, 1, 1, 1, 1, 1024, 512, 1, 2:4\n`);
  expect(await refusal(['timing', ...files])).toMatch(/sparsity is not simulated/);
  const version3 = [
    ...['[sparsity]', 'SparsitySupport: false', '[layout]', 'IfmapCustomLayout: False'],
    ...['FilterCustomLayout: False', 'IfmapSRAMBankBandwidth: 10', 'FilterSRAMBankBandwidth: 10'],
  ];
  writeFileSync(config, [readFileSync(config, 'utf8'), ...version3].join('\n'));
  expect((await timing(...files)).result).toEqual(result);
});

test('timing stalls by the double-buffer model unless told otherwise', async () => {
  const { result } = await timing(...scaleSimFiles());
  expect(result).toMatchObject({
    bandwidthModel: 'double-buffer',
    // 1024·16 weights fill first, 1638.4 cycles; 32 tiles of 1054 cycles then wait for 31 such loads.
    layers: [
      {
        computeCycles: 32 * 1054 - 1,
        stalls: { firstFill: 1639, input: 0, weights: 31 * (1639 - 1054), output: 0, lastDrain: 2 },
        memory: {
          inputReads: 1024,
          weightReads: 1024 * 512,
          partialSumReads: 0,
          outputWrites: 512,
        },
      },
    ],
  });
});

test('flags give an accelerator buffers and a bandwidth', async () => {
  const flags = ['--model', int8, '--bandwidth', '1,2,4', '--buffers', '1KiB,2KiB,4KiB'];
  const { result } = await timing(...flags);
  const { result: faster } = await timing(...flags.with(3, '2,2,4'));
  expect(result.bandwidthModel).toBe('double-buffer');
  const total = (found: typeof result) => (found.total as Layer).totalCycles;
  expect(total(faster)).toBeLessThan(total(result));
});

test('timing says that ideal bandwidth has no stalls to model', async () => {
  const { status, stderr } = await bitcell([
    ...['timing', '--model', int8, '--bandwidth-model', 'scalesim'],
  ]);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr:
      'bitcell: edge-16x16 has ideal bandwidth, so scalesim-v2 finds no stalls: --bandwidth makes it finite.\n',
  });
});

test('layers without weights run on the vector unit', async () => {
  const { result } = await timing('--model', int8);
  const { lanes, layers, cycles } = result.vector as {
    lanes: number;
    layers: { kind: string; operations: number; cycles: number }[];
    cycles: number;
  };
  expect(lanes).toBe(16);
  for (const layer of layers) expect(layer.cycles).toBe(Math.ceil(layer.operations / lanes));
  expect(cycles).toBe(layers.reduce((sum, layer) => sum + layer.cycles, 0));
});

test('timing gives energy by a table, and names what the table does not give', async () => {
  const table = join(newFolder(), 'table.yaml');
  writeFileSync(
    table,
    [
      'name: mine',
      'sram: [{ upTo: 1MiB, accessBits: 8, read: 1pJ, write: 2pJ, area: 0.5mm2 }]',
      'mac: { int8: 0.5pJ }',
      'registerFile: { read: 1fJ, write: 1fJ }',
      'memory: { accessBits: 8, read: 1fJ, write: 1fJ }',
    ].join('\n'),
  );
  const args = ['--model', int8, '--buffers', '1KiB', '--bandwidth', '1000', '--energy', table];
  const { result } = await timing(...args);
  const energy = result.energy as NonNullable<ReturnType<typeof inferenceEnergy>>;
  const products = [256 * 27 * 8, 512 * 16, 16 * 10];
  expect(energy.table).toBe('mine');
  expect(energy.layers.map(({ name }) => name)).toEqual(['conv1', 'fc1', 'fc2']);
  for (const [index, { components }] of energy.layers.entries()) {
    expect(components.mac).toBeCloseTo(0.5e-12 * products[index], 18);
  }
  // Every weight is read once, and written once when it arrives.
  expect(energy.components.weightSram).toBeCloseTo(3e-12 * WEIGHTS, 18);
  expect(energy.notGiven).toEqual([
    { component: 'leakage', reason: 'energy table mine has no leakage' },
  ]);
  expect(energy.total).toBeCloseTo(
    energy.layers.reduce((sum, layer) => sum + layer.total, 0),
    18,
  );
  expect(energy).toMatchObject({ power: null, area: { total: 1.5e-6 } });

  const { stdout } = await bitcell(['timing', ...args]);
  expect(stdout).toMatch(/\nmicrojoules \(mine\) +of what is given +input SRAM +weight SRAM /);
  expect(stdout).toContain('\nleakage not given: energy table mine has no leakage\n');
  expect(stdout).toMatch(/\narea: at least 1\.500 mm²\n$/);
});

test('an accelerator with an energy table gives energy and power unasked', async () => {
  const { result } = await timing('--model', int8, '--accelerator', 'eyeriss');
  const energy = result.energy as NonNullable<ReturnType<typeof inferenceEnergy>>;
  const seconds = (result.total as { hardwareCycles: number }).hardwareCycles / 200e6;
  expect(energy.components.weightSram).toBeCloseTo((18.2e-12 / 8) * WEIGHTS, 18);
  expect(energy.power).toBeCloseTo(energy.total / seconds, 12);
  expect(energy.notGiven.map(({ component }) => component)).toEqual([
    ...['inputSram', 'outputSram', 'registerFile', 'mac', 'memory', 'leakage'],
  ]);
});

test.each([
  [
    ['--energy', 'accelergy-56nm'],
    'Unknown energy table "accelergy-56nm" (did you mean "accelergy-65nm"?): give accelergy-65nm or a .yaml or .json file.',
  ],
  [
    ['--bandwidth', '1,2'],
    '--bandwidth 1,2: expected one value, or three for input,weights,output.',
  ],
  [['--bandwidth', 'x'], '--bandwidth: "x" is not a number of words a cycle above 0.'],
  [
    ['--bandwidth', '1'],
    'edge-16x16 has a bandwidth but no buffers: give their sizes by --buffers.',
  ],
])('timing refuses %j', async (flags, message) => {
  expect(await refusal(['timing', '--model', int8, ...flags])).toBe(message);
});

test('words that hold no weight are refused with the name of the accelerator', async () => {
  const odd = join(newFolder(), 'odd.yaml');
  writeFileSync(
    odd,
    'name: odd\narray: { rows: 8, columns: 8, dataflow: weight-stationary }\nweightMemory: { banks: 4096, rows: 512, wordBits: 7, columnMux: 4 }\nenergyTable: accelergy-65nm\n',
  );
  const words = `${odd}: Weight memory: an int8 weight of 8 bits does not fit words of 7 bits`;
  expect(await refusal(['timing', '--accelerator', odd])).toContain(words);
  const tune = ['tune', '--accelerator', odd, '--format', 'int8', '-o', 'out.json'];
  expect(await refusal([...tune, '--images', '1', '--maps', '1'])).toContain(words);
  expect(
    await refusal(['map', 'create', '--accelerator', odd, '--rate', '0.1', '-o', 'map.json']),
  ).toContain(words);
  const bits = ['map', 'create', '--geometry', '1x16x48', '--word-bits', '12', '--rate', '0.1'];
  expect(await refusal([...bits, '--bits', '3,11', '-o', 'map.json'])).toBe(
    '--bits 11: int8 weights have the bits 0 to 7; other bits of a memory word hold no weight',
  );
});
