import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findCheapest, loadNetwork, openResults, savedPrices } from '../../campaign/index.js';
import { loadAccelerator } from '../../sim/index.js';
import { OPTIONS, openSmall, pointsOf, resultOf } from '../campaign/store/small-study.js';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const files = writeTinyNetwork(newFolder());

/** What prices are of, as a study saves it. */
const INPUTS = {
  acceleratorsResolved: { 'edge-16x16': loadAccelerator('edge-16x16') },
  checksums: { networks: { [files.int8]: loadNetwork(files.int8, 'int8').checksum } },
};

/** Right images of 100 in every map by the mitigation; 90 are without faults. */
type Correct = Readonly<Record<string, number>>;

/** A saved study of one condition with so many maps. */
async function save(
  correct: Correct,
  {
    maps = 60,
    saved = maps,
    configuration = {},
  }: { maps?: number; saved?: number; configuration?: object } = {},
): Promise<string> {
  const folder = join(newFolder(), 'results');
  const mitigations = Object.keys(correct);
  const store = await openSmall(folder, {
    configuration: {
      ...{ models: [files.int8], formats: ['int8'], rates: [1e-3], mitigations, maps, images: 100 },
      ...{ seed: 1, ...INPUTS, ...configuration },
    },
    conditions: OPTIONS.conditions.map((condition) => ({ ...condition, model: files.int8 })),
    ...{ mitigations, mapsOf: () => maps },
  });
  const results = Array.from({ length: saved }, (_, map) => {
    const result = resultOf(map);
    const [outcome] = result.outcomes;
    return {
      ...result,
      trial: { ...result.trial, mitigations },
      outcomes: mitigations.map((mitigation) => ({
        ...{ ...outcome, mitigation, correct: correct[mitigation], sdc: 1, nonFinite: 0 },
      })),
    };
  });
  const [{ point }] = pointsOf(saved);
  const rows = mitigations.map((mitigation) => ({
    ...{ condition: 0, complete: saved === maps },
    point: { ...point, model: files.int8, mitigation },
  }));
  await store.write(results, saved === 0 ? [] : rows);
  store.close();
  return folder;
}

describe('bitcell cheapest', () => {
  test('names the mitigation, and says so by its status', async () => {
    const folder = await save({ none: 80, clip: 89 });
    const decision = {
      ...{ format: 'int8', rate: 1e-3, within: 0.02, yield: 0.9, verdict: 'met' },
      ...{ mitigation: 'clip', priceUnit: 'cells', price: 768 },
    };
    const result = await bitcellJson(['cheapest', folder]);
    expect(result).toMatchObject({ ...decision, complete: true, decisions: [decision] });
    expect(result.candidates).toMatchObject([
      { mitigation: 'none', price: 0, verdict: 'failed', yield: { share: 0, low: 0, high: 0.9 } },
      { mitigation: 'clip', price: 768, verdict: 'met', yield: { share: 1, low: 0.9, high: 1 } },
    ]);
    const { status, stdout } = await bitcell(['cheapest', folder, '--rate', '1e-3']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^none +0 +failed +0\.0 \[0\.0, 90\.0\] +10\.0 \[/m);
    expect(stdout).toMatch(/^clip +768 +met +100\.0 \[90\.0, 100\.0\] +1\.0 \[/m);
    expect(stdout).toMatch(/Cheapest: clip \(768 cells\)\.\n$/);
    expect(await refusal(['cheapest', folder, '--rate', '0.5'])).toBe(
      `${folder}: no condition of the study has this rate or voltage`,
    );
  });

  test('takes another requirement than the study has', async () => {
    const folder = await save({ none: 86, clip: 70 }, { configuration: { within: 5 } });
    expect((await bitcellJson(['cheapest', folder])).mitigation).toBe('none');
    const harder = await bitcell(['cheapest', folder, '--within', '3']);
    expect(harder.status).toBe(5);
    expect(harder.stdout).toMatch(/None meets it\.\n$/);
    // No number of maps shows that all are good.
    const all = await bitcell(['cheapest', folder, '--yield', '1', '--json']);
    expect(all.status).toBe(6);
    expect(JSON.parse(all.stdout)).toMatchObject({ verdict: 'undecided', mitigation: null });
  });

  test('is undecided with few maps, or none', async () => {
    const few = await save({ none: 90, clip: 90 }, { saved: 20 });
    const { status, stdout } = await bitcell(['cheapest', few]);
    expect(status).toBe(6);
    // 0.9^42 is the first power below 0.0125.
    expect(stdout).toContain('Undecided: open none (about 22 more maps would decide), clip');
    expect(stdout).toContain('Continue with: bitcell run ');
    const nothing = await bitcell(['cheapest', await save({ none: 90 }, { saved: 0 })]);
    expect(nothing.status).toBe(6);
  });
});

describe('the Pareto front', () => {
  const correct = { none: 40, clip: 89, parity: 70, harden: 90 };

  test('is in the JSON, in a line of the text, and in the CSV beside all candidates', async () => {
    const folder = await save(correct);
    const front = [
      { mitigation: 'none', price: 0, isOnFront: true, toldApart: true },
      { mitigation: 'clip', price: 768, isOnFront: true, toldApart: true },
      { mitigation: 'parity', price: 4096, isOnFront: false, toldApart: true },
      { mitigation: 'harden', price: null, isOnFront: null, toldApart: null },
    ];
    const csv = join(newFolder(), 'candidates.csv');
    const result = await bitcellJson(['cheapest', folder, '--csv', csv]);
    expect(result).toMatchObject({ front, decisions: [{ front }] });
    const [head, ...rows] = readFileSync(csv, 'utf8').trimEnd().split('\n');
    const columns = head.split(',');
    const found = rows.map((row) => {
      const cells = row.replaceAll(/"[^"]*"/g, '').split(',');
      return Object.fromEntries(columns.map((name, at) => [name, cells[at]]));
    });
    expect(found).toMatchObject([
      { mitigation: 'none', price: '0', on_front: 'true', told_apart: 'true', verdict: 'failed' },
      { mitigation: 'clip', price: '768', on_front: 'true', is_named: 'true', verdict: 'met' },
      { mitigation: 'parity', price: '4096', on_front: 'false', told_apart: 'true' },
      { mitigation: 'harden', price: '', on_front: '', told_apart: '' },
    ]);
    expect(Number(found[1].drop_mean)).toBeCloseTo(0.01, 12);
    const { stdout } = await bitcell(['cheapest', folder]);
    expect(stdout).toContain('Pareto front of price and mean loss: none, clip.\n');
  });

  test('is drawn, in the unit of the price', async () => {
    const folder = await save(correct);
    const svg = join(newFolder(), 'front.svg');
    expect((await bitcell(['cheapest', folder, '--svg', svg])).status).toBe(0);
    const drawn = readFileSync(svg, 'utf8');
    for (const name of Object.keys(correct)) expect(drawn).toContain(`>${name}</text>`);
    expect(drawn).toContain('price: memory cells beside the data');
    await bitcell(['cheapest', folder, '--svg', svg, '--price', 'xorGates']);
    expect(readFileSync(svg, 'utf8')).toContain('price: 2-input XOR gates');
  });

  test('is written over no input', async () => {
    const folder = await save(correct);
    const store = join(folder, 'study.duckdb');
    expect(await refusal(['cheapest', folder, '--svg', store])).toContain(
      `--svg ${store} is an input of this command`,
    );
    const file = join(newFolder(), 'prices.yaml');
    writeFileSync(file, 'cellFactor: {value: 2, unit: cells, source: a test}\n');
    expect(await refusal(['cheapest', folder, '--prices', file, '--csv', file])).toContain(
      `--csv ${file} is an input of this command`,
    );
    expect(await refusal(['cheapest', folder, '--csv', 'a', '--svg', 'a'])).toContain(
      '--svg a is the file of --csv, too',
    );
  });
});

describe('prices in cells', () => {
  const words = ['none', 'clip', 'parity', 'invert:group=word', 'rotate', 'secded', 'harden'];
  const correct = Object.fromEntries(words.map((name) => [name, 90]));

  async function decide(configuration: object) {
    const folder = await save(correct, { maps: 2, configuration });
    const stored = await openResults(folder);
    try {
      return await findCheapest(
        stored,
        {},
        {
          priceUnit: 'cells',
          prices: savedPrices(stored),
        },
      );
    } finally {
      stored.close();
    }
  }

  test('are those of the bits beside every memory word', async () => {
    const [{ candidates }] = await decide({});
    // 4,096 words of 64 bits, 8 weights each; clips have 8 + 16 thresholds of 32 bits.
    expect(candidates.map(({ mitigation, price }) => [mitigation, price])).toEqual([
      ['none', 0],
      ['clip', 768],
      ['parity', 4096],
      ['invert:group=word', 4096],
      ['rotate', 3 * 4096],
      ['secded', 8 * 4096],
      ['harden', null],
    ]);
  });

  test('are not those of another network or accelerator', async () => {
    const networks = { [files.int8]: 'another' };
    await expect(decide({ checksums: { networks } })).rejects.toThrow(
      `${files.int8} is another network than the study was run with`,
    );
    const resolved = { 'edge-16x16': {} };
    await expect(decide({ acceleratorsResolved: resolved })).rejects.toThrow(
      'edge-16x16 is another accelerator than the study was run with',
    );
  });
});
