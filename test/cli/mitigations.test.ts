import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { priceTable } from '../../cli/print/price-table.js';
import type { Price } from '../../mitigation/index.js';
import { bitcellJson, newFolder } from './command.js';
import { CELLS, writeTinyNetwork } from './tiny-network.js';

test('mitigations prices what is asked for, with the figures of a file', async () => {
  const folder = newFolder();
  const prices = join(folder, 'prices.yaml');
  writeFileSync(prices, 'xorGateDelay: {value: 20, unit: ps, source: a data book}\n');
  const { int8: model } = writeTinyNetwork(folder);
  const words = ['secded:dataBits=32+clip', 'rotate:layers=fc2'];
  const result = await bitcellJson(['mitigations', ...words, '--model', model, '--prices', prices]);
  expect(result).toMatchObject({
    ...{ model, format: 'int8', accelerator: 'edge-16x16', placement: 'resident' },
    dataCells: CELLS.int8,
    figures: { xorGateDelay: { value: 20e-12, source: 'a data book' } },
    mechanisms: [
      {
        use: 'secded',
        knowsMap: false,
        parameters: [
          { name: 'dataBits', values: ['16', '32', '64'] },
          { name: 'onDetect', values: ['keep', 'zero'] },
          { name: 'metadata', values: ['failing', 'reliable'] },
          { name: 'layers', values: null },
          { name: 'banks', values: null },
        ],
      },
      { use: 'rotate', knowsMap: true },
      { use: 'clip', knowsMap: false },
    ],
    mitigations: [
      {
        name: words[0],
        parts: [{ use: 'secded', dataBits: 32 }, { use: 'clip' }],
        price: {
          // Seven check bits for 32 data bits; thresholds of 8 and of 16 channels.
          cells: { count: (7 * CELLS.int8) / 32 + 32 * 24 },
          xorGates: null,
          readLatency: { levels: 4, seconds: 4 * 20e-12 },
        },
      },
      // 160 weights behind 8,408 others: 20 words.
      { name: words[1], price: { cells: { count: 3 * 20 } } },
    ],
  });
});

test('mitigations lists reorder, which takes nothing on a die', async () => {
  const { int8: model } = writeTinyNetwork(newFolder());
  const words = ['reorder:layers=conv1/fc1+rotate'];
  const result = await bitcellJson(['mitigations', 'reorder', ...words, '--model', model]);
  expect(result).toMatchObject({
    mechanisms: [{ use: 'rotate' }, { use: 'reorder', knowsMap: true }],
    mitigations: [
      {
        name: 'reorder',
        price: { ...nothing, readLatency: { levels: 0, seconds: 0 } },
      },
      { name: 'rotate+reorder:layers=conv1/fc1', parts: [{ use: 'rotate' }, { use: 'reorder' }] },
    ],
  });
});

const nothing: Price = {
  cells: { count: 0, share: 0 },
  xorGates: { encoder: 0, syndrome: 0, corrector: 0 },
  readLatency: { levels: 0, seconds: 0 },
  ...{ cycles: 0, energy: 0, area: 0, notGiven: [] },
};

test('a table of prices shows what is not given, and each reason once', () => {
  const price: Price = {
    cells: { count: 12345, share: 0.125 },
    xorGates: null,
    readLatency: { levels: 2, seconds: 4e-11 },
    ...{ cycles: null, energy: 2e-6, area: 3e-9 },
    notGiven: [
      { component: 'xorGates', reason: 'no gates' },
      { component: 'cycles', reason: 'no clock' },
    ],
  };
  const table = priceTable([
    { name: 'none', parts: [], price: nothing },
    { name: 'one', parts: [], price },
    {
      name: 'other',
      parts: [],
      price: { ...nothing, cycles: null, notGiven: price.notGiven.slice(1) },
    },
    { name: 'third', parts: [], price: null, refused: 'does not fit' },
  ]);
  const lines = table.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(lines.slice(2)).toEqual([
    ['none', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'],
    ['one', '12,345', '12.5', '-', '-', '-', '2', '0.04', '-', '2', '0.003'],
    ['other', '0', '0', '0', '0', '0', '0', '0', '-', '0', '0'],
    [''],
    ['- is not given:'],
    ['no gates (one)'],
    ['no clock (one, other)'],
    ['third: does not fit'],
  ]);
  expect(priceTable([{ name: 'none', parts: [], price: nothing }])).not.toContain('not given');
});
