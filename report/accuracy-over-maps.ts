import { rateText } from '../core/index.js';
import { ACCURACY_AXIS, type Chart, chartOf, mitigationEncoding, type Panel } from './chart.js';
import { conditionTitle, distinct, groupBy, type MapSpreadRow, percentage } from './rows.js';

/**
 * Accuracies over fault maps: a panel for each network, word format, storage and fault model, in it a box for each rate and
 * mitigation: from the lower to the upper quartile, with the median as a line and whiskers to the worst and best map.
 */
export function accuracyOverMaps(rows: readonly MapSpreadRow[], title: string): Chart {
  const mitigations = mitigationEncoding(rows);
  const panels = groupBy(rows, conditionTitle).map(([name, group]) =>
    panelOf(name, group, mitigations),
  );
  return chartOf(panels, { title, columns: 2 });
}

function panelOf(
  title: string,
  rows: readonly MapSpreadRow[],
  { domain, color }: ReturnType<typeof mitigationEncoding>,
): Panel {
  const rates = distinct(rows.map(({ rate }) => rate)).sort((a, b) => a - b);
  const places = {
    x: {
      field: 'rate',
      type: 'ordinal' as const,
      title: 'fault rate',
      sort: rates.map(rateText),
      axis: { labelAngle: 0 },
    },
    xOffset: { field: 'mitigation', type: 'nominal' as const, sort: domain },
    color,
  };
  return {
    title,
    width: 300,
    height: 150,
    data: {
      values: rows.map(({ mitigation, rate, perMap }) => ({
        mitigation,
        rate: rateText(rate),
        worst: percentage(perMap.worst),
        lower: percentage(perMap.lowerQuartile),
        median: percentage(perMap.median),
        upper: percentage(perMap.upperQuartile),
        best: percentage(perMap.best),
      })),
    },
    layer: [
      {
        mark: 'rule',
        encoding: { ...places, y: { ...ACCURACY_AXIS, field: 'worst' }, y2: { field: 'best' } },
      },
      {
        mark: { type: 'bar', size: 12, opacity: 0.55 },
        encoding: { ...places, y: { ...ACCURACY_AXIS, field: 'lower' }, y2: { field: 'upper' } },
      },
      {
        mark: { type: 'tick', size: 14, thickness: 2 },
        encoding: { ...places, y: { ...ACCURACY_AXIS, field: 'median' } },
      },
    ],
  };
}
