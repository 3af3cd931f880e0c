import type { Price } from '../../mitigation/index.js';
import type { PlacedNetwork } from '../study/conditions.js';
import type { CandidatePrice } from './decision.js';

/** What a price may be asked in: memory cells beside the data, joules an image, 2-input XOR gates. */
export const PRICE_UNITS = ['cells', 'energy', 'xorGates'] as const;

export type PriceUnit = (typeof PRICE_UNITS)[number];

/** What the price of a point depends on: a mitigation, by its name, for a network on an accelerator. */
export interface PricedPoint extends PlacedNetwork {
  readonly mitigation: string;
  /** What is broken: see `storagesOf`. Default: weights. */
  readonly storage?: string | undefined;
}

/**
 * The prices of a study's mitigations.
 *
 * @throws InputError where there is none to be told
 */
export type StudyPrices = (point: PricedPoint) => Price;

/** A price in a unit. */
export function priceIn(
  { cells, energy, xorGates, notGiven }: Price,
  unit: PriceUnit,
): CandidatePrice {
  const prices: Readonly<Record<PriceUnit, number | null>> = {
    cells: cells.count,
    energy,
    xorGates: xorGates && xorGates.encoder + xorGates.syndrome + xorGates.corrector,
  };
  return {
    price: prices[unit],
    notGiven: notGiven.filter(({ component }) => component === unit).map(({ reason }) => reason),
  };
}

/** Points with what their mitigations take. */
export function withPrices<Point extends PricedPoint>(
  points: readonly Point[],
  prices: StudyPrices,
): (Point & { readonly price: Price })[] {
  return points.map((point) => ({ ...point, price: prices(point) }));
}
