import type { DieLabels } from '../../inputs/dies/index.js';
import { clopperPearson, type DieVerdict, type Interval } from '../../statistics/index.js';
import type { DieRow } from './die-row.js';

/** What dies of different lots and voltages have in common. */
export type DieDesign = Pick<DieRow, 'model' | 'format' | 'accelerator' | 'mitigation'>;

/** The share of the dies of a lot that are good at a voltage. */
export interface DieYield extends DieDesign, Interval {
  readonly lot: string | null;
  /** In volts; null: it is not known. */
  readonly voltage: number | null;
  /** What a good die may lose, a fraction. */
  readonly within: number;
  readonly dies: number;
  readonly pass: number;
  readonly fail: number;
  readonly undecided: number;
  /** Dies that pass, of all. */
  readonly share: number;
}

/**
 * Yield over dies by lot and voltage. Its interval goes from Clopper and Pearson's lower end for the dies that pass to
 * their upper end for those that pass or are undecided.
 *
 * @param within what a good die may lose, a fraction
 */
export function dieYields(rows: readonly DieRow[], within: number): DieYield[] {
  return groupsOf(rows, ({ lot, voltage }) => [lot, voltage]).map((group) => {
    const { model, format, accelerator, mitigation, lot, voltage } = group[0];
    const count = (wanted: DieVerdict) => group.filter(({ verdict }) => verdict === wanted).length;
    const [dies, pass, fail, undecided] = [
      group.length,
      count('pass'),
      count('fail'),
      count('undecided'),
    ];
    return {
      ...{ model, format, accelerator, mitigation, lot, voltage, within },
      ...{ dies, pass, fail, undecided },
      share: pass / dies,
      low: clopperPearson(pass, dies).low,
      high: clopperPearson(pass + undecided, dies).high,
    };
  });
}

/** The lowest voltage of a die at which it is good. */
export interface DieVmin extends DieLabels, DieDesign {
  /** In volts; null: it does not pass at the highest one. */
  readonly vmin: number | null;
}

/**
 * The lowest voltage of each die at which it passes, as it does at every higher voltage that was measured. Dies of
 * which no voltage is known have none, and are left out.
 */
export function dieVmins(rows: readonly DieRow[]): DieVmin[] {
  const measured = rows.filter(({ voltage }) => voltage !== null);
  return groupsOf(measured, ({ lot, wafer, die, x, y }) => [lot, wafer, die, x, y]).map((group) => {
    const { die, lot, wafer, x, y, model, format, accelerator, mitigation } = group[0];
    const falling = group.toSorted((one, other) => (other.voltage ?? 0) - (one.voltage ?? 0));
    const failing = falling.findIndex(({ verdict }) => verdict !== 'pass');
    const passing = failing === -1 ? falling : falling.slice(0, failing);
    const vmin = passing.at(-1)?.voltage ?? null;
    return { die, lot, wafer, x, y, model, format, accelerator, mitigation, vmin };
  });
}

/** Rows of the same design and the same values, in the order of their first ones. */
function groupsOf(
  rows: readonly DieRow[],
  valuesOf: (row: DieRow) => readonly (string | number | null)[],
): DieRow[][] {
  const groups = new Map<string, DieRow[]>();
  for (const row of rows) {
    const { model, format, accelerator, mitigation } = row;
    const key = JSON.stringify([model, format, accelerator, mitigation, ...valuesOf(row)]);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()];
}
