import { type Chart, chartOf, type Panel } from '../chart.js';
import type { DieChartRow } from '../rows.js';
import {
  designKey,
  designTitle,
  dieKey,
  MARKS,
  STATE_COLOR,
  type State,
  shownLabel,
  stateText,
  voltagesOf,
  voltageText,
} from './die-states.js';

/** A die whose place on its wafer is known. */
type PlacedDieRow = DieChartRow & { readonly x: number; readonly y: number };

const CELL = 18;

/**
 * The verdicts on dies at their places on the wafers: a panel for each wafer, mitigation and voltage, voltages falling
 * from left to right; x to the right, y upwards. Dies whose place is not known are left out.
 */
export function waferMap(rows: readonly DieChartRow[], title: string): Chart {
  const placed = rows.filter((row): row is PlacedDieRow => row.x !== null && row.y !== null);
  const voltages = voltagesOf(placed);
  const groups = new Map<string, PlacedDieRow[]>();
  for (const row of placed) {
    const key = JSON.stringify([row.lot, row.wafer, designKey(row)]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const ofWafer = new Map<string, Map<string, PlacedDieRow>>();
  for (const row of placed) {
    const dies = ofWafer.get(waferKey(row)) ?? new Map<string, PlacedDieRow>();
    ofWafer.set(waferKey(row), dies.set(dieKey(row), row));
  }
  return chartOf(
    [...groups.values()].flatMap((group) =>
      voltages.map((voltage) =>
        panelOf(group, [...(ofWafer.get(waferKey(group[0]))?.values() ?? [])], voltage, rows),
      ),
    ),
    { title, subtitle: 'x to the right, y upwards', columns: Math.max(1, voltages.length) },
  );
}

function waferKey({ lot, wafer }: DieChartRow): string {
  return JSON.stringify([lot, wafer]);
}

function panelOf(
  group: readonly PlacedDieRow[],
  dies: readonly PlacedDieRow[],
  voltage: number | null,
  all: readonly DieChartRow[],
): Panel {
  const verdicts = new Map(
    group.filter((row) => row.voltage === voltage).map((row) => [dieKey(row), row.verdict]),
  );
  const cells = dies.map((die) => {
    const state: State = verdicts.get(dieKey(die)) ?? 'not measured';
    return { x: die.x, y: die.y, state: stateText(state), mark: MARKS[state] };
  });
  const [columns, lines] = [span(dies.map(({ x }) => x)), span(dies.map(({ y }) => y))];
  const encoding = {
    x: {
      ...{ field: 'x', type: 'ordinal' as const, title: null, scale: { domain: columns } },
      axis: { labelAngle: 0, ticks: false, domain: false, labelOverlap: true },
    },
    y: {
      ...{ field: 'y', type: 'ordinal' as const, title: null },
      scale: { domain: lines.toReversed() },
      axis: { ticks: false, domain: false, labelOverlap: true },
    },
  };
  const { lot, wafer } = group[0];
  const names = [
    ...(lot === null ? [] : [`lot ${lot}`]),
    ...(wafer === null ? [] : [`wafer ${wafer}`]),
    voltageText(voltage),
  ];
  return {
    title: { text: [...designTitle(group[0], all), shownLabel(names.join(', '))], fontSize: 10 },
    width: CELL * columns.length,
    height: CELL * lines.length,
    data: { values: cells },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 2 },
        encoding: { ...encoding, color: STATE_COLOR },
      },
      {
        mark: { type: 'text', fontSize: 11 },
        encoding: { ...encoding, text: { field: 'mark' } },
      },
    ],
  };
}

/** Places that a wide gap of whole numbers between dies has at most, before it is left out. */
const MOST_PLACES = 200;

/** All whole numbers from the least to the greatest, so that gaps show; of other numbers those that are there. */
function span(values: readonly number[]): number[] {
  const sorted = [...new Set(values)].sort((one, other) => one - other);
  const [least, greatest] = [sorted[0], sorted[sorted.length - 1]];
  if (!sorted.every(Number.isInteger) || greatest - least >= MOST_PLACES) return sorted;
  return Array.from({ length: greatest - least + 1 }, (_, index) => least + index);
}
