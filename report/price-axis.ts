/** Where prices stand along a horizontal axis. */
export interface PriceAxis {
  readonly width: number;
  /** Pixels of a price; null: not given. */
  place(price: number | null): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** Between nothing, the logarithmic part, and what is not given. */
  readonly borders: readonly number[];
}

/** The part of the axis on which prices above 0 are. */
const LOGARITHMIC = 400;
/** The part for a price of 0, which has no place on an axis of logarithms; of that alone, room for labels. */
const ZERO = 56;
const ZERO_ALONE = 280;
/** Between the ends of a part and the prices in it. */
export const MARGIN = 20;

/**
 * Prices differ by orders of magnitude, and often one is 0: a logarithmic axis, beside it on the left a strip for 0 and
 * on the right a strip for prices that are not given, each where there is one.
 *
 * @param strip pixels of the strip on the right
 */
export function priceAxis(prices: readonly (number | null)[], strip: number): PriceAxis {
  const above = prices.flatMap((price) => (price !== null && price > 0 ? [price] : []));
  const start = prices.includes(0) ? (above.length > 0 ? ZERO : ZERO_ALONE) : 0;
  const end = start + (above.length > 0 ? LOGARITHMIC : 0);
  const isLacking = prices.includes(null);
  const { low, high } = decades(above);
  const onScale = (price: number) =>
    start + MARGIN + ((Math.log10(price) - low) / (high - low)) * (end - start - 2 * MARGIN);
  return {
    width: end + (isLacking ? strip : 0),
    place(price) {
      if (price === null) return end + MARGIN;
      return price === 0 ? MARGIN : onScale(price);
    },
    ticks: [
      ...(start > 0 ? [{ at: MARGIN, text: '0' }] : []),
      ...(above.length > 0
        ? tickValues(low, high).map((value) => ({ at: onScale(value), text: tickText(value) }))
        : []),
      ...(isLacking ? [{ at: end + MARGIN, text: 'not given' }] : []),
    ],
    borders: [start, end].filter((border) => border > 0 && border < end + (isLacking ? 1 : 0)),
  };
}

/** Logarithms of the ends of the axis: at least a decade. */
function decades(prices: readonly number[]): { readonly low: number; readonly high: number } {
  const [low, high] = [Math.log10(Math.min(...prices)), Math.log10(Math.max(...prices))];
  const lacking = Math.max(0, 1 - (high - low)) / 2;
  return { low: low - lacking, high: high + lacking };
}

/** Over few decades 1, 2 and 5 of each; else powers of ten, at most about eight. */
function tickValues(low: number, high: number): number[] {
  const digits = high - low <= 2 ? [1, 2, 5] : [1];
  const stride = Math.ceil((high - low) / 8);
  const exponents = Array.from(
    { length: Math.floor(high) - Math.floor(low) + 1 },
    (_, index) => Math.floor(low) + index,
  ).filter((exponent) => exponent % stride === 0);
  return exponents
    .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
    .filter((value) => Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9);
}

function tickText(value: number): string {
  if (value < 1 || value >= 1e7) return value.toExponential().replace('e+', 'e');
  return value.toLocaleString('en-US');
}
