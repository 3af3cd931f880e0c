import type { Mitigation, Pricing } from '../../mitigation/index.js';
import type { CandidatePrice } from './decision.js';

/** What a price may be asked in: memory cells beside the data, joules an image, 2-input XOR gates. */
export const PRICE_UNITS = ['cells', 'energy', 'xorGates'] as const;

export type PriceUnit = (typeof PRICE_UNITS)[number];

/**
 * The price of a mitigation in a unit.
 *
 * @param pricing of the network in its memory; called where a price depends on it
 * @throws InputError where a part does not fit the network or its memory
 */
export function priceOf(
  { parts }: Mitigation,
  unit: PriceUnit,
  pricing: () => Pricing,
): CandidatePrice {
  if (parts.length === 0) return { price: 0, notGiven: [] };
  const { cells, energy, xorGates, notGiven } = pricing()(parts);
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
