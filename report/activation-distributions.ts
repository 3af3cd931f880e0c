import { type Chart, chartOf, type Panel, rateEncoding } from './chart.js';
import { type ActivationRow, distinct, groupBy, rateText } from './rows.js';

/** Shares below this are not drawn: an axis of logarithms has no 0. */
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
  const values = rows.flatMap(({ rate, values, octaves }) =>
    octaves
      .map(({ exponent, count }) => ({ exponent, share: Number((count / values).toPrecision(3)) }))
      .filter(({ share }) => share >= LEAST_SHARE)
      .map((point) => ({ rate: rateText(rate), ...point })),
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
        axis: { tickMinStep: 1, tickCount: 6, format: 'd' },
      },
      y: {
        field: 'share',
        type: 'quantitative',
        title: 'share of values',
        scale: { type: 'log', domain: [LEAST_SHARE, 1] },
        axis: { values: [1e-8, 1e-6, 1e-4, 1e-2, 1], format: '.0e' },
      },
      color,
    },
  };
}
