import { rateText } from '../core/index.js';
import { type Chart, chartOf, type Panel, rateEncoding } from './chart.js';
import { type ActivationRow, distinct, groupBy } from './rows.js';

/** The lower end of the axis, where octaves without values are: an axis of logarithms has no 0. */
const LEAST_SHARE = 1e-8;

/**
 * Distributions of positive activations, clean and under faults: a panel for each layer, in it a line for each fault
 * rate through the shares of the layer's values in the octaves.
 */
export function activationDistributions(rows: readonly ActivationRow[], title: string): Chart {
  const color = rateEncoding(distinct(rows.map(({ rate }) => rateText(rate))));
  const panels = groupBy(rows, ({ layer }) => layer).map(([layer, group]) =>
    panelOf(layer, group, color),
  );
  return chartOf(panels, { title, columns: 4 });
}

function panelOf(
  title: string,
  rows: readonly ActivationRow[],
  color: ReturnType<typeof rateEncoding>,
): Panel {
  const values = rows.flatMap((row) =>
    linePoints(row).map((point) => ({ rate: rateText(row.rate), ...point })),
  );
  return {
    title,
    width: 150,
    height: 90,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.2, interpolate: 'linear' },
    encoding: {
      x: {
        field: 'exponent',
        type: 'quantitative',
        title: 'log₂ activation',
        scale: { zero: false, nice: false },
        axis: { tickMinStep: 1, tickCount: 6, format: 'd', grid: false },
      },
      y: {
        field: 'share',
        type: 'quantitative',
        title: 'share of values',
        scale: { type: 'log', domain: [LEAST_SHARE, 1] },
        axis: { values: [1e-8, 1e-4, 1], format: '.0e', grid: false },
      },
      color,
    },
  };
}

/** Shares of the octaves; the line falls to the lower end of the axis beside octaves that have no values. */
function linePoints({ octaves, values }: ActivationRow): { exponent: number; share: number }[] {
  const shares = new Map<number, number>();
  for (const { exponent } of octaves) {
    for (const beside of [exponent - 1, exponent + 1]) shares.set(beside, LEAST_SHARE);
  }
  for (const { exponent, count } of octaves) {
    shares.set(exponent, Math.max(LEAST_SHARE, Number((count / values).toPrecision(3))));
  }
  return [...shares]
    .sort(([first], [second]) => first - second)
    .map(([exponent, share]) => ({ exponent, share }));
}
