import type { TopLevelSpec } from 'vega-lite';
import { distinct } from './rows.js';

/** A Vega-Lite specification that holds its data. */
export type Chart = TopLevelSpec;

/** Colours that people with colour-vision deficiencies can tell apart (Okabe and Ito), in a fixed order. */
const COLORS = ['#000000', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'stroke'];

/** Mitigations that have the same colour in every chart. */
const KNOWN = ['none', 'clip', 'clip-tuned', 'clamp'];

/** One panel of a chart. */
export type Panel = Extract<TopLevelSpec, { concat: unknown }>['concat'][number];

/** Panels beside and below each other; what they encode other than by place has one scale and one legend. */
export function chartOf(
  panels: readonly Panel[],
  {
    title,
    subtitle,
    columns,
  }: { readonly title: string; readonly subtitle?: string; readonly columns: number },
): Chart {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, ...(subtitle !== undefined && { subtitle }), anchor: 'start' },
    background: 'white',
    config: {
      font: 'sans-serif',
      aria: false,
      axis: {
        labelFontSize: 10,
        titleFontSize: 11,
        titleFontWeight: 'normal',
        gridColor: '#e5e5e5',
      },
      title: { fontSize: 12, fontWeight: 'normal' },
      legend: { symbolOpacity: 1, titleFontWeight: 'normal' },
      view: { stroke: '#cccccc' },
    },
    columns,
    spacing: 18,
    concat: [...panels],
  };
}

/** Colours and shapes of the mitigations that are in some rows: known ones first. */
export function mitigationEncoding(rows: readonly { readonly mitigation: string }[]) {
  const found = distinct(rows.map(({ mitigation }) => mitigation));
  const order = [...KNOWN, ...found.filter((name) => !KNOWN.includes(name))];
  const domain = order.filter((name) => found.includes(name));
  const pick = (range: readonly string[]) =>
    domain.map((name) => range[order.indexOf(name) % range.length]);
  const field = { field: 'mitigation', type: 'nominal' as const, title: 'mitigation' };
  return {
    domain,
    color: { ...field, scale: { domain, range: pick(COLORS) } },
    shape: { ...field, scale: { domain, range: pick(SHAPES) } },
  };
}

/** A colour a fault rate, the fault-free one black. */
export function rateEncoding(rates: readonly string[]) {
  const domain = [...rates];
  const range = domain.map((_, index) => COLORS[index % COLORS.length]);
  return {
    field: 'rate',
    type: 'nominal' as const,
    title: 'fault rate',
    scale: { domain, range },
  };
}

/** A vertical axis of accuracies in percent. */
export const ACCURACY_AXIS = {
  type: 'quantitative' as const,
  title: 'accuracy, %',
  scale: { domain: [0, 100] },
};
