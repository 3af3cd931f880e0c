import { parse } from 'vega';
import { compile } from 'vega-lite';
import { expect, test } from 'vitest';
import {
  accuracyByRate,
  accuracyByScope,
  accuracyOverMaps,
  activationDistributions,
  areaByThreshold,
  type Chart,
  renderSvg,
} from '../../report/index.js';
import { ACTIVATION_ROWS, accuracyRows, MAP_SPREAD_ROWS, THRESHOLD_ROWS } from './rows.js';

const BITS = Array.from({ length: 8 }, (_, bit) => `bit:${bit}`);

const CHARTS: Readonly<Record<string, () => Chart>> = {
  'accuracy by rate': () => accuracyByRate(accuracyRows(['all']), 'Accuracy'),
  'accuracy by layer': () => accuracyByScope(accuracyRows(['layer:conv1', 'layer:fc1']), 'Layers'),
  'accuracy by bit': () => accuracyByScope(accuracyRows(BITS, { mitigations: 2 }), 'Bits'),
  'accuracy over maps': () => accuracyOverMaps(MAP_SPREAD_ROWS, 'Maps'),
  'activation distributions': () => activationDistributions(ACTIVATION_ROWS, 'Activations'),
  'area by threshold': () => areaByThreshold(THRESHOLD_ROWS, 'Areas'),
};

/** Texts of an SVG in the order in which they are drawn. */
function texts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
}

for (const [name, chart] of Object.entries(CHARTS)) {
  test(`${name}: Vega-Lite takes it without a warning, and equal rows give equal bytes`, async () => {
    const warnings: unknown[] = [];
    const collect = (...found: unknown[]) => {
      warnings.push(...found);
    };
    const logger = { level() {}, error: collect, warn: collect, info() {}, debug() {} };
    const { spec } = compile(chart(), { logger: logger as never });
    parse(spec);
    expect(warnings).toEqual([]);

    const [first, second] = [await renderSvg(chart()), await renderSvg(chart())];
    expect(second).toBe(first);
    expect(JSON.stringify(chart())).toBe(JSON.stringify(chart()));
    expect(first).not.toMatch(/NaN|undefined|null|Infinity/);
    expect(first.length).toBeLessThan(60_000);
  });
}

test('charts drawn at the same time have the bytes of charts drawn one after the other', async () => {
  const alone = await renderSvg(CHARTS['accuracy by rate']());
  const together = await Promise.all(Object.values(CHARTS).map((chart) => renderSvg(chart())));
  expect(together[0]).toBe(alone);
});

test('every rate above 0 is a tick, every condition a panel and every mitigation in the legend', async () => {
  const rows = accuracyRows(['all']);
  const clean = rows.filter(({ rate }) => rate === 1e-8).map((row) => ({ ...row, rate: 0 }));
  const svg = await renderSvg(accuracyByRate([...clean, ...rows], 'Accuracy'));
  const found = texts(svg);
  for (const text of ['vgg16, float32 words, flip', 'vgg16, int8 words, flip']) {
    expect(found).toContain(text);
  }
  for (const text of ['1e-8', '1e-4', '3e-2', 'none', 'clip', 'clip-tuned', 'clamp']) {
    expect(found).toContain(text);
  }
  expect(svg).toBe(await renderSvg(accuracyByRate(rows, 'Accuracy')));
});

test('the most significant bit stands at the top, layers in the order of the rows', async () => {
  const bits = texts(await renderSvg(CHARTS['accuracy by bit']())).filter((text) =>
    text.startsWith('bit:'),
  );
  expect(bits.slice(0, 8)).toEqual([...BITS].reverse());
  const layers = ['layer:conv2', 'layer:conv10', 'layer:conv1'];
  const found = texts(await renderSvg(accuracyByScope(accuracyRows(layers), 'Layers')));
  expect(found.filter((text) => text.startsWith('layer:')).slice(0, 3)).toEqual(layers);
});

test('a distribution is at the bottom where an octave has no values', () => {
  const [row] = ACTIVATION_ROWS;
  const octaves = [-3, 4, 5].map((exponent) => ({ exponent, count: row.values / 10 }));
  const chart = activationDistributions([{ ...row, octaves }], 'Activations');
  const [panel] = (chart as unknown as { concat: { data: { values: object[] } }[] }).concat;
  const at = (exponent: number, share: number) => ({ rate: '0', exponent, share });
  expect(panel.data.values).toEqual([
    ...[at(-4, 1e-8), at(-3, 0.1), at(-2, 1e-8)],
    ...[at(3, 1e-8), at(4, 0.1), at(5, 0.1), at(6, 1e-8)],
  ]);
});

test('a cell of the heat map prints the accuracy of its row in percent', async () => {
  const [row] = accuracyRows(['bit:7']);
  const accuracy = { mean: 0.12345, low: 0.1, high: 0.2 };
  expect(texts(await renderSvg(accuracyByScope([{ ...row, accuracy }], 'Bits')))).toContain('12.3');
});
