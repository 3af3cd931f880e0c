import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../core/index.js';
import {
  loadPriceFigures,
  type PriceFigures,
  priceFiguresJsonSchema,
} from '../../mitigation/index.js';
import { newFolder } from '../folders.js';

const folder = newFolder();

function load(text: string): PriceFigures {
  const file = join(folder, 'prices.yaml');
  writeFileSync(file, text);
  return loadPriceFigures(file);
}

test('a prices file gives figures with their sources', () => {
  expect(
    load(`
cellFactor: {value: 1.5, unit: cells, source: data book}
cellArea: {value: 0.12, unit: um2, source: data book}
`),
  ).toEqual({
    cellFactor: { value: 1.5, source: 'data book' },
    cellArea: { value: 0.12e-12, source: 'data book' },
  });
  const { readEnergy, xorGateArea, xorGateDelay } = load(`
readEnergy: {value: 30, unit: fJ, source: a}
xorGateArea: {value: 1, unit: um2, source: b}
xorGateDelay: {value: 20, unit: ps, source: c}
`);
  expect([readEnergy?.value, xorGateArea?.value, xorGateDelay?.value]).toEqual([
    30e-15, 1e-12, 20e-12,
  ]);
});

test('the example gives every figure, and says of each that it is a placeholder', () => {
  const figures = loadPriceFigures(join(packageRoot(), 'examples', 'prices.yaml'));
  const { properties } = JSON.parse(priceFiguresJsonSchema());
  expect(Object.keys(figures).sort()).toEqual(Object.keys(properties).sort());
  for (const figure of Object.values(figures)) expect(figure?.source).toMatch(/^placeholder: /);
});

test.each([
  ['cellArea: {value: 1, unit: um2}', 'cellArea.source is missing: expected the text of where'],
  ['cellArea: {value: 1, unit: um2, source: " "}', 'expected where the figure comes from'],
  ['cellArea: {value: 1, source: a}', 'cellArea.unit is missing: expected a unit, for example um2'],
  ['cellArea: {value: 1, unit: fJ, source: a}', '"1fJ" is not an area'],
  ['xorGateDelay: {value: 1, unit: s, source: a}', 'write a number and a unit (fs, ps, ns, us)'],
  ['cellArea: {value: -1, unit: um2, source: a}', '"-1um2" is not an area'],
  ['cellArea: {value: 0, unit: um2, source: a}', 'it must be above zero and finite'],
  ['cellArea: {value: .nan, unit: um2, source: a}', 'found .nan; expected a finite number'],
  ['cellArea: {value: 1e400, unit: um2, source: a}', 'found 1e400; expected a finite number'],
  ['cellArea: {value: "1", unit: um2, source: a}', 'cellArea.value: expected a number'],
  [
    'cellFactor: {value: 0.5, unit: cells, source: a}',
    'cellFactor.value: expected at least 1 cell',
  ],
  ['cellFactor: {value: -2, unit: cells, source: a}', 'cellFactor.value: expected at least 1 cell'],
  ['cellFactor: {value: 2, unit: um2, source: a}', 'expected the unit cells'],
  ['cellArea: 3', 'cellArea: expected a figure: {value: …, unit: …, source: …}'],
  ['[1]', 'expected figures by their names, such as cellArea: {value'],
  [
    'cellArae: {value: 1, unit: um2, source: a}',
    'unknown key "cellArae" (did you mean "cellArea"?)',
  ],
  [
    'cellArea: {value: 1, unit: um2, sorce: a}',
    'unknown key "sorce" in cellArea (did you mean "source"?)',
  ],
  ['cellArea: {value: 1, value: 2, unit: um2, source: a}', 'the key "value" a second time'],
])('the prices file %s is refused', (text, message) => {
  expect(() => load(text)).toThrow(message);
  expect(() => load(text)).toThrow('prices.yaml:1:');
});

test('a figure that is given twice is refused at the second one', () => {
  const figure = 'cellArea: {value: 1, unit: um2, source: a}';
  expect(() => load(`${figure}\n${figure}\n`)).toThrow(
    'prices.yaml:2:1: the key "cellArea" a second time; expected it once',
  );
});

describe('the JSON Schema of prices', () => {
  test('that is shipped is the one of the code', async () => {
    await expect(priceFiguresJsonSchema()).toMatchFileSnapshot(
      join(packageRoot(), 'mitigation', 'price', 'prices.schema.json'),
    );
  });

  test.each([
    ['cellArea: {value: 1, unit: um2, source: a}', true],
    ['cellArea: {value: 1, unit: um2}', false],
    ['cellArea: {value: 1, source: a}', false],
    ['cellFactor: {value: 0.5, unit: cells, source: a}', false],
    ['cellFactor: {value: 2, unit: um2, source: a}', false],
    ['cellArae: {value: 1, unit: um2, source: a}', false],
  ])('judges %j as the code does', (text, valid) => {
    const schema = z.fromJSONSchema(JSON.parse(priceFiguresJsonSchema()));
    expect(schema.safeParse(parse(text)).success).toBe(valid);
  });
});
