import type { PriceUnit } from '../../campaign/index.js';
import type { Mitigation, Price } from '../../mitigation/index.js';
import { formatTable, grouped } from './table.js';

/** A mitigation and what it takes; null, with the reason, where it does not fit the network. */
export interface PricedMitigation extends Mitigation {
  readonly price: Price | null;
  readonly refused?: string;
}

/** A price in one unit: the head of its column, and its text. */
export const PRICE_TEXTS: Readonly<
  Record<PriceUnit, { readonly title: string; text(price: number): string }>
> = {
  cells: { title: 'cells', text: grouped },
  energy: { title: 'uJ an image', text: (joules) => `${Number((1e6 * joules).toPrecision(4))}` },
  xorGates: { title: 'XOR gates', text: grouped },
};

const NOT_GIVEN = '-';

/** Prices as a table, and below it what is not given in which of them. */
export function priceTable(mitigations: readonly PricedMitigation[]): string {
  const given = mitigations.flatMap(({ name, price }) => (price ? [{ name, price }] : []));
  const heads = ['mitigation', 'cells', '% of data', 'XOR encoder', 'syndrome', 'corrector'];
  const table = formatTable(
    [...heads, 'levels', 'ns', 'cycles', 'uJ an image', 'mm2'],
    given.map(({ name, price }) => [name, ...priceCells(price)]),
  );
  const refused = mitigations.flatMap(({ name, refused: why }) => (why ? [`${name}: ${why}`] : []));
  return [table, ...notGivenLines(given), ...refused].join('\n');
}

function priceCells({ cells, xorGates, readLatency, cycles, energy, area }: Price): string[] {
  return [
    whole(cells.count),
    scaled(cells.share, 100),
    whole(xorGates?.encoder ?? null),
    whole(xorGates?.syndrome ?? null),
    whole(xorGates?.corrector ?? null),
    whole(readLatency.levels),
    scaled(readLatency.seconds, 1e9),
    whole(cycles),
    scaled(energy, 1e6),
    scaled(area, 1e6),
  ];
}

function whole(count: number | null): string {
  return count === null ? NOT_GIVEN : grouped(count);
}

function scaled(value: number | null, factor: number): string {
  return value === null ? NOT_GIVEN : `${Number((value * factor).toPrecision(4))}`;
}

/** Each reason once, with what lacks it. */
function notGivenLines(given: readonly { readonly name: string; readonly price: Price }[]) {
  const lacking = new Map<string, Set<string>>();
  for (const { name, price } of given) {
    for (const { reason } of price.notGiven) {
      lacking.set(reason, (lacking.get(reason) ?? new Set()).add(name));
    }
  }
  if (lacking.size === 0) return [];
  return [
    '',
    `${NOT_GIVEN} is not given:`,
    ...[...lacking].map(([reason, names]) => `  ${reason} (${[...names].join(', ')})`),
  ];
}
