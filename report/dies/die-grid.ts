import { type Chart, chartOf, type Panel } from '../chart.js';
import { type DieChartRow, distinct } from '../rows.js';
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

const ROW_HEIGHT = 16;
const COLUMN_WIDTH = 46;

/**
 * The verdicts on dies as a grid: a row a die, a column a voltage, falling, and a panel for each mitigation. Every die
 * has a cell at every voltage; where it was not measured, the cell says so.
 */
export function dieGrid(rows: readonly DieChartRow[], title: string): Chart {
  const groups = new Map<string, DieChartRow[]>();
  for (const row of rows) {
    const key = designKey(row);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const dies = new Map(rows.map((row) => [dieKey(row), row]));
  const voltages = voltagesOf(rows);
  return chartOf(
    [...groups.values()].map((group) => panelOf(group, [...dies.values()], voltages, rows)),
    { title, columns: 3 },
  );
}

interface Cell {
  readonly row: number;
  readonly voltage: string;
  readonly state: string;
  readonly mark: string;
}

function panelOf(
  group: readonly DieChartRow[],
  dies: readonly DieChartRow[],
  voltages: readonly (number | null)[],
  all: readonly DieChartRow[],
): Panel {
  const verdicts = new Map(
    group.map((row) => [JSON.stringify([dieKey(row), row.voltage]), row.verdict]),
  );
  const cells = dies.flatMap((die, row) =>
    voltages.map((voltage): Cell => {
      const state: State = verdicts.get(JSON.stringify([dieKey(die), voltage])) ?? 'not measured';
      return { row, voltage: voltageText(voltage), state: stateText(state), mark: MARKS[state] };
    }),
  );
  const x = {
    field: 'voltage',
    type: 'ordinal' as const,
    title: null,
    scale: { domain: voltages.map(voltageText) },
    axis: { orient: 'top' as const, labelAngle: 0, ticks: false, domain: false },
  };
  const y = {
    field: 'row',
    type: 'ordinal' as const,
    title: null,
    scale: { domain: dies.map((_, row) => row) },
    axis: null,
  };
  return {
    title: { text: designTitle(group[0], all), fontSize: 10 },
    width: COLUMN_WIDTH * voltages.length,
    height: ROW_HEIGHT * dies.length,
    data: { values: cells },
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 2 },
        encoding: { x, y, color: STATE_COLOR },
      },
      { mark: { type: 'text', fontSize: 11 }, encoding: { x, y, text: { field: 'mark' } } },
      {
        // Not an axis: names may be anything, and two dies may have the same.
        data: { values: labelsOf(dies).map((label, row) => ({ row, label })) },
        mark: { type: 'text', align: 'right', baseline: 'middle', fontSize: 10 },
        encoding: { x: { value: -6 }, y, text: { field: 'label', type: 'nominal' } },
      },
    ],
  };
}

/** The labels of dies that tell them apart. */
function labelsOf(dies: readonly DieChartRow[]): string[] {
  const parts: readonly ((die: DieChartRow) => string | null)[] = [
    ({ lot }) => lot,
    ({ wafer }) => wafer,
    ({ die }) => die,
    ({ x, y }) => (x === null || y === null ? null : `(${x}, ${y})`),
  ];
  const differing = parts.filter((of) => distinct(dies.map(of)).length > 1);
  const [, , name] = parts;
  return dies.map((die) =>
    shownLabel(
      (differing.length > 0 ? differing : [name])
        .map((of) => of(die))
        .filter((text) => text !== null)
        .join(' · '),
    ),
  );
}
