import type {
  DieVminEnergy,
  ImageEnergy,
  VminEnergies,
  VminSaving,
} from '../../../campaign/index.js';
import { visibleText } from '../../../core/index.js';
import { formatCsv } from '../csv.js';
import { PRICE_TEXTS } from '../price-table.js';
import { grouped, percent } from '../table.js';
import { type Column, DESIGN, differing, listed } from './die-table.js';

/**
 * The lowest voltages of dies, and what an image takes at them, each as a table. Nothing is said of energy where no
 * accelerator has figures of it.
 */
export function formatVmins({ vmin, imageEnergy, vminSavings }: VminEnergies): string[] {
  if (vmin.length === 0) return [];
  const hasFigures = imageEnergy.some(({ table, supply }) => table !== null || supply !== null);
  return [
    '',
    'Lowest voltage at which dies pass, as at every higher one that was measured:',
    ...formatVoltages(vmin, hasFigures),
    ...(hasFigures ? [...imageEnergy.map(energyText), ...formatSavings(vminSavings)] : []),
  ];
}

const { title: ENERGY_TITLE, text: energyOf } = PRICE_TEXTS.energy;

function energyCell(energy: number | null): string {
  return energy === null ? '-' : energyOf(energy);
}

/** How many dies have each lowest voltage under each mitigation. */
function formatVoltages(vmins: readonly DieVminEnergy[], hasFigures: boolean): string[] {
  const groups = new Map<string, DieVminEnergy[]>();
  for (const one of vmins) {
    const key = JSON.stringify([one.model, one.format, one.accelerator, one.mitigation, one.vmin]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const rows = [...groups.values()].map((group) => ({ ...group[0], dies: group.length }));
  const columns: Column<(typeof rows)[number]>[] = [
    ...differing<(typeof rows)[number]>(DESIGN, rows),
    { title: 'mitigation', text: ({ mitigation }) => mitigation },
    { title: 'Vmin', text: ({ vmin }) => (vmin === null ? 'none' : `${vmin} V`) },
    { title: 'dies', text: ({ dies }) => grouped(dies) },
    ...(hasFigures
      ? [
          {
            title: ENERGY_TITLE,
            text: ({ energy }: DieVminEnergy) => energyCell(energy),
          },
        ]
      : []),
  ];
  const reasons = new Set(
    vmins.flatMap(({ vmin, energyNotGiven }) =>
      vmin === null || energyNotGiven === null ? [] : [energyNotGiven],
    ),
  );
  return [
    ...listed(rows, columns, '--json lists each die'),
    ...(hasFigures ? [...reasons].map((reason) => visibleText(`- is not given: ${reason}.`)) : []),
  ];
}

/** How the energy of an accelerator was scaled, in a sentence. */
function energyText({ accelerator, table, supply, notGiven }: ImageEnergy): string {
  if (table === null || supply === null) return visibleText(`${accelerator}: no energy at Vmin.`);
  const scaling =
    supply.factors === undefined ? 'scaled by the square of V' : 'times the measured factor';
  const lacking = notGiven.map(({ component }) => component);
  const bound = lacking.length === 0 ? '' : ` A lower bound: without ${lacking.join(', ')}.`;
  return visibleText(
    `Energy of an image on ${accelerator} by ${table}, nominal at ${supply.nominal} V: ${supply.components.join(', ')} ${scaling}, the rest as it is.${bound}`,
  );
}

/** What mitigations save. */
function formatSavings(savings: readonly VminSaving[]): string[] {
  if (savings.every(({ dies }) => dies === 0)) return [];
  const columns: Column<VminSaving>[] = [
    ...differing<VminSaving>(DESIGN, savings),
    { title: 'mitigation', text: ({ mitigation }) => mitigation },
    { title: 'dies', text: ({ dies }) => grouped(dies) },
    { title: 'none, uJ', text: ({ energyWithout }) => energyCell(energyWithout) },
    { title: 'with it, uJ', text: ({ energy }) => energyCell(energy) },
    {
      title: 'saved in %',
      text: ({ saving }) => (saving === null ? '-' : percent(saving)),
    },
    { title: 'pass with it alone', text: ({ onlyWith }) => grouped(onlyWith) },
    { title: 'without alone', text: ({ onlyWithout }) => grouped(onlyWithout) },
  ];
  return [
    '',
    'Mean energy of an image, each die at its own Vmin without a mitigation and with it, where it has both:',
    ...listed(savings, columns, '--json lists all'),
  ];
}

/** The lowest voltages as CSV, with joules of an image. */
export function vminCsv(vmins: readonly DieVminEnergy[]): string {
  return formatCsv({
    columns: COLUMNS.map((column) =>
      column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    ),
    rows: vmins.map((one) => COLUMNS.map((column) => one[column])),
  });
}

const COLUMNS = [
  'model',
  'format',
  'accelerator',
  'mitigation',
  'lot',
  'wafer',
  'die',
  'x',
  'y',
  'vmin',
  'networkEnergy',
  'energy',
  'energySaving',
  'energyNotGiven',
] as const satisfies readonly (keyof DieVminEnergy)[];
