import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { bitcell, bitcellJson, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const accelerator = join(folder, 'small.yaml');
const table = join(folder, 'lot.csv');
const out = join(folder, 'lot');
const MEMORY =
  'name: small\narray: { rows: 16, columns: 16, dataflow: weight-stationary }\nweightMemory: { banks: 2, rows: 16, wordBits: 64, columnMux: 1 }\nbuffers: { input: 64KiB, weights: 64KiB, output: 64KiB }\n';
const SUPPLY = 'energyTable: accelergy-65nm\nsupply: { nominal: 1V, components: [weightSram] }\n';
const HOSTILE = "<D>&'";

beforeAll(async () => {
  const { int8 } = writeTinyNetwork(folder);
  writeFileSync(accelerator, MEMORY);
  const lines = [
    ...['A,0,0,0.6,,,', 'A,0,0,0.5,0,1,6', `${HOSTILE},1,0,0.6,1,3,62`, `${HOSTILE},1,0,0.5,0,2,7`],
    'C,,,0.6,,,',
  ];
  writeFileSync(table, ['die,x,y,voltage,bank,row,column', ...lines, ''].join('\n'));
  await bitcell([
    ...['run', '--model', int8, '--format', 'int8', '--accelerator', accelerator, '--quiet'],
    ...['--placement', 'streamed', '--fault-maps', table, '--missing', 'skip', '--images', '200'],
    ...['--mitigations', 'none,secded', '--within', '90', '--out', out],
  ]);
});

test('results tell the energy at Vmin once the accelerator says it, and why before', async () => {
  const before = await bitcellJson(['results', out]);
  expect(before.vmin).toHaveLength(6);
  for (const row of before.vmin as object[]) {
    expect(row).toMatchObject({
      energy: null,
      energyNotGiven: expect.stringContaining('energyTable'),
    });
  }
  expect((await bitcell(['results', out])).stdout).not.toContain('uJ');

  writeFileSync(accelerator, `${MEMORY}${SUPPLY}`);
  const { vmin, imageEnergy, vminSavings } = await bitcellJson(['results', out]);
  const [image] = imageEnergy as { components: Record<string, number>; supply: object }[];
  expect(image.supply).toEqual({ nominal: 1, components: ['weightSram'] });
  const { inputSram, weightSram, outputSram } = image.components;
  const rows = vmin as { die: string; mitigation: string; vmin: number; energy: number }[];
  for (const { energy, mitigation, ...row } of rows.filter((one) => one.mitigation === 'none')) {
    expect(energy).toBeCloseTo(inputSram + outputSram + weightSram * row.vmin ** 2, 15);
  }
  // SECDED reads 8 check bits with each word of 64.
  const coded = rows.find(({ mitigation }) => mitigation === 'secded');
  expect(coded?.energy).toBeCloseTo(
    inputSram + outputSram + (1 + 8 / 64) * weightSram * (coded?.vmin ?? 0) ** 2,
    10,
  );
  expect(vminSavings).toMatchObject([
    { mitigation: 'secded', dies: 3, saving: expect.any(Number) },
  ]);
});

test('results print the energy at Vmin as a table and as rows', async () => {
  writeFileSync(accelerator, `${MEMORY}${SUPPLY}`);
  const { stdout } = await bitcell(['results', out]);
  expect(stdout).toContain('nominal at 1 V: weightSram scaled by the square of V');
  expect(stdout).toMatch(/^secded +0\.5 V +2 +[\d.]+$/m);

  const csv = await bitcell(['results', out, '--table', 'vmin', '--csv']);
  const [head, ...lines] = csv.stdout.trimEnd().split('\n');
  expect(head).toBe(
    'model,format,accelerator,mitigation,lot,wafer,die,x,y,vmin,network_energy,energy,energy_saving,energy_not_given',
  );
  expect(lines).toHaveLength(6);
  const { vmins } = await bitcellJson(['results', out, '--table', 'vmin']);
  expect(vmins).toHaveLength(6);
  expect(vmins).toContainEqual(expect.objectContaining({ mitigation: 'secded', vmin: 0.5 }));
  expect(await refusal(['results', out, '--table', 'vmin', '--parquet', 'rows.parquet'])).toContain(
    '--table vmin',
  );
});

test('results draw the dies', async () => {
  const [grid, wafer] = [join(folder, 'grid.svg'), join(folder, 'wafer.svg')];
  const { status } = await bitcell(['results', out, '--svg', grid, '--wafer-svg', wafer]);
  expect(status).toBe(0);
  const svg = readFileSync(grid, 'utf8');
  expect(svg).toContain("&lt;D&gt;&amp;'");
  expect(svg).not.toContain('<D>');
  // Three dies at two voltages under two mitigations, of which one was not measured at the lower.
  expect(svg.match(/>[+×?–]<\/text>/g)).toHaveLength(12);
  expect(svg.match(/>–<\/text>/g)).toHaveLength(2);
  expect(readFileSync(wafer, 'utf8').match(/>[+×?–]<\/text>/g)).toHaveLength(8);
  const other = ['results', out, '--mitigation', 'clip', '--svg', 'grid.svg'];
  expect(await refusal(other)).toContain('no die of this study matches');
  const same = await refusal(['results', out, '--svg', 'a.svg', '--wafer-svg', 'a.svg']);
  expect(same).toContain('--wafer-svg');
});
