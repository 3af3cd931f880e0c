/** Bins on each side of zero. */
const BINS = 8192;

/**
 * A histogram of real numbers in bounded memory. Bins are a power of two wide, the same for all, and
 * zero is a bin edge; when a value falls outside, neighbouring bins merge. So the result depends on
 * the values only, not on their order, and a bin is at most 2/8192 of the largest magnitude wide.
 */
export interface Histogram {
  add(value: number): void;
  /** The largest bin edge with at least `count` values at or above it. */
  edgeWithAbove(count: number): number;
  /** The smallest bin edge with at least `count` values below it or in the bin that ends there. */
  edgeWithBelow(count: number): number;
  /** The bins that are not empty, ascending. */
  bins(): Bin[];
}

export interface Bin {
  readonly centre: number;
  readonly count: number;
}

export function createHistogram(): Histogram {
  // Bin b of 2·BINS covers [(b − BINS)·width, (b − BINS + 1)·width).
  let counts = new Float64Array(2 * BINS);
  let width = 0;

  function widen(magnitude: number): void {
    // Strictly more than the magnitude, so that the last bin contains it.
    const needed = 2 ** (Math.floor(Math.log2(magnitude / BINS)) + 1);
    // Until now only zeros may have come: the bin that starts at zero keeps them at any width.
    if (width > 0) {
      const merged = new Float64Array(2 * BINS);
      for (const [bin, count] of counts.entries()) {
        merged[BINS + Math.floor(((bin - BINS) * width) / needed)] += count;
      }
      counts = merged;
    }
    width = needed;
  }

  return {
    add(value) {
      const magnitude = Math.abs(value);
      if (magnitude >= BINS * width && magnitude > 0) widen(magnitude);
      counts[BINS + (width === 0 ? 0 : Math.floor(value / width))] += 1;
    },
    edgeWithAbove(count) {
      let bin = counts.length;
      for (let above = 0; above < count && bin > 0; above += counts[bin]) bin -= 1;
      return (bin - BINS) * width;
    },
    edgeWithBelow(count) {
      let bin = 0;
      for (let below = 0; below < count && bin < counts.length; bin += 1) below += counts[bin];
      return (bin - BINS) * width;
    },
    bins() {
      const filled: Bin[] = [];
      for (const [bin, count] of counts.entries()) {
        if (count > 0) filled.push({ centre: (bin - BINS + 0.5) * width, count });
      }
      return filled;
    },
  };
}
