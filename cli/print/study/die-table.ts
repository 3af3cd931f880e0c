import {
  type DieRow,
  type DieYield,
  dieYields,
  type MeasuredDie,
  type VminEnergies,
} from '../../../campaign/index.js';
import { formatTable, grouped, percent } from '../table.js';
import { rangeText } from './study-table.js';

/** Dies that a table lists. */
const MOST_LISTED = 50;

/** A column of a table of dies, which is left out where all rows have the same in it. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
}

/**
 * The dies of a study as JSON: one under each mitigation at each voltage, the yields, and the lowest voltages with what
 * an image takes at them.
 *
 * @param within what a good die may lose, a fraction
 */
export function diesJson(rows: readonly DieRow[], within: number, energies: VminEnergies) {
  return { dies: rows, yield: dieYields(rows, within), ...energies };
}

export type Labels = Pick<DieRow, 'die' | 'lot' | 'wafer' | 'x' | 'y'>;

export const LABELS: readonly Column<Labels>[] = [
  { title: 'lot', text: ({ lot }) => lot ?? '' },
  { title: 'wafer', text: ({ wafer }) => wafer ?? '' },
  { title: 'die', text: ({ die }) => die ?? '' },
  { title: 'x', text: ({ x }) => numberText(x) },
  { title: 'y', text: ({ y }) => numberText(y) },
];

export const DESIGN: readonly Column<Pick<DieRow, 'model' | 'format' | 'accelerator'>>[] = [
  { title: 'model', text: ({ model }) => model },
  { title: 'words', text: ({ format }) => format },
  { title: 'accelerator', text: ({ accelerator }) => accelerator },
];

const VOLTAGE: Column<Pick<DieRow, 'voltage'>> = {
  title: 'voltage',
  text: ({ voltage }) => (voltage === null ? '' : `${voltage} V`),
};

function numberText(value: number | null): string {
  return value === null ? '' : String(value);
}

/** The columns that tell rows apart. */
export function differing<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Column<Row>[] {
  return columns.filter(({ text }) => new Set(rows.map(text)).size > 1);
}

/** The first rows as a table, and how many more there are. */
export function listed<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  more: string,
): string[] {
  const shown = rows.slice(0, MOST_LISTED);
  const left = rows.length - shown.length;
  return [
    formatTable(
      columns.map(({ title }) => title),
      shown.map((row) => columns.map(({ text }) => text(row))),
    ),
    ...(left > 0 ? [`and ${grouped(left)} more (${more})`] : []),
  ];
}

/** Dies before they are run. */
export function formatMeasuredDies(dies: readonly MeasuredDie[]): string[] {
  const columns: Column<MeasuredDie>[] = [
    ...differing<MeasuredDie>([...LABELS, VOLTAGE], dies),
    { title: 'file', text: ({ file }) => file },
    { title: 'faults', text: ({ faults }) => grouped(faults) },
  ];
  return listed(dies, columns, '--json lists all');
}

/**
 * The verdicts on dies and their yields, each as a table.
 *
 * @param within what a good die may lose, a fraction
 */
export function formatDies(rows: readonly DieRow[], within: number): string[] {
  if (rows.length === 0) return [];
  const yields = dieYields(rows, within);
  return [
    ...formatVerdicts(rows),
    `Change: percentage points from the fault-free, unprotected network on the same ${imagesText(rows)}. A die passes where its 95 % interval lies above −${percent(within)} points, and fails where it lies below.`,
    '',
    `Dies that lose at most ${percent(within)} points; the interval counts the undecided ones as failing in its low end, as passing in its high end:`,
    ...formatYields(yields),
  ];
}

/** On how many images dies were judged. */
function imagesText(rows: readonly DieRow[]): string {
  const images = rows.map((row) => row.images);
  const isOne = new Set(images).size === 1;
  return isOne
    ? `${grouped(images[0])} images`
    : `images, ${rangeText(images)}: a die ends when it is settled under all mitigations`;
}

function formatVerdicts(rows: readonly DieRow[]): string[] {
  const columns: Column<DieRow>[] = [
    ...differing<DieRow>([...DESIGN, ...LABELS, VOLTAGE], rows),
    { title: 'faults', text: ({ faults }) => grouped(faults) },
    { title: 'mitigation', text: ({ mitigation }) => mitigation },
    { title: 'effective', text: ({ effective }) => grouped(effective) },
    ...differing<DieRow>([{ title: 'images', text: ({ images }) => grouped(images) }], rows),
    {
      title: 'accuracy [95 %]',
      text: ({ accuracy: { mean, low, high } }) =>
        `${percent(mean)} [${percent(low)}, ${percent(high)}]`,
    },
    {
      title: 'change [95 %]',
      text: ({ difference: { mean, low, high } }) =>
        `${signed(mean)} [${signed(low)}, ${signed(high)}]`,
    },
    { title: 'verdict', text: ({ verdict }) => verdict },
  ];
  return listed(rows, columns, '--json and `bitcell results DIR --table die` list all');
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${percent(share)}`;
}

function formatYields(yields: readonly DieYield[]): string[] {
  const lots: Column<DieYield> = { title: 'lot', text: ({ lot }) => lot ?? '' };
  const count = (title: 'dies' | 'pass' | 'fail' | 'undecided'): Column<DieYield> => ({
    title,
    text: (row) => grouped(row[title]),
  });
  const columns: Column<DieYield>[] = [
    ...differing<DieYield>([...DESIGN, lots, VOLTAGE], yields),
    { title: 'mitigation', text: ({ mitigation }) => mitigation },
    ...[count('dies'), count('pass'), count('fail'), count('undecided')],
    {
      title: 'yield in % [95 %]',
      text: ({ share, low, high }) => `${percent(share)} [${percent(low)}, ${percent(high)}]`,
    },
  ];
  return listed(yields, columns, '--json lists all');
}
