import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { clopperPearson, type StudyPoint } from '../../campaign/index.js';
import type { Price } from '../../mitigation/index.js';
import { storedContent } from '../campaign/stored-content.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const files = writeTinyNetwork(newFolder());
const out = join(newFolder(), 'results');

let points: StudyPoint[];

beforeAll(async () => {
  const result = await bitcellJson([
    'run',
    ...['--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8,float32'],
    ...['--rates', '0,1e-3', '--scope', 'all,layer:fc1,bit:7', '--faults', 'flip,stuck-at-1'],
    ...['--accelerator', 'edge-16x16,gemmini-16x16', '--mitigations', 'none,clip'],
    ...['--maps', '2', '--images', '10', '--out', out],
  ]);
  points = result.points as StudyPoint[];
});

describe('mitigations that differ in parameters', () => {
  const folder = join(newFolder(), 'variants');
  const words = ['none', 'clip', 'clamp', 'clip:position=requantised', 'clip:layers=conv1/fc1'];

  test('have rows of their own that are told apart everywhere', async () => {
    const { stdout } = await bitcell([
      ...['run', '--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'],
      ...['--rates', '0,1e-3', '--maps', '2', '--images', '5', '--out', folder],
      ...['--mitigations', words.join().replace('conv1/fc1', 'fc1/conv1')],
    ]);
    const rows = stdout.split('\n').filter((line) => line.startsWith('int8 '));
    expect(rows).toHaveLength(2 * words.length);
    for (const [index, row] of rows.entries()) {
      expect(row.split(/ {2,}/)[4]).toBe(words[index % words.length]);
    }
    const csv = (await bitcell(['results', folder, '--csv'])).stdout.trimEnd().split('\n');
    const column = csv[0].split(',').indexOf('mitigation');
    expect(csv.slice(1).map((row) => row.split(',')[column])).toEqual([...words, ...words]);
  });

  test('are selected by their words in any order', async () => {
    const wanted = ['results', folder, '--mitigation', 'clip:layers=fc1/conv1,none', '--rate', '0'];
    const { points: found } = await bitcellJson(wanted);
    expect((found as StudyPoint[]).map(({ mitigation }) => mitigation)).toEqual([
      'none',
      'clip:layers=conv1/fc1',
    ]);
  });
});

describe('storages', () => {
  const folder = join(newFolder(), 'storages');
  const storages = ['weights', 'activations', 'multipliers', 'weights+multipliers'];
  const study = [
    ...['run', '--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'],
    ...['--rates', '1e-3', '--maps', '1', '--images', '4', '--mitigations', 'none,clip'],
  ];

  test('have points of their own, named in the first line, the table, JSON and rows', async () => {
    const { stdout } = await bitcell([...study, '--storage', storages.join(), '--out', folder]);
    const [first, , head, , ...rows] = stdout.split('\n');
    expect(first).toBe(
      [
        `resident weight memory (${files.int8} int8 on edge-16x16: 1 banks × 1024 rows × 256 columns)`,
        `activations in the resident feature-map memory (${files.int8} int8 on edge-16x16: 1 banks × 1024 rows × 256 columns)`,
        `product registers of the multipliers (${files.int8} int8 on edge-16x16: 16 × 16 registers of 18 bits)`,
        'broken at once: weights+multipliers',
        'faults: flip',
      ].join(', '),
    );
    expect(head).toMatch(/^words +storage +fault rate +faults +effective +none \[95 %\]/);
    expect(rows.slice(0, 4).map((row) => row.split(/ {2,}/)[1])).toEqual(storages);
    expect(rows[2]).toMatch(/^int8 +multipliers +1e-3 +[45] +- +/);
    const { points: all } = await bitcellJson(['results', folder]);
    const expected = storages.flatMap((storage) => [storage, storage]);
    expect((all as StudyPoint[]).map(({ storage }) => storage)).toEqual(expected);
    const csv = (await bitcell(['results', folder, '--csv'])).stdout.trimEnd().split('\n');
    const column = csv[0].split(',').indexOf('storage');
    expect(csv.slice(1).map((row) => row.split(',')[column])).toEqual(expected);
    const file = join(newFolder(), 'points.parquet');
    await bitcell(['results', folder, '--parquet', file]);
    const connection = await (await DuckDBInstance.create()).connect();
    const reader = await connection.runAndReadAll(
      'SELECT storage, price_cells FROM read_parquet(?)',
      [file],
    );
    expect(reader.getRowObjectsJson()).toEqual(
      // Thresholds of clip, the same whatever breaks.
      expected.map((storage, at) => ({ storage, price_cells: at % 2 === 0 ? 0 : 768 })),
    );
  });

  test('are chosen by --storage, and their trials shown without weights where none changes', async () => {
    const wanted = ['results', folder, '--storage', 'multipliers,weights+multipliers'];
    const { points: found } = await bitcellJson(wanted);
    expect((found as StudyPoint[]).map(({ storage, mitigation }) => [storage, mitigation])).toEqual(
      [
        ['multipliers', 'none'],
        ['multipliers', 'clip'],
        ['weights+multipliers', 'none'],
        ['weights+multipliers', 'clip'],
      ],
    );
    const only = (condition: number) =>
      bitcell([...study, '--storage', storages.join(), '--only', `${condition}:0`]);
    const note =
      'Faults of the multipliers of the array change no weights, but what is computed of each image: that is not listed';
    const [weights, multipliers, both] = await Promise.all([0, 2, 3].map(only));
    expect(weights.stdout).not.toContain(note);
    expect(weights.stdout).toContain(' weights read differently');
    expect(multipliers.stdout).toContain('storage multipliers, faults flip');
    expect(multipliers.stdout.trimEnd().endsWith(note)).toBe(true);
    expect(both.stdout).toContain(`${note}\n`);
    expect(both.stdout).toContain(' weights read differently');
  });

  test('are in the JSON of a run with the registers or the memory that they are', async () => {
    const { networks } = await bitcellJson([...study, '--storage', 'accumulators,inputs']);
    expect(networks).toMatchObject([
      {
        memory: { banks: 1, rows: 1024 },
        storages: [
          { storage: 'inputs', memory: { banks: 1, rows: 1024 }, valueBits: 8, cells: 2 ** 18 },
          {
            ...{ storage: 'accumulators', memory: null, valueBits: 32, cells: 8192 },
            geometry: { banks: 1, rows: 16, columns: 512 },
          },
        ],
      },
    ]);
  });

  test('refuse a code on registers, and what no storage is', async () => {
    expect(
      await refusal([...study, '--storage', 'accumulators', '--mitigations', 'none,secded']),
    ).toBe(
      'study: mitigation secded cannot protect storage accumulators: secded stands in words of a memory, and these are registers and sums of the array; leave it away, or study accumulators without it',
    );
    expect(await refusal([...study, '--storage', 'weight'])).toContain(
      'study: storages.0 = "weight": expected weights, weight-registers, inputs,',
    );
  });

  test('other than the weight memory have no price of what stands in them', async () => {
    const saved = join(newFolder(), 'coded');
    await bitcell([
      ...['run', '--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'],
      ...['--rates', '1e-3', '--maps', '1', '--images', '2', '--mitigations', 'none,clip,secded'],
      ...['--storage', 'weights,activations,weights+multipliers', '--out', saved, '--quiet'],
    ]);
    const { points: found } = await bitcellJson(['results', saved]);
    const counts = (found as { price: Price }[]).map(({ price }) => price.cells.count);
    // Eight check bits of each word of 64, in the weight memory.
    const inWeights = [0, 768, 2 ** 18 / 8];
    expect(counts).toEqual([...inWeights, 0, 768, null, ...inWeights]);
    const reason =
      'it stands in the activations in the feature-map memory, and what parts take is given of the weight memory alone';
    expect((found as { price: Price }[])[5].price.notGiven).toContainEqual({
      ...{ component: 'cells', reason },
    });
    const { stdout } = await bitcell(['cheapest', saved]);
    expect(stdout).toContain(`Not given: ${reason} (secded).`);
    expect(stdout).toContain(' on edge-16x16, storage activations, faults flip');
  });
});

describe('a study of several axes', () => {
  test('has a point for each combination, in order', () => {
    const expected = ['int8', 'float32'].flatMap((format) =>
      ['edge-16x16', 'gemmini-16x16'].flatMap((accelerator) =>
        ['flip', 'stuck-at-1'].flatMap((faultModel) =>
          ['all', 'layer:fc1', 'bit:7'].flatMap((scope) =>
            [0, 1e-3].flatMap((rate) =>
              ['none', 'clip'].map((mitigation) => ({
                ...{ format, accelerator, faultModel, scope, rate, mitigation },
              })),
            ),
          ),
        ),
      ),
    );
    expect(points).toEqual(expected.map((point) => expect.objectContaining(point)));
  });

  test('asks for the share of the cells in scope', () => {
    // fc1 has 16 · 512 weights; bit 7 is one of the 8 or 32 bits of every weight word.
    const wanted = points.filter(
      ({ accelerator, rate, faultModel, mitigation }) =>
        accelerator === 'edge-16x16' &&
        rate === 1e-3 &&
        faultModel === 'flip' &&
        mitigation === 'none',
    );
    const cells = { int8: 1024 * 256, float32: 2 * 1024 * 256 };
    expect(wanted.map(({ format, scope, faults }) => [format, scope, faults.requested])).toEqual([
      ['int8', 'all', 1e-3 * cells.int8],
      ['int8', 'layer:fc1', 1e-3 * 16 * 512 * 8],
      ['int8', 'bit:7', (1e-3 * cells.int8) / 8],
      ['float32', 'all', 1e-3 * cells.float32],
      ['float32', 'layer:fc1', 1e-3 * 16 * 512 * 32],
      ['float32', 'bit:7', (1e-3 * cells.float32) / 32],
    ]);
  });

  test('changes no class without faults', () => {
    for (const { rate, sdc } of points) if (rate === 0) expect(sdc.share).toBe(0);
    expect(points.some(({ sdc }) => sdc.share > 0)).toBe(true);
  });
});

describe('results', () => {
  test('gives what the run gave', async () => {
    const { points: saved, complete } = await bitcellJson(['results', out]);
    expect(saved).toEqual(points);
    expect(complete).toBe(true);
  });

  test('filters by every axis', async () => {
    const { points: found } = await bitcellJson([
      ...['results', out, '--model', files.int8, '--format', 'int8', '--rate', '0.001'],
      ...['--mitigation', 'clip', '--scope', 'layer:fc1,bit:7', '--faults', 'stuck-at-1'],
      ...['--accelerator', 'gemmini-16x16'],
    ]);
    expect(found).toEqual(
      points.filter(
        ({ format, rate, mitigation, scope, faultModel, accelerator }) =>
          format === 'int8' &&
          rate === 1e-3 &&
          mitigation === 'clip' &&
          scope !== 'all' &&
          faultModel === 'stuck-at-1' &&
          accelerator === 'gemmini-16x16',
      ),
    );
    expect(found).toHaveLength(2);
    const nothing = await bitcell(['results', out, '--rate', '0.5']);
    expect(nothing).toEqual({ status: 0, stdout: 'no point matches\n', stderr: '' });
  });

  test('prints a row for each condition and a column for each mitigation', async () => {
    const { stdout } = await bitcell(['results', out, '--format', 'int8', '--scope', 'bit:7']);
    expect(stdout).toMatch(
      /^words +accelerator +fault model +fault rate +faults +effective +none \[95 %\] +clip \[95 %\]/,
    );
    expect(stdout).toMatch(/^int8 +gemmini-16x16 +stuck-at-1 +1e-3 /m);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2 + 8 + 2);
  });

  test('counts anew the maps that lose at most other points', async () => {
    const selection = ['results', out, '--rate', '1e-3', '--faults', 'flip', '--format', 'int8'];
    const { trials } = await bitcellJson([...selection, '--table', 'trial']);
    for (const within of [20, 40]) {
      const { points: found } = await bitcellJson([...selection, '--within', `${within}`]);
      const wanted = points.filter(
        ({ rate, faultModel, format }) =>
          rate === 1e-3 && faultModel === 'flip' && format === 'int8',
      );
      expect(found).toHaveLength(wanted.length);
      for (const [at, point] of (found as StudyPoint[]).entries()) {
        const { accelerator, scope, mitigation } = point;
        const losses = (trials as Readonly<Record<string, number | string>>[])
          .filter(
            (row) =>
              row.accelerator === accelerator &&
              row.scope === scope &&
              row.mitigation === mitigation,
          )
          .map((row) => Number(row.clean_correct) - Number(row.correct));
        const good = losses.filter((lost) => lost <= within / 10).length;
        expect(losses).toHaveLength(2);
        expect(point).toEqual({
          ...wanted[at],
          yield: {
            ...{ within: within / 100, share: good / 2, ...clopperPearson(good, 2) },
            imagesNeeded: expect.any(Number),
          },
        });
      }
    }
    expect(await refusal([...selection, '--csv', '--within', '20'])).toContain(
      '--within 20: the rows of this study have yields within 2 points',
    );
  });

  test('exports trials as CSV', async () => {
    const { stdout } = await bitcell(['results', out, '--csv', '--table', 'trial']);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toBe(
      'condition,model,format,accelerator,storage,fault_model,scope,mitigation,rate,voltage,seed,pilot,map,images,requested,injected,effective,first_layer,clean_correct,correct,sdc,non_finite,correct_images,sdc_images,seconds',
    );
    expect(rows).toHaveLength(points.length * 2);
    const columns = head.split(',');
    const first = Object.fromEntries(rows[0].split(',').map((cell, at) => [columns[at], cell]));
    expect(first).toMatchObject({
      ...{ condition: '0', format: 'int8', rate: '0', map: '0', first_layer: '', sdc: '0' },
    });
  });

  test('exports how the maps of a point spread', async () => {
    const { stdout } = await bitcell(['results', out, '--csv', '--rate', '1e-3']);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    const columns = head.split(',');
    const wanted = points.filter(({ rate }) => rate === 1e-3);
    expect(rows).toHaveLength(wanted.length);
    for (const [row, { accuracy, perMap }] of wanted.entries()) {
      const cells = rows[row].split(',');
      const names = ['worst', 'lower_quartile', 'median', 'upper_quartile', 'best'];
      const values = names.map((name) => Number(cells[columns.indexOf(`map_${name}`)]));
      const { worst, lowerQuartile, median, upperQuartile, best } = perMap;
      expect(values).toEqual([worst, lowerQuartile, median, upperQuartile, best]);
      // Of two maps.
      expect(worst + best).toBeCloseTo(2 * accuracy.mean, 12);
      expect(median).toBeCloseTo(accuracy.mean, 12);
    }
  });

  test('say what each mitigation takes, in JSON, CSV and Parquet', async () => {
    const selection = ['results', out, '--rate', '1e-3', '--scope', 'bit:7', '--faults', 'flip'];
    const { points: found } = await bitcellJson(selection);
    const prices = (found as { price: Price }[]).map(({ price }) => price);
    // A word format and accelerator each: none, clip; a threshold a channel (int8) or a layer.
    const cells = [0, 768, 0, 768, 0, 64, 0, 64];
    expect(prices.map((price) => price.cells.count)).toEqual(cells);
    expect(prices[1].notGiven).toContainEqual({
      component: 'xorGates',
      reason: 'it compares numbers, and no opened source gives a comparator in XOR gates',
    });
    const [head, ...rows] = (await bitcell([...selection, '--csv'])).stdout.trimEnd().split('\n');
    const at = head.split(',').indexOf('price_cells');
    expect(rows.map((row) => Number(row.split(',')[at]))).toEqual(cells);
    expect(head.split(',').at(-1)).toBe('price_not_given');
    const file = join(newFolder(), 'points.parquet');
    await bitcell([...selection, '--parquet', file]);
    const connection = await (await DuckDBInstance.create()).connect();
    const reader = await connection.runAndReadAll(
      'SELECT price_cells, price_xor_encoder, price_not_given IS NULL AS given FROM read_parquet(?)',
      [file],
    );
    expect(reader.getRowObjectsJson()).toEqual(
      cells.map((count) => ({
        price_cells: count,
        price_xor_encoder: count === 0 ? 0 : null,
        given: count === 0,
      })),
    );
  });

  test('have a decision for each condition where a requirement is given', async () => {
    const selection = ['results', out, '--rate', '1e-3', '--format', 'int8', '--faults', 'flip'];
    expect(await bitcellJson(selection)).not.toHaveProperty('decisions');
    const asked = [...selection, '--within', '50'];
    const { decisions } = await bitcellJson(asked);
    const wanted = { verdict: 'undecided', mitigation: null, within: 0.5, priceUnit: 'cells' };
    expect(decisions).toMatchObject(new Array(6).fill(wanted));
    const { stdout } = await bitcell(asked);
    expect(stdout).toContain(
      'Cheapest of those with which at least 90.0 % of the maps lose at most 50.0 points',
    );
    expect(stdout).toMatch(/^int8 +edge-16x16 +bit:7 +1e-3 +undecided +- +-$/m);
  });

  test('exports Parquet that DuckDB reads', async () => {
    const file = join(newFolder(), "it's.parquet");
    await bitcell(['results', out, '--parquet', file, '--format', 'float32', '--table', 'trial']);
    const connection = await (await DuckDBInstance.create()).connect();
    const reader = await connection.runAndReadAll(
      'SELECT format, count(*)::INTEGER AS rows, sum(correct)::INTEGER AS correct FROM read_parquet(?) GROUP BY ALL',
      [file],
    );
    const wanted = points.filter(({ format }) => format === 'float32');
    const correct = wanted.reduce((sum, { accuracy }) => sum + accuracy.mean * 2 * 10, 0);
    expect(reader.getRowObjectsJson()).toEqual([
      { format: 'float32', rows: wanted.length * 2, correct: Math.round(correct) },
    ]);
  });

  test('refuses a folder without results, and a file that cannot be written', async () => {
    expect(await refusal(['results', '.'])).toBe('. holds no results of a study');
    const store = join(out, 'study.duckdb');
    const below = join(store, 'points.parquet');
    expect(await refusal(['results', out, '--parquet', below])).toBe(
      `Cannot write ${below}: a part of the path is a file, not a folder.`,
    );
    expect(await refusal(['results', out, '--parquet', store])).toContain(
      `--parquet ${store} is an input of this command, which would be lost; choose another file.`,
    );
    expect(await refusal(['results', out, '--csv', '--json'])).toBe('give either --csv or --json');
  });
});

test.each([
  ['a number of images', ['--maps', '6', '--images', '100']],
  ['a pilot', ['--maps', '20', '--precision', '12']],
])(
  'a killed run of %s is continued to the same results',
  async (_name, size) => {
    const [whole, killed] = [join(newFolder(), 'whole'), join(newFolder(), 'killed')];
    const args = [
      'run',
      ...['--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'],
      ...['--rates', '1e-4,1e-3', ...size, '--quiet'],
    ];
    let before: unknown[] = [];
    for (let kill = 0; kill < 2; kill += 1) {
      const file = join(killed, 'study.duckdb');
      await bitcell([...args, '--out', killed, '--resume'], {
        onStart(child) {
          const timer = setInterval(() => {
            if (!existsSync(file)) return;
            clearInterval(timer);
            setTimeout(() => child.kill('SIGKILL'), Math.random() * 1500);
          }, 5);
          child.on('close', () => clearInterval(timer));
        },
      });
      const { trials: after } = await storedContent(killed);
      // What was there is there, in its place in the canonical order.
      expect(after).toEqual(expect.arrayContaining(before));
      before = after;
    }
    await bitcell([...args, '--out', killed, '--resume']);
    await bitcell([...args, '--out', whole, '--threads', '1']);
    expect(await storedContent(killed)).toEqual(await storedContent(whole));
    expect(readdirSync(killed)).toEqual(['study.duckdb']);
  },
  120_000,
);

test('the command line loads no database before it needs one', async () => {
  const probe = `process.on('exit', () => {
    console.error(process.report.getReport().sharedObjects.filter((file) => /duckdb/.test(file)));
  });`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(probe)}` };
  expect((await bitcell(['run', '--help'], { env })).stderr).toBe('[]\n');
  expect((await bitcell(['results', out], { env })).stderr).toContain('duckdb');
});

test.each(['stdout', 'stderr'] as const)(
  'a command outlives the reader of its %s',
  async (stream) => {
    const study = join(newFolder(), 'results');
    const { status, stdout, stderr } = await bitcell(
      [
        ...['run', '--model', files.int8, '--thresholds', files.thresholds, '--format', 'int8'],
        ...['--rates', '1e-3', '--maps', '2', '--images', '10', '--out', study],
      ],
      { onStart: (child) => child[stream]?.destroy() },
    );
    expect(status, stderr).toBe(0);
    expect(stderr).not.toContain('EPIPE');
    if (stream === 'stderr') expect(stdout).toContain('1e-3');
    const saved = await bitcellJson(['results', study]);
    expect(saved.points).toHaveLength(2);
  },
);
