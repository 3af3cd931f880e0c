import { fc, test as property } from '@fast-check/vitest';
import { parse } from 'vega';
import { compile } from 'vega-lite';
import { describe, expect, test } from 'vitest';
import { type DieChartRow, dieGrid, renderSvg, waferMap } from '../../report/index.js';

const DESIGN = { model: 'net', format: 'int8', accelerator: 'chip' } as const;

const MARKS = { pass: '+', fail: '×', undecided: '?', missing: '–' } as const;

function rowOf(die: string, at: Partial<DieChartRow>): DieChartRow {
  return {
    ...{ ...DESIGN, mitigation: 'none', lot: 'L', wafer: '1', die, x: null, y: null },
    ...{ voltage: 0.6, verdict: 'pass' },
    ...at,
  };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** The texts of an SVG, which has to be well-formed: elements nest, attributes are quoted, entities are known. */
function textsOf(svg: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  const unescaped = (text: string) =>
    text.replace(/&([^;]*;?)/g, (_, name: string) => {
      const character = ENTITIES[name.slice(0, -1)];
      if (!name.endsWith(';') || character === undefined) throw new Error(`&${name}`);
      return character;
    });
  const token = /<(\/?)([a-zA-Z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  const trimmed = svg.trimEnd();
  while (token.lastIndex < trimmed.length) {
    const at = token.lastIndex;
    const found = token.exec(trimmed);
    if (!found) throw new Error(`not well-formed at ${trimmed.slice(at, at + 60)}`);
    const [, closing, name, , empty, text] = found;
    if (text !== undefined) texts.push(unescaped(text));
    else if (closing) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name);
  }
  expect(open).toEqual([]);
  // XML has none of the control characters but these.
  expect([...svg].filter((character) => character < ' ' && !'\t\n\r'.includes(character))).toEqual(
    [],
  );
  return texts;
}

const marksOf = (texts: readonly string[]) =>
  texts.filter((text) => Object.values<string>(MARKS).includes(text));

const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '</text><script>alert(1)</script>',
    '"&\'<D>]]>',
    ' x="1.2345" class="a"',
    'clip12',
    '\u0000\u001b[31m',
    '{"expr":"1"}',
  ),
);

describe('the grid of dies', () => {
  property.prop(
    [
      fc.uniqueArray(names, { minLength: 1, maxLength: 5 }),
      fc.uniqueArray(fc.constantFrom(0.6, 0.57, 0.54), { minLength: 1 }),
      fc.uniqueArray(fc.constantFrom('none', 'clip', 'secded'), { minLength: 1 }),
      fc.infiniteStream(fc.constantFrom('pass', 'fail', 'undecided', undefined)),
    ],
    { numRuns: 30 },
  )(
    'is XML with a cell for each die, voltage and mitigation, whatever dies are called',
    async (dies, voltages, mitigations, verdicts) => {
      const drawn: (keyof typeof MARKS)[] = [];
      const rows = dies.flatMap((die) =>
        mitigations.flatMap((mitigation) =>
          voltages.flatMap((voltage) => {
            const { value: verdict } = verdicts.next();
            if (verdict !== undefined) return [rowOf(die, { mitigation, voltage, verdict })];
            return [];
          }),
        ),
      );
      fc.pre(rows.length > 0);
      const count = (of: (row: DieChartRow) => unknown) => new Set(rows.map(of)).size;
      const texts = textsOf(await renderSvg(dieGrid(rows, 'Dies')));
      const cells =
        count(({ die }) => die) * count(({ voltage }) => voltage) * count((row) => row.mitigation);
      const marks = marksOf(texts);
      expect(marks).toHaveLength(cells);
      for (const { verdict } of rows) drawn.push(verdict);
      for (const state of ['pass', 'fail', 'undecided'] as const) {
        expect(marks.filter((mark) => mark === MARKS[state])).toHaveLength(
          drawn.filter((one) => one === state).length,
        );
      }
    },
  );

  test('shows labels as they are, and each state with its colour', async () => {
    const label = 'D x="1.2345" class="a" <clip12>';
    const svg = await renderSvg(
      dieGrid(
        [
          rowOf(label, { verdict: 'pass' }),
          rowOf('B', { verdict: 'fail' }),
          rowOf('B', { voltage: 0.5, verdict: 'undecided' }),
        ],
        'Dies',
      ),
    );
    const texts = textsOf(svg);
    expect(texts).toContain(label);
    expect(texts).toEqual(
      expect.arrayContaining(['+ pass', '× fail', '? undecided', '– not measured', '0.6 V']),
    );
    const fills = [...svg.matchAll(/<path d="M[\d,]*h46v16h-46Z" fill="(#\w+)"/g)];
    expect(fills.map(([, fill]) => fill)).toEqual(['#56b4e9', '#e5e5e5', '#d55e00', '#f0e442']);
  });
});

describe('the wafer map', () => {
  test('has a panel for each wafer, mitigation and voltage, with the dies at their places', async () => {
    const rows = ['none', 'clip'].flatMap((mitigation) =>
      [0.6, 0.5].flatMap((voltage) => [
        rowOf('A', { mitigation, voltage, x: 0, y: 0 }),
        rowOf('B', { mitigation, voltage, x: 2, y: 1, verdict: 'fail' }),
        rowOf('C', { mitigation, voltage, x: 5, y: 5, wafer: '2' }),
        rowOf('no place', { mitigation, voltage }),
      ]),
    );
    const texts = textsOf(await renderSvg(waferMap(rows.slice(1), 'Wafers')));
    expect(texts.filter((text) => text.startsWith('lot L, wafer '))).toHaveLength(2 * 2 * 2);
    const marks = marksOf(texts);
    expect(marks).toHaveLength(3 * 2 * 2);
    expect(marks.filter((mark) => mark === '×')).toHaveLength(4);
    expect(marks.filter((mark) => mark === '–')).toHaveLength(1);
  });

  test('shows columns without a die', async () => {
    const rows = [rowOf('A', { x: -1, y: 0 }), rowOf('B', { x: 3, y: 0 })];
    const texts = textsOf(await renderSvg(waferMap(rows, 'Wafers')));
    expect(texts).toEqual(expect.arrayContaining(['-1', '0', '1', '2', '3']));
  });
});

test.each([
  ['grid', dieGrid],
  ['wafer map', waferMap],
])(
  '%s: Vega-Lite takes it without a warning, and equal rows give equal bytes',
  async (_, chart) => {
    const rows = [
      rowOf('A', { x: 0, y: 1 }),
      rowOf('B', { x: 1, y: 0, verdict: 'fail', voltage: null }),
    ];
    const warnings: unknown[] = [];
    const collect = (...found: unknown[]) => {
      warnings.push(...found);
    };
    const logger = { level() {}, error: collect, warn: collect, info() {}, debug() {} };
    parse(compile(chart(rows, 'Dies'), { logger: logger as never }).spec);
    expect(warnings).toEqual([]);
    expect(await renderSvg(chart(rows, 'Dies'))).toBe(await renderSvg(chart(rows, 'Dies')));
  },
);
