import { rateText } from '../core/index.js';
import { type Chart, chartOf, type Panel } from './chart.js';
import { type AccuracyRow, distinct, groupBy, networkTexts, percentage } from './rows.js';

const CELL = { width: 44, height: 15 } as const;

/**
 * Heat map of accuracies: a row for each scope (layers in the order of the rows, bit positions from the most
 * significant down), a column for each fault rate, and a panel for each network, word format, storage and mitigation.
 */
export function accuracyByScope(rows: readonly AccuracyRow[], title: string): Chart {
  const panels = groupBy(rows, (row) => [...networkTexts(row), row.mitigation].join(', ')).map(
    ([name, group]) => panelOf(name, group),
  );
  return chartOf(panels, { title, columns: 4 });
}

function panelOf(title: string, rows: readonly AccuracyRow[]): Panel {
  const scopes = distinct(rows.map(({ scope }) => scope)).sort(byBit);
  const rates = distinct(rows.map(({ rate }) => rate)).sort((a, b) => a - b);
  const places = {
    x: {
      field: 'rate',
      type: 'ordinal' as const,
      title: 'fault rate',
      sort: rates.map(rateText),
      axis: { labelAngle: 0 },
    },
    y: { field: 'scope', type: 'ordinal' as const, title: null, sort: scopes },
  };
  return {
    title: { text: title, fontSize: 10 },
    width: CELL.width * rates.length,
    height: CELL.height * scopes.length,
    data: {
      values: rows.map(({ scope, rate, accuracy }) => ({
        scope,
        rate: rateText(rate),
        accuracy: percentage(accuracy.mean),
      })),
    },
    layer: [
      {
        mark: 'rect',
        encoding: {
          ...places,
          color: {
            field: 'accuracy',
            type: 'quantitative',
            title: 'accuracy, %',
            scale: { domain: [0, 100], scheme: 'viridis' },
          },
        },
      },
      {
        mark: { type: 'text', fontSize: 9 },
        encoding: {
          ...places,
          text: { field: 'accuracy', type: 'quantitative', format: '.1f' },
          color: { condition: { test: 'datum.accuracy < 55', value: 'white' }, value: 'black' },
        },
      },
    ],
  };
}

/** Bits from the most significant down; everything else keeps its order. */
function byBit(first: string, second: string): number {
  return bitOf(second) - bitOf(first);
}

function bitOf(scope: string): number {
  return scope.startsWith('bit:') ? Number(scope.slice('bit:'.length)) : 0;
}
