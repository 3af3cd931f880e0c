import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import type { StudyPoint } from '../../campaign/index.js';
import { writeNpy } from '../../core/index.js';
import { readFaultMap, readFaultModel, uniformFaultMap, writeFaultMap } from '../../fault/index.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model } = writeTinyNetwork(folder);
const inFolder = (name: string) => join(folder, name);
const memory = ['--geometry', '2x16x64', '--column-mux', '4'];

describe('map create', () => {
  test('draws a preset at a voltage', async () => {
    const output = inFolder('kc705.bfm');
    const args = ['--geometry', '890x1024x16', '--preset', 'kc705-b', '--voltage', '0.53'];
    const result = await bitcellJson(['map', 'create', ...args, '-o', output]);
    expect(result).toMatchObject({ cells: 890 * 16384, model: { model: 'voltage' } });
    expect(result.rate).toBeCloseTo(2274 / (890 * 16384), 12);
    const map = readFaultMap(output);
    expect(map.cells.length).toBe(result.faults);
    expect(map.provenance).toMatchObject({ source: 'generated', seed: 1, trial: 0 });
  });

  test('draws clusters in some bits and banks of a memory with spare cells', async () => {
    const output = inFolder('clusters.csv');
    const extras = ['--spare-rows', '2', '--check-columns', '16', '--spare-columns', '4'];
    const args = ['--geometry', '2x18x84', '--column-mux', '4', ...extras, '--rate', '0.2'];
    const clusters = ['--distribution', 'clusters', '--clustering', '2', '--region', '8x64'];
    const scope = ['--banks', '1', '--bits', '7', '--faults', 'stuck-at', '--seed', '3'];
    await bitcellJson(['map', 'create', ...args, ...clusters, ...scope, '-o', output]);
    const lines = readFileSync(output, 'utf8').trim().split('\n').slice(1);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const [bank, row, column, kind] = line.split(',');
      expect([bank, Number(row) < 16, Math.floor(Number(column) / 4) % 8]).toEqual(['1', true, 7]);
      expect(kind).toMatch(/^stuck-at-[01]$/);
    }
  });

  test('draws the spare and check cells of an accelerator apart from its data cells', async () => {
    async function drawn(extras: string) {
      const accelerator = join(newFolder(), 'accelerator.yaml');
      const array = 'array: { rows: 8, columns: 8, dataflow: weight-stationary }';
      const size = `banks: 2, rows: 128, wordBits: 64, columnMux: 4${extras}`;
      writeFileSync(accelerator, `{ name: mine, ${array}, weightMemory: { ${size} } }`);
      const placed = ['--model', model, '--accelerator', accelerator, '--placement', 'streamed'];
      const map = join(newFolder(), 'map.json');
      await bitcellJson(['map', 'create', ...placed, '--rate', '0.01', '--seed', '7', '-o', map]);
      const { faults } = JSON.parse(readFileSync(map, 'utf8'));
      const { geometry, regions } = await bitcellJson(['map', 'show', map]);
      const { hits, faultyCells } = await bitcellJson(['map', 'hits', map, ...placed]);
      return { faults: faults as number[][], geometry, regions, hits, faultyCells };
    }
    const [plain, spared] = await Promise.all([
      drawn(''),
      drawn(', spareRows: 4, spareColumns: 2, checkBits: 8'),
    ]);
    expect(spared.geometry).toEqual({
      ...{ banks: 2, rows: 128 + 4, columns: 256 + 8 * 4 + 2 },
      ...{ spareRows: 4, checkColumns: 8 * 4, spareColumns: 2 },
    });
    const isData = ([, row, column]: number[]) => row < 128 && column < 256;
    expect(plain.faults.length).toBeGreaterThan(600);
    expect(spared.faults.filter(isData)).toEqual(plain.faults);
    expect(spared.hits).toEqual(plain.hits);

    const count = (holds: (fault: number[]) => boolean) => spared.faults.filter(holds).length;
    const [check, spareColumns, spareRows] = [
      count(([, row, column]) => row < 128 && column >= 256 && column < 288),
      count(([, row, column]) => row < 128 && column >= 288),
      count(([, row]) => row >= 128),
    ];
    expect(spared.regions).toEqual({
      data: plain.faults.length,
      check,
      'spare-column': spareColumns,
      'spare-row': spareRows,
    });
    expect(check).toBeGreaterThan(0);
    expect(spared.faultyCells).toEqual({
      ...(plain.faultyCells as object),
      check,
      spare: spareColumns + spareRows,
    });
  });

  test.concurrent.each([
    [['--rate', '0.1', '--voltage', '0.5'], /cannot be used with/],
    [
      ['--voltage', '0.5'],
      /^--voltage needs a fault model with rates for voltages, but this one is "uniform"; give --rate$/,
    ],
    [[], /^give a fault rate with --rate$/],
    [['--preset', 'kc705-b', '--faults', 'flip', '--voltage', '0.55'], /cannot be used with/],
    [
      ['--rate', '0.1', '--distribution', 'clusters'],
      /^--distribution clusters: clustering is missing; expected a number above 0\.$/,
    ],
    [
      ['--rate', '0.1', '--spare-rows', '16'],
      /^--geometry has 2 banks × 16 rows × 64 columns \(of them 16 spare rows\); /,
    ],
  ])('refuses %j', async (args, message) => {
    expect(await refusal(['map', 'create', ...memory, ...args, '-o', 'map.json'])).toMatch(message);
  });
});

describe('map import, export and show', () => {
  test('merge and count the repeated lines of a log', async () => {
    const log = inFolder('log.txt');
    writeFileSync(log, 'address,fail-bit-mask\n0x41,0x8001\n0x41,8001\n2,0x4\n');
    const output = inFolder('log.json');
    const args = ['map', 'import', log, ...memory, '--kind', 'stuck-at-1', '-o', output];
    expect(await bitcellJson(args)).toEqual({
      files: [log],
      format: 'mbist',
      output,
      geometry: { banks: 2, rows: 16, columns: 64 },
      cells: 2048,
      faults: 3,
      repeatedLines: 1,
      provenance: { source: 'file', file: log },
    });
    expect(JSON.parse(readFileSync(output, 'utf8')).faults).toEqual([
      [0, 0, 10, 'stuck-at-1'],
      [1, 0, 1, 'stuck-at-1'],
      [1, 0, 61, 'stuck-at-1'],
    ]);
    const bits = ['--address-bits', '1,0', '--data-bits', '15,14,13,12,11,10,9,8,7,6,5,4,3,2,1,0'];
    await bitcellJson([...args, ...bits]);
    expect(JSON.parse(readFileSync(output, 'utf8')).faults).toEqual([
      [0, 0, 53, 'stuck-at-1'],
      [1, 0, 2, 'stuck-at-1'],
      [1, 0, 62, 'stuck-at-1'],
    ]);
  });

  test('give a file back through every format', async () => {
    const origin = inFolder('origin.json');
    const create = ['map', 'create', ...memory, '--rate', '0.05', '--faults', 'stuck-at-0'];
    await bitcellJson([...create, '-o', origin]);
    const { faults } = JSON.parse(readFileSync(origin, 'utf8'));
    const outputs = ['m.bfm', 'm.csv', 'm.hex', 'm.mbist', 'm0.csv,m1.csv'];
    await Promise.all(
      outputs.map(async (names, index) => {
        const files = names.split(',').map(inFolder);
        const columnMux = ['--column-mux', '4'];
        await bitcellJson(['map', 'export', origin, ...columnMux, '-o', files.join(',')]);
        const back = inFolder(`back-${index}.json`);
        const kind = names === 'm.mbist' ? ['--kind', 'stuck-at-0'] : [];
        await bitcellJson(['map', 'import', ...files, ...memory, ...kind, '-o', back]);
        expect(JSON.parse(readFileSync(back, 'utf8')).faults).toEqual(faults);
      }),
    );
  });

  test('show a map in words, JSON and as a picture', async () => {
    const dump = inFolder('dump.hex');
    writeFileSync(dump, 'ff\nfe\nff\n7e\n');
    const png = inFolder('dump.png');
    const result = await bitcellJson(['map', 'show', dump, '--png', png]);
    expect(result).toMatchObject({
      format: 'hex',
      geometry: { banks: 1, rows: 4, columns: 8 },
      faults: 3,
      kinds: { 'stuck-at-0': 3 },
      perBank: [{ bank: 0, faults: 3 }],
      pairs: [{ distance: 7, faults: 2, share: 2 / 3, byChance: (1 / 4) * (1 - 29 / 31) }],
      rows: {
        varianceToMean: (1.25 ** 2 + 0.25 ** 2 + 2 * 0.75 ** 2) / 3 / 0.75,
        worst: [
          { bank: 0, row: 3, faults: 2 },
          { bank: 0, row: 1, faults: 1 },
        ],
      },
      columns: {
        worst: [
          { column: 0, faults: 2 },
          { column: 7, faults: 1 },
        ],
      },
      picture: { file: png, width: 8, height: 4, bin: 1, banksAcross: 1 },
    });
    expect(decode(readFileSync(png))).toMatchObject({ width: 8, height: 4 });
    const { stdout } = await bitcell(['map', 'show', dump]);
    expect(stdout).toContain('worst rows, bank:row (faults): 0:3 (2), 0:1 (1)');
  });

  test('place a map on a larger memory, and keep what its file says', async () => {
    const log = inFolder('macro.csv');
    writeFileSync(log, '# March C-\ndie,address,expected,actual\nD7,1,0xff,0xfd\n');
    const output = inFolder('placed.json');
    const macro = ['--geometry', '1x2x16', '--word-bits', '8', '--onto', '1x3x40', '--tile'];
    const args = ['map', 'import', log, ...macro];
    const result = await bitcellJson([...args, 'once', '--offset', '0,1,20', '-o', output]);
    expect(result).toMatchObject({
      geometry: { banks: 1, rows: 3, columns: 40 },
      measured: { banks: 1, rows: 2, columns: 16 },
      covered: 32 / 120,
      provenance: { labels: { die: ['D7'] }, comments: ['March C-'] },
    });
    expect(JSON.parse(readFileSync(output, 'utf8')).faults).toEqual([[0, 1, 23, 'stuck-at-0']]);
    const { stdout } = await bitcell(['map', 'show', output]);
    expect(stdout).toContain('die: D7\ncomment: March C-\nplaced from 1 banks × 2 rows × 16');
    const { stdout: text } = await bitcell([...args, 'macros', '-o', output]);
    expect(text).toContain('covers 100 % of the memory');
    expect(await refusal([...args.slice(0, -3), '--tile', 'once', '-o', output])).toBe(
      '--tile needs --onto BANKSxROWSxCOLUMNS',
    );
  });

  test('refuse what is wrong, at its place', async () => {
    const table = inFolder('table.csv');
    writeFileSync(table, 'bank,row,column,kind\n0,0,0,flip\n0,99,0,flip\n');
    const sentence = `${table}:3:3: found "99"; expected a row from 0 to 15.`;
    expect(await refusal(['map', 'show', table, ...memory])).toBe(sentence);
    expect(await refusal(['map', 'import', table, ...memory, '-o', 'out.json'])).toBe(sentence);
    expect(await refusal(['map', 'show', table])).toBe(
      `${table} is a CSV table, which does not say how large the memory is: give its banks, rows and columns (--geometry BxRxC), or name the network or accelerator that it is of.`,
    );
  });
});

describe('map fit', () => {
  const chips = ['A', 'B'].flatMap((die, seed) =>
    ['0.6', '0.5'].map((voltage) => ({
      die,
      voltage,
      seed,
      file: inFolder(`${die}_${voltage}V.csv`),
    })),
  );
  const dies = ['--die-labels', '{die}_{voltage}V.csv'];

  test('writes a model that map create and run read back', async () => {
    const source = inFolder('source.yaml');
    writeFileSync(
      source,
      'model: voltage\nfaults: stuck-at-1\ntable: [{voltage: 0.6, rate: 0.005}, {voltage: 0.5, rate: 0.02}]\nplaces: {model: weak-lines, clustering: 0.05, rowStride: 2, pairDistance: 4}\n',
    );
    const size = ['--geometry', '4x256x64'];
    await Promise.all(
      chips.map(({ voltage, seed, file }) => {
        const drawn = ['--fault-model', source, '--voltage', voltage, '--seed', `${seed}`];
        return bitcellJson(['map', 'create', ...size, ...drawn, '-o', file]);
      }),
    );
    const output = inFolder('model.yaml');
    const files = chips.map(({ file }) => file);
    const fit = await bitcellJson(['map', 'fit', ...files, ...size, ...dies, '-o', output]);
    expect(fit).toMatchObject({
      output,
      maps: 4,
      dies: 2,
      states: [{ voltage: 0.6 }, { voltage: 0.5 }],
      model: {
        model: 'voltage',
        faults: 'stuck-at-1',
        places: { model: 'weak-lines', rows: 256, rowStride: 2, pairDistance: 4 },
      },
      statistics: [{ voltage: 0.6 }, { voltage: 0.5 }],
      draws: 40,
      warnings: [],
    });
    expect(readFaultModel(output)).toEqual(fit.model);
    const again = ['--fault-model', output, '--voltage', '0.55', '-o', inFolder('again.json')];
    const { model: used } = await bitcellJson(['map', 'create', ...size, ...again]);
    expect(used).toEqual(fit.model);
    const dryRun = ['--model', model, '--faults', output, '--voltages', '0.5', '--dry-run'];
    expect(await bitcellJson(['run', ...dryRun])).toBeDefined();

    const one = ['map', 'fit', files[0], ...size, ...dies, '-o', output];
    const { stdout, stderr } = await bitcell(one);
    expect(stderr).toContain('warning: all maps are of one chip');
    expect(readFileSync(output, 'utf8')).toContain('# all maps are of one chip');
    expect(stdout).toMatch(/variance\/mean of columns +[\d.]+ +[\d.]+ to [\d.]+ /);
  });

  test('refuses files that the pattern does not describe', async () => {
    const file = inFolder('chip.csv');
    writeFileSync(file, 'bank,row,column,kind\n0,0,0,flip\n');
    expect(await refusal(['map', 'fit', file, ...memory, ...dies, '-o', 'm.yaml'])).toBe(
      `${file}: "chip.csv" is not named as --die-labels {die}_{voltage}V.csv says; name it so or change the pattern`,
    );
  });
});

describe('a fault map of any format', () => {
  const network = ['--model', model, '--format', 'int8'];
  const geometry = { banks: 1, rows: 1024, columns: 256 };
  const pair = [inFolder('z0.csv'), inFolder('z1.csv')].join(',');
  const formats = {
    flip: ['f.json', 'f.csv', 'f.mbist'].map(inFolder),
    'stuck-at-0': [inFolder('z.json'), inFolder('z.hex'), pair],
  };
  for (const faults of ['flip', 'stuck-at-0'] as const) {
    const map = uniformFaultMap({ geometry, rate: 0.01, faults, seed: 1, trial: 0 });
    for (const file of formats[faults]) writeFaultMap(file, map, { columnMux: 4 });
  }

  test.each(Object.values(formats))(
    'gives inference what Bitcell JSON gives: %s',
    async (...maps) => {
      const images = inFolder('images.npy');
      const data = Float32Array.from({ length: 2 * 3072 }, (_, i) => Math.sin(i));
      writeNpy(images, { shape: [2, 3, 32, 32], data });
      const [expected, ...others] = await Promise.all(
        maps.map(async (map, index) => {
          const output = inFolder(`outputs-${index}.npy`);
          const args = ['--input', images, '--output', output, '--fault-map', map];
          await bitcellJson(['infer', model, ...args]);
          return readFileSync(output);
        }),
      );
      expect(others).toEqual([expected, expected]);
    },
  );

  test('gives a study what Bitcell JSON gives', async () => {
    const study = ['run', ...network, '--images', '20', '--mitigations', 'none', '--fault-map'];
    const [expected, found] = await Promise.all(
      [formats['stuck-at-0'][0], pair].map(async (map) => {
        const { points } = await bitcellJson([...study, map]);
        return (points as StudyPoint[]).map(({ accuracy, faults }) => ({ accuracy, faults }));
      }),
    );
    expect(found).toEqual(expected);
  });
});
