import { fc, test as property } from '@fast-check/vitest';
import { parse } from 'vega';
import { compile } from 'vega-lite';
import { describe, expect, test } from 'vitest';
import {
  accuracyByRate,
  accuracyByScope,
  accuracyOverMaps,
  activationDistributions,
  areaByThreshold,
  type Chart,
  priceAndLoss,
  renderSvg,
} from '../../report/index.js';
import {
  ACTIVATION_ROWS,
  accuracyRows,
  MAP_SPREAD_ROWS,
  priceAndLossRow,
  THRESHOLD_ROWS,
} from './rows.js';

const BITS = Array.from({ length: 8 }, (_, bit) => `bit:${bit}`);

const MEMBERS = [
  ['none', 0, 0.3],
  ['closest-value', 0, 0.31],
  ['range-check', 128, 0.29],
  ['secded', 23_265_280, 0.02],
  ['invert', 23_265_280, 0.02],
  ['harden', null, 0.04],
] as const;

const CHARTS: Readonly<Record<string, () => Chart>> = {
  'accuracy by rate': () => accuracyByRate(accuracyRows(['all']), 'Accuracy'),
  'accuracy by layer': () => accuracyByScope(accuracyRows(['layer:conv1', 'layer:fc1']), 'Layers'),
  'accuracy by bit': () => accuracyByScope(accuracyRows(BITS, { mitigations: 2 }), 'Bits'),
  'accuracy over maps': () => accuracyOverMaps(MAP_SPREAD_ROWS, 'Maps'),
  'activation distributions': () => activationDistributions(ACTIVATION_ROWS, 'Activations'),
  'price and loss': () =>
    priceAndLoss([priceAndLossRow(MEMBERS), priceAndLossRow(MEMBERS, 'stuck-at')], 'Prices'),
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

test('storages other than weights have panels of their own, named by them', async () => {
  const rows = accuracyRows(['all']).filter(({ format }) => format === 'int8');
  const both = [...rows, ...rows.map((row) => ({ ...row, storage: 'multipliers' }))];
  const spread = MAP_SPREAD_ROWS.filter(({ format }) => format === 'int8');
  const bothSpread = [...spread, ...spread.map((row) => ({ ...row, storage: 'multipliers' }))];
  const priced = [priceAndLossRow(MEMBERS), { ...priceAndLossRow(MEMBERS), storage: 'inputs' }];
  const drawn = async (chart: Chart) => texts(await renderSvg(chart));
  for (const found of [
    await drawn(accuracyByRate(both, 'Accuracy')),
    await drawn(accuracyOverMaps(bothSpread, 'Maps')),
  ]) {
    expect(found).toContain('vgg16, int8 words, flip');
    expect(found).toContain('vgg16, int8 words, multipliers, flip');
  }
  const byScope = await drawn(accuracyByScope(both, 'Scopes'));
  expect(byScope).toContain('vgg16, int8 words, clip');
  expect(byScope).toContain('vgg16, int8 words, multipliers, clip');
  // Titles of two lines are drawn in parts.
  const prices = JSON.stringify(priceAndLoss(priced, 'Prices'));
  expect(prices).toContain('"alexnet, int8 words, edge-16x16"');
  expect(prices).toContain('"alexnet, int8 words, inputs, edge-16x16"');
});

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

describe('price and loss', () => {
  test('has a panel a condition, 0 and what is not given apart from the logarithms', async () => {
    const svg = await renderSvg(CHARTS['price and loss']());
    for (const title of ['flip, all, rate 1e-3', 'stuck-at, all, rate 1e-3']) {
      expect(svg).toContain(`>${title}<`);
    }
    const found = texts(svg);
    for (const text of ['0', '1,000', '1e7', 'not given', ...MEMBERS.map(([name]) => name)]) {
      expect(found.filter((other) => other === text).length).toBeGreaterThanOrEqual(2);
    }
    expect(found).toContain('beaten');
  });

  test('has no strip for 0 or for what is not given where there is none', async () => {
    const row = priceAndLossRow([['clip', 768, 0.1]]);
    const found = texts(await renderSvg(priceAndLoss([row], 'Prices')));
    expect(found).not.toContain('not given');
    expect(found).toContain('1,000');
    const lacking = priceAndLossRow([['harden', null, 0.1]]);
    expect(texts(await renderSvg(priceAndLoss([lacking], 'Prices')))).toContain('not given');
  });

  const member = fc.tuple(
    fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }),
    fc.option(fc.constantFrom(0, 1e-9, 3, 768, 23_265_280), { nil: null }),
    fc.double({ min: -0.1, max: 0.9, noNaN: true }),
  );
  property.prop([fc.array(member, { minLength: 1, maxLength: 25 })], { numRuns: 50 })(
    'labels never overlap, and lie in the panel',
    (members) => {
      const { width, height, labels } = labelsOf(
        priceAndLoss([priceAndLossRow(members)], 'Prices'),
      );
      expect(labels).toHaveLength(members.length);
      for (const [at, label] of labels.entries()) {
        expect(label.left).toBeGreaterThanOrEqual(0);
        // 6.2 pixels a character, of at most 36.
        expect(label.right).toBeLessThanOrEqual(width + 1);
        expect(label.y).toBeGreaterThanOrEqual(6 - 1e-6);
        expect(label.y).toBeLessThanOrEqual(height - 6 + 1e-6);
        for (const other of labels.slice(0, at)) {
          const apart = label.right <= other.left || other.right <= label.left;
          expect(apart || Math.abs(label.y - other.y) >= 12 - 1e-6).toBe(true);
        }
      }
    },
  );
});

/** The labels of a chart of one panel in its pixels, as its specification places them. */
function labelsOf(chart: Chart) {
  interface Layer {
    readonly mark: { readonly type: string };
    readonly data: { readonly values: readonly { x: number; y: number; name: string }[] };
    readonly encoding: { readonly y: { readonly scale: { readonly domain: [number, number] } } };
  }
  const [panel] = (
    chart as unknown as { concat: { width: number; height: number; layer: Layer[] }[] }
  ).concat;
  const { width, height, layer } = panel;
  const { data, encoding } = layer.filter(({ mark }) => mark.type === 'text')[0];
  const [low, high] = encoding.y.scale.domain;
  return {
    ...{ width, height },
    labels: data.values.map(({ x, y, name }) => ({
      ...{ left: x, right: x + 6.2 * name.length, y: (height * (high - y)) / (high - low) },
    })),
  };
}
