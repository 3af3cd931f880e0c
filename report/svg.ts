import * as vega from 'vega';
import { compile } from 'vega-lite';
import type { Chart } from './chart.js';

/** What Vega's typings leave out. */
interface TextMeasurement {
  readonly textMetrics: { canvas(use: boolean): void };
}

/** Attributes for scripts and screen readers, which an image in a page needs not, and those with their default. */
const UNUSED_ATTRIBUTES =
  / (?:class|role|aria-[a-z]+|pointer-events)="[^"]*"| (?:opacity|stroke-width)="1"/g;

/** The font of every text, which is said once. */
const FONT = ' font-family="sans-serif"';

/** Paths without a visible part. */
const EMPTY_PATHS = /<path(?: d="(?:M[\d.,]*h[\d.]+v[\d.]+h-?[\d.]+Z)?"| display="none")*\/>/g;

/**
 * Draw a chart. Equal charts give equal bytes: texts are measured by an estimate, never by a canvas that happens to
 * be installed; definitions are numbered from 1; coordinates have at most one decimal.
 */
export async function renderSvg(chart: Chart): Promise<string> {
  (vega as unknown as TextMeasurement).textMetrics.canvas(false);
  const { spec } = compile(chart);
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    return `${compact(await view.toSVG())}\n`;
  } finally {
    view.finalize();
  }
}

function compact(svg: string): string {
  const numbers = new Map<string, string>();
  return (
    svg
      // In tags alone: texts are names that users give.
      .replace(/<[^>]*>/g, (tag) => compactTag(numberDefinitions(tag, numbers)))
      .replace(EMPTY_PATHS, '')
      .replace('<svg', `<svg${FONT}`)
      .replace(/<text[^>]* opacity="0"[^>]*>[^<]*<\/text>/g, '')
  );
}

function compactTag(tag: string): string {
  return tag
    .replace(UNUSED_ATTRIBUTES, '')
    .replaceAll(FONT, '')
    .replace(/ (?:d|transform|x|y|x1|y1|x2|y2|width|height)="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{2,}(?:e-\d+)?/g, (number) =>
        String(Number(Number(number).toFixed(1))),
      ),
    );
}

/** Vega numbers clip paths over the life of the process. */
function numberDefinitions(tag: string, numbers: Map<string, string>): string {
  return tag.replace(/\b(clip|gradient_)(\d+)\b/g, (name, kind: string) => {
    if (!numbers.has(name)) numbers.set(name, `${kind}${numbers.size + 1}`);
    return String(numbers.get(name));
  });
}
