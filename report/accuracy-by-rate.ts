import { ACCURACY_AXIS, type Chart, chartOf, mitigationEncoding, type Panel } from './chart.js';
import { type AccuracyRow, conditionTitle, distinct, groupBy, percentage } from './rows.js';

/**
 * Accuracy against fault rate on a logarithmic axis: a panel for each network, word format, storage and fault
 * model, in it a line with its band of 95 % for each mitigation. Rate 0 has no place on such an axis and is left out.
 */
export function accuracyByRate(rows: readonly AccuracyRow[], title: string): Chart {
  const faulty = rows.filter(({ rate }) => rate > 0);
  const mitigations = mitigationEncoding(faulty);
  const panels = groupBy(faulty, conditionTitle).map(([name, group]) =>
    panelOf(name, group, mitigations),
  );
  return chartOf(panels, { title, columns: 3 });
}

function panelOf(
  title: string,
  rows: readonly AccuracyRow[],
  { color, shape }: ReturnType<typeof mitigationEncoding>,
): Panel {
  const rates = distinct(rows.map(({ rate }) => rate)).sort((a, b) => a - b);
  const x = {
    field: 'rate',
    type: 'quantitative' as const,
    title: 'fault rate',
    scale: {
      type: 'log' as const,
      domain: [rates[0] / 1.5, rates[rates.length - 1] * 1.5],
      nice: false,
    },
    axis: { values: rates, format: '.0e', labelAngle: -60, labelOverlap: false },
  };
  return {
    title,
    width: 190,
    height: 150,
    data: {
      values: rows.map(({ mitigation, rate, accuracy: { mean, low, high } }) => ({
        mitigation,
        rate,
        accuracy: percentage(mean),
        low: percentage(low),
        high: percentage(high),
      })),
    },
    layer: [
      {
        mark: { type: 'area', opacity: 0.15 },
        encoding: { x, y: { ...ACCURACY_AXIS, field: 'low' }, y2: { field: 'high' }, color },
      },
      {
        mark: { type: 'line', strokeWidth: 1.5 },
        encoding: { x, y: { ...ACCURACY_AXIS, field: 'accuracy' }, color },
      },
      {
        mark: { type: 'point', filled: true, size: 25, opacity: 1 },
        encoding: { x, y: { ...ACCURACY_AXIS, field: 'accuracy' }, color, shape },
      },
    ],
  };
}
