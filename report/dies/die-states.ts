import { visibleText } from '../../core/index.js';
import type { DieChartRow } from '../rows.js';
import { distinct } from '../rows.js';

/** What a cell of a chart of dies says. */
export const STATES = ['pass', 'fail', 'undecided', 'not measured'] as const;

export type State = (typeof STATES)[number];

/** The marks of the states, for who sees no colours. */
export const MARKS: Readonly<Record<State, string>> = {
  ...{ pass: '+', fail: '×', undecided: '?', 'not measured': '–' },
};

/** Blue, vermilion and yellow of Okabe and Ito, light enough for a black mark; grey. */
const RANGE = ['#56b4e9', '#d55e00', '#f0e442', '#e5e5e5'];

/** A state as the legend names it. */
export function stateText(state: State): string {
  return `${MARKS[state]} ${state}`;
}

export const STATE_COLOR = {
  field: 'state',
  type: 'nominal' as const,
  title: null,
  scale: { domain: STATES.map(stateText), range: RANGE },
  legend: { symbolType: 'square' as const, symbolSize: 140 },
};

const MOST_CHARACTERS = 40;

/** A label without control characters, cut where it is very long. */
export function shownLabel(text: string): string {
  const shown = visibleText(text);
  return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS - 1)}…` : shown;
}

export function voltageText(voltage: number | null): string {
  return voltage === null ? 'one voltage' : `${voltage} V`;
}

/** Voltages, falling. */
export function voltagesOf(rows: readonly DieChartRow[]): (number | null)[] {
  return distinct(rows.map(({ voltage }) => voltage)).sort(
    (one, other) => (other ?? 0) - (one ?? 0),
  );
}

/** What tells one die from another. */
export function dieKey({ lot, wafer, die, x, y }: DieChartRow): string {
  return JSON.stringify([lot, wafer, die, x, y]);
}

/** What tells one panel from another: all but die and voltage. */
export function designKey({ model, format, accelerator, mitigation }: DieChartRow): string {
  return JSON.stringify([model, format, accelerator, mitigation]);
}

/** The title of a panel: its mitigation, below it what else differs between panels. */
export function designTitle(row: DieChartRow, all: readonly DieChartRow[]): string[] {
  const differs = (of: (row: DieChartRow) => string) => distinct(all.map(of)).length > 1;
  const place = [
    ...(differs(({ model }) => model) ? [row.model] : []),
    ...(differs(({ format }) => format) ? [row.format] : []),
    ...(differs(({ accelerator }) => accelerator) ? [row.accelerator] : []),
  ];
  return [shownLabel(row.mitigation), ...(place.length > 0 ? [shownLabel(place.join(', '))] : [])];
}
