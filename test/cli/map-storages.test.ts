import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseStudy, prepareStudy, type StudyPoint } from '../../campaign/index.js';
import { createTrialContexts } from '../../campaign/trial/trial-runner.js';
import { readFaultMap, storageOfMap } from '../../fault/index.js';
import { loadKernels } from '../../kernels/index.js';
import { STORAGES, type StorageName } from '../../sim/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model } = writeTinyNetwork(folder);
const inFolder = (name: string) => join(folder, name);

/** Few registers, and a memory of partial sums in a second accelerator. */
const [registers, withMemory] = ['registers', 'with-memory'].map((name) => {
  const file = inFolder(`${name}.json`);
  const accelerator = {
    ...{ name, array: { rows: 6, columns: 5, dataflow: 'weight-stationary', preload: true } },
    weightMemory: { banks: 1, rows: 1024, wordBits: 64, columnMux: 4 },
    ...(name === 'with-memory' && {
      accumulatorMemory: { banks: 2, rows: 16, wordBits: 64, columnMux: 2 },
    }),
  };
  writeFileSync(file, JSON.stringify(accelerator));
  return file;
});

const memoryOf = (accelerator: string) => ['--model', model, '--accelerator', accelerator];
const memory = memoryOf(registers);

let files = 0;

/** A map of a storage in a file. */
async function createMap(storage: StorageName, options: readonly string[], extension = 'json') {
  const file = inFolder(`map-${files++}.${extension}`);
  const args = ['map', 'create', '--storage', storage, ...options, '-o', file];
  return { file, result: await bitcellJson(args) };
}

function write(name: string, ...lines: readonly string[]): string {
  const file = inFolder(name);
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

describe('map create --storage', () => {
  test.each([registers, withMemory])('draws the map of a trial on %s', async (accelerator) => {
    const study = {
      model,
      format: 'int8' as const,
      accelerator,
      seed: 5,
      rates: [3e-2],
      maps: 3,
      images: 1,
    };
    const { data } = prepareStudy(
      parseStudy({ ...study, storages: [...STORAGES], mitigations: 'none' }),
    );
    const contextOf = createTrialContexts(data, loadKernels(), {
      ...{ engine: 'plain', deltaBytes: 0 },
    });
    const drawing = ['--rate', '3e-2', '--seed', '5', '--map', '2'];
    const maps = await Promise.all(
      STORAGES.map((storage) => createMap(storage, [...memoryOf(accelerator), ...drawing])),
    );
    expect(data.conditions.map(({ storage }) => storage)).toEqual(STORAGES);
    for (const [index, storage] of STORAGES.entries()) {
      const { file, result } = maps[index];
      const map = readFaultMap(file);
      const [{ faultMap }] = contextOf(index).storages;
      const { geometry, cells, kinds } = faultMap(2);
      expect(cells.length).toBeGreaterThan(0);
      expect(map).toMatchObject({ geometry, cells, kinds });
      const said = storage === 'weights' ? undefined : storage;
      expect([storageOfMap(map), result.storage]).toEqual([said, said]);
      expect(result).toMatchObject({ seed: 5, map: 2, geometry });
    }
  });

  test('says nothing of weights, and writes a column storage of all others', async () => {
    const drawing = [...memory, '--rate', '1e-2'];
    const [named, plain, sums] = await Promise.all([
      createMap('weights', drawing, 'csv'),
      bitcell(['map', 'create', ...drawing, '-o', inFolder('plain.csv')]),
      createMap('accumulators', drawing, 'csv'),
    ]);
    expect(plain.status).toBe(0);
    const text = readFileSync(named.file, 'utf8');
    expect(text).toBe(readFileSync(inFolder('plain.csv'), 'utf8'));
    expect(text.split('\n')[0]).toBe('bank,row,column,kind');
    const [head, ...lines] = readFileSync(sums.file, 'utf8').trim().split('\n');
    expect(head).toBe('storage,bank,row,column,kind');
    expect(lines.length).toBe(sums.result.faults);
    for (const line of lines) expect(line).toMatch(/^accumulators,0,[0-5],\d+,flip$/);
  });

  test('takes bits of what the storage holds', async () => {
    const { file } = await createMap('multipliers', [...memory, '--rate', '0.5', '--bits', '17']);
    const { faults } = JSON.parse(readFileSync(file, 'utf8'));
    expect(faults.length).toBe(15);
    for (const [, , column] of faults) expect(column % 18).toBe(17);
  });

  test.each<[string[], string]>([
    [
      ['multipliers', '--bits', '18'],
      '--bits 18: multipliers with int8 words have the bits 0 to 17',
    ],
    [
      ['multipliers', '--geometry', '1x6x91'],
      '--geometry: the multipliers of the array have 18 bits with int8 words: give a multiple of 18 columns, not 91',
    ],
    [['accumulators', '--geometry', '2x6x160'], '--geometry: the accumulators are one bank, not 2'],
    [
      ['weight-registers', '--geometry', '3x6x40'],
      '--geometry: the weight registers of the array are one bank, or two of an array that preloads, not 3',
    ],
    ...[
      ['--column-mux', '2'],
      ['--word-bits', '8'],
      ['--spare-rows', '1'],
    ].map((layout): [string[], string] => [
      ['weight-registers', '--geometry', '1x6x40', ...layout],
      '--geometry: the weight registers of the array are registers, one beside the other, without check or spare cells: give banks, rows and columns alone',
    ]),
  ])('refuses %j', async ([storage, ...options], message) => {
    const args = ['--accelerator', registers, '--rate', '0.1', '-o', 'map.json'];
    expect(await refusal(['map', 'create', '--storage', storage, ...options, ...args])).toBe(
      message,
    );
  });

  test('refuses a memory of sums of an array that has none', async () => {
    const file = write(
      'sums.json',
      JSON.stringify({
        ...JSON.parse(readFileSync(withMemory, 'utf8')),
        array: { rows: 4, columns: 4, dataflow: 'output-stationary' },
      }),
    );
    const args = ['--storage', 'accumulators', '--accelerator', file, '--rate', '0.1'];
    expect(await refusal(['map', 'create', ...args, '-o', 'map.json'])).toContain(
      'the sums of an output-stationary array stay in its elements',
    );
  });
});

describe('map import and map show --storage', () => {
  const table = write(
    'both.csv',
    'storage,bank,row,column,kind',
    'accumulators,0,5,159,stuck-at-1',
    'multipliers,0,2,7,flip',
    'multipliers,0,5,89,flip',
  );

  test('read the lines of one storage in its memory, and keep what it is', async () => {
    const file = inFolder('imported.json');
    const args = [table, ...memory];
    const [imported, shown, selected] = await Promise.all([
      bitcellJson(['map', 'import', ...args, '--storage', 'multipliers', '-o', file]),
      bitcellJson(['map', 'show', ...args, '--storage', 'accumulators']),
      bitcellJson(
        ['map', 'show', table, '--geometry', '1x6x160'].concat('--select', 'storage=accumulators'),
      ),
    ]);
    expect(imported).toMatchObject({ faults: 2, geometry: { banks: 1, rows: 6, columns: 90 } });
    expect(shown).toMatchObject({ faults: 1, geometry: { banks: 1, rows: 6, columns: 160 } });
    expect(selected).toMatchObject({ faults: 1, kinds: { 'stuck-at-1': 1 } });
    expect(storageOfMap(readFaultMap(file))).toBe('multipliers');

    const csv = inFolder('exported.csv');
    expect((await bitcell(['map', 'export', file, '-o', csv])).status).toBe(0);
    expect(readFileSync(csv, 'utf8')).toBe(
      'storage,bank,row,column,kind\nmultipliers,0,2,7,flip\nmultipliers,0,5,89,flip\n',
    );
  });

  test('name a map without a column', async () => {
    const cells = write('cells.csv', 'row,column', '1,2');
    const file = inFolder('named.bfm');
    const args = ['map', 'import', cells, ...memory, '--storage', 'weight-registers'];
    const geometry = ['--geometry', '1x6x40'];
    const { status, stderr } = await bitcell([...args, ...geometry, '-o', file]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const map = readFaultMap(file);
    expect([storageOfMap(map), map.cells.length]).toEqual(['weight-registers', 1]);
    const { stdout } = await bitcell(['map', 'show', file]);
    expect(stdout).toContain('\nstorage: weight-registers\n');
  });

  test('refuse several storages, and another one than is asked for', async () => {
    const { file } = await createMap('accumulators', [...memory, '--rate', '1e-2']);
    const show = ['map', 'show'];
    const messages = await Promise.all([
      refusal([...show, table, ...memory]),
      refusal([...show, table, ...memory, '--storage', 'inputs']),
      refusal([...show, file, '--storage', 'inputs', ...memory]),
      refusal(['map', 'import', file, '--storage', 'weights', ...memory, '-o', 'map.json']),
      refusal(['map', 'hits', file, ...memory]),
    ]);
    const other = (asked: string) =>
      `${file} is a map of the storage accumulators, but ${asked} is asked for: give another map, or --storage accumulators`;
    expect(messages).toEqual([
      `${table} holds several maps, for their lines differ in storage (accumulators, multipliers); --select storage=accumulators takes one.`,
      `${table}: no line has storage=inputs; there are storage: accumulators, multipliers.`,
      other('inputs'),
      other('weights'),
      other('weights'),
    ]);
  });
});

/** A listing, as JSON has it. */
interface Listing {
  readonly hits: readonly Record<string, unknown>[];
  readonly total: number;
  readonly faults: number;
  readonly faultyCells: unknown;
  readonly cells: number;
}

async function hitsOf(file: string, ...options: string[]): Promise<Listing & object> {
  const result = await bitcellJson(['map', 'hits', file, ...options]);
  return result as unknown as Listing;
}

describe('map hits --storage', () => {
  /** Tensors that the feature-map memory holds, by their first value: height × width × channels, each from a word on. */
  const TENSORS = [
    { tensor: 'images', layer: null, first: 0, width: 32, channels: 3, values: 3072 },
    { tensor: 'features', layer: 'conv1', first: 3072, width: 16, channels: 8, values: 2048 },
    { tensor: 'pooled', layer: 'pool1', first: 5120, width: 8, channels: 8, values: 512 },
    { tensor: 'hidden', layer: 'fc1', first: 5632, width: 1, channels: 16, values: 16 },
  ];

  test.each(['inputs', 'activations'] as const)('lists values of %s', async (storage) => {
    const { file } = await createMap(storage, [
      ...memory,
      '--rate',
      '2e-3',
      '--faults',
      'stuck-at',
    ]);
    const of = [...memory, '--storage', storage];
    const [listing, csv, text] = await Promise.all([
      hitsOf(file, ...of),
      bitcell(['map', 'hits', file, ...of, '--csv', '-']),
      bitcell(['map', 'hits', file, ...of, '--limit', '2']),
    ]);
    const meant = TENSORS.filter(({ layer }) => (layer === null) === (storage === 'inputs'));
    const faults: [number, number, number, string][] = JSON.parse(
      readFileSync(file, 'utf8'),
    ).faults;
    const expected = faults.flatMap(([bank, row, column, kind]) => {
      // 1024 rows of four words of 64 bits.
      const bitNumber = 64 * (4 * row + (column % 4)) + Math.floor(column / 4);
      const value = Math.floor(bitNumber / 8);
      return meant.flatMap(({ tensor, layer, first, width, channels, values }) => {
        const within = value - first;
        if (bank !== 0 || within < 0 || within >= values) return [];
        const position = Math.floor(within / channels);
        const [y, x] = [Math.floor(position / width), position % width];
        const place = { tensor, layer, y, x, channel: within % channels };
        return [{ bank, row, column, kind, ...place, bit: bitNumber % 8, tile: 0 }];
      });
    });
    expect(expected.length).toBeGreaterThan(30);
    expect(listing.hits).toEqual(expected);
    const used = expected.length;
    expect(listing).toMatchObject({
      ...{ storage, total: used, faults: faults.length, placement: 'resident' },
      faultyCells: { used, unused: faults.length - used, check: 0, spare: 0 },
      tensors: meant.map(({ tensor, layer }) => ({
        ...{ tensor, layer, hits: expected.filter((hit) => hit.tensor === tensor).length },
      })),
    });
    const columns = Object.keys(expected[0]) as (keyof (typeof expected)[0])[];
    expect(csv.stdout.trimEnd().split('\n')).toEqual([
      columns.join(),
      ...expected.map((hit) => columns.map((column) => hit[column] ?? '').join()),
    ]);
    const lines = text.stdout.split('\n');
    expect(lines[0]).toBe(
      `${storage} of ${model} with int8 words, resident on ${registers}: 1 banks × 1024 rows × 256 columns`,
    );
    expect(lines.slice(4, 7).map((line) => /^ +0 +\d+/.test(line))).toEqual([true, true, false]);
  });

  test('lists each turn of a half that streamed tensors fill', async () => {
    const accelerator = write(
      'streamed.json',
      JSON.stringify({
        ...JSON.parse(readFileSync(registers, 'utf8')),
        featureMapMemory: { banks: 2, rows: 32, wordBits: 32, columnMux: 4 },
      }),
    );
    // Bit 9 of word 0 is bit 1 of the second value of the first half, which has 512.
    const file = write('streamed.csv', 'bank,row,column', '0,0,36');
    const of = [...memoryOf(accelerator), '--placement', 'streamed', '--storage', 'inputs'];
    const { hits } = await hitsOf(file, ...of);
    expect(hits).toEqual(
      [0, 1, 2, 3, 4, 5].map((tile) => {
        const value = 1 + tile * 512;
        const position = Math.floor(value / 3);
        return {
          ...{ bank: 0, row: 0, column: 36, kind: 'flip', tensor: 'images', layer: null },
          ...{ y: Math.floor(position / 32), x: position % 32, channel: value % 3, bit: 1, tile },
        };
      }),
    );
  });

  test('lists the layers whose outputs come through registers and sums', async () => {
    const cell = (name: string, ...cells: string[]) =>
      write(`${name}.csv`, 'storage,bank,row,column', ...cells.map((text) => `${name},${text}`));
    const products = cell('multipliers', '0,2,39');
    const weights = cell('weight-registers', '1,3,33');
    const sums = cell('accumulators', '0,1,67');
    const [ofProducts, csv, ofWeights, table, ofSums] = await Promise.all([
      hitsOf(products, ...memory, '--storage', 'multipliers'),
      bitcell(
        ['map', 'hits', products, ...memory].concat('--storage', 'multipliers', '--csv', '-'),
      ),
      hitsOf(weights, ...memory, '--storage', 'weight-registers', '--mitigation', 'none'),
      bitcell(['map', 'hits', weights, ...memory, '--storage', 'weight-registers']),
      hitsOf(sums, ...memoryOf(withMemory), '--storage', 'accumulators'),
    ]);
    // Six rows, five columns. conv1: 256 positions, 8 filters of 27; fc1: 16 of 512; fc2: 10 of 16.
    const product = { bank: 0, row: 2, column: 39, kind: 'flip', element: { row: 2, column: 2 } };
    expect(ofProducts.hits).toEqual([
      { ...product, bit: 3, layer: 'conv1', outputs: 256 * 2 },
      { ...product, bit: 3, layer: 'fc1', outputs: 3 },
      { ...product, bit: 3, layer: 'fc2', outputs: 2 },
    ]);
    expect(ofProducts).toMatchObject({ storage: 'multipliers', faults: 1, total: 3, cells: 540 });
    expect(csv.stdout).toBe(
      [
        'bank,row,column,kind,elementRow,elementColumn,bit,layer,outputs',
        '0,2,39,flip,2,2,3,conv1,512',
        '0,2,39,flip,2,2,3,fc1,3',
        '0,2,39,flip,2,2,3,fc2,2\n',
      ].join('\n'),
    );
    // Weights of rows 3, 4 and 5 shift in through row 3: of 27 positions 4 + 4 + 4, of 512 85 + 85 + 85, of 16 3 + 2 + 2.
    const weight = { bank: 1, row: 3, column: 33, kind: 'flip', element: { row: 3, column: 4 } };
    expect(ofWeights.hits).toEqual([
      { ...weight, bit: 1, layer: 'conv1', weights: 12, outputs: 256 },
      { ...weight, bit: 1, layer: 'fc1', weights: 255 * 3, outputs: 3 },
      { ...weight, bit: 1, layer: 'fc2', weights: 7 * 2, outputs: 2 },
    ]);
    expect(table.stdout).toMatch(
      /element +bit +layer +weights +outputs\n.*\n.* 3,4 +1 +conv1 +12 /,
    );
    // 32 rows of two words of two sums: column 67 is bit 33 of the second word, bit 1 of slot 7 of 128.
    const sum = { bank: 0, row: 1, column: 67, kind: 'flip', slot: 7, bit: 1 };
    // Of the 1280 places of conv1 ten share the slot; columns 0 to 2 have two filters each, the others one.
    expect(ofSums.hits).toEqual([{ ...sum, layer: 'conv1', outputs: 16 }]);
  });

  test('takes no memory part of a mitigation', async () => {
    const file = write('inputs.csv', 'storage,bank,row,column', 'inputs,0,0,0');
    const of = ['map', 'hits', file, ...memory, '--storage', 'inputs', '--mitigation'];
    expect(await refusal([...of, 'secded'])).toBe(
      '--mitigation secded: what a memory reads under it is listed of weights alone; leave it away for --storage inputs',
    );
    const { mitigation, total } = await bitcellJson([...of, 'clamp']);
    expect([mitigation, total]).toEqual(['clamp', 1]);
  });
});

describe('run --storage --fault-map', () => {
  const run = ['run', ...memory, '--format', 'int8', '--seed', '3', '--mitigations', 'none'];
  const images = ['--images', '200', '--image-choice', 'fixed'];

  test('reads the faults of several storages of one table', async () => {
    const own = ['--rate', '2e-2', '--seed', '3'];
    const [weights, activations] = await Promise.all([
      createMap('weights', [...memory, ...own], 'csv'),
      createMap('activations', [...memory, ...own], 'csv'),
    ]);
    const [head, ...others] = readFileSync(activations.file, 'utf8').trim().split('\n');
    const ofWeights = readFileSync(weights.file, 'utf8').trim().split('\n').slice(1);
    const both = write(
      'both-maps.csv',
      head,
      ...ofWeights.map((line) => `weights,${line}`),
      ...others,
    );
    const at = [...run, ...images, '--storage', 'weights+activations'];
    const [given, drawn] = await Promise.all([
      bitcellJson([...at, '--fault-map', both]),
      bitcellJson([...at, '--rates', '2e-2', '--maps', '1']),
    ]);
    expectSamePoint(given, drawn);
    expect((given.points as StudyPoint[])[0].faults.injected).toBe(
      (weights.result.faults as number) + (activations.result.faults as number),
    );
  });

  test.each([registers, withMemory])('meets the sums of map create on %s', async (accelerator) => {
    const drawing = ['--rate', '1e-2', '--seed', '3', '--faults', 'stuck-at'];
    const { file } = await createMap('accumulators', [...memoryOf(accelerator), ...drawing]);
    const at = [...run, ...images, '--accelerator', accelerator, '--storage', 'accumulators'];
    const [given, drawn] = await Promise.all([
      bitcellJson([...at, '--fault-map', file]),
      bitcellJson([...at, '--faults', 'stuck-at', '--rates', '1e-2', '--maps', '1']),
    ]);
    expectSamePoint(given, drawn);
  });

  test('refuses a map of another storage, and one that does not say of which', async () => {
    const { file } = await createMap('accumulators', [...memory, '--rate', '1e-2']);
    const plain = write('plain-cells.csv', 'bank,row,column', '0,1,2');
    const table = write('inputs-alone.csv', 'storage,bank,row,column', 'inputs,0,1,2');
    expect(
      await Promise.all([
        refusal([...run, '--storage', 'activations', '--fault-map', file]),
        refusal([...run, '--fault-map', file]),
        refusal([...run, '--storage', 'weights+activations', '--fault-map', plain]),
        refusal([...run, '--storage', 'activations', '--fault-map', table]),
      ]),
    ).toEqual([
      `${file} is a map of the storage accumulators, but activations is asked for: give another map, or --storage accumulators`,
      `${file} is a map of the storage accumulators, but weights is asked for: give another map, or --storage accumulators`,
      `${plain} does not say of which storage its faults are, but weights+activations are broken at once: give a table with a column storage`,
      `${table}: no line has storage=activations; there are storage: inputs.`,
    ]);
  });
});

/** A given map is no sample of maps: its intervals are those of its images alone. */
function expectSamePoint(one: Record<string, unknown>, other: Record<string, unknown>): void {
  const [[given], [drawn]] = [one.points, other.points] as [StudyPoint[], StudyPoint[]];
  const { sdc, accuracy, faults } = given;
  expect(sdc.share).toBeGreaterThan(0);
  expect([accuracy.mean, sdc.share, faults.injected]).toEqual([
    ...[drawn.accuracy.mean, drawn.sdc.share, drawn.faults.injected],
  ]);
}
