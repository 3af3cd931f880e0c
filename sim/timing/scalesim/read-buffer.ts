import { type FetchMatrix, placeOf, setsOf } from './fetch-matrix.js';

/** Sets into which SCALE-Sim divides a buffer. */
const SETS_IN_BUFFER = 100;

/**
 * SCALE-Sim's double-buffered SRAM of one operand. Half of it, the active window, is a run of consecutive sets of
 * the fetch matrix, seen as a ring. A request outside the window moves it forward by one prefetch (the other half)
 * after another until it holds the request. Each prefetch takes ⌈half / bandwidth⌉ + 1 cycles after the one before;
 * the first window is there from the start.
 */
export class ReadBuffer {
  /** Prefetches so far. */
  prefetches = 0;
  readonly #matrix: FetchMatrix;
  readonly #boundaries: Float64Array;
  readonly #entriesPerSet: number;
  readonly #entries: number;
  readonly #sets: number;
  readonly #activeSets: number;
  readonly #prefetchSets: number;
  readonly #prefetchCycles: number;
  /** First place of the window and, beyond its last set, the end; not above the first where it wraps around. */
  #from = 0;
  #to: number;
  #firstSet = 0;
  /** Cycle at which the latest prefetch is complete. */
  #complete = -1;
  readonly #holds = (place: number) => this.#contains(place);

  /** @param size entries; @param bandwidth entries a cycle */
  constructor(matrix: FetchMatrix, size: number, bandwidth: number) {
    const activeSize = Math.ceil(size / 2);
    const prefetchSize = size - activeSize;
    this.#matrix = matrix;
    this.#entriesPerSet = Math.ceil(size / SETS_IN_BUFFER);
    const { boundaries, entries } = setsOf(matrix, this.#entriesPerSet);
    this.#boundaries = boundaries;
    this.#entries = entries;
    this.#sets = this.#boundaries.length - 1;
    this.#activeSets = Math.min(this.#sets, Math.ceil(activeSize / this.#entriesPerSet));
    this.#prefetchSets = Math.min(
      this.#sets - this.#activeSets,
      Math.ceil(prefetchSize / this.#entriesPerSet),
    );
    this.#prefetchCycles = Math.ceil(prefetchSize / bandwidth) + 1;
    this.#to = this.#boundaries[this.#activeSets];
  }

  /** Words fetched so far: the first window and every prefetch. */
  get words(): number {
    const wordsOf = (sets: number) => Math.min(sets * this.#entriesPerSet, this.#entries);
    return wordsOf(this.#activeSets) + this.prefetches * wordsOf(this.#prefetchSets);
  }

  /**
   * Serve requests of one cycle for `count` entries of consecutive columns, in this order: from (row, column) on along
   * the row, or up the diagonal.
   *
   * @returns the cycles that the array waits for them
   */
  serve(row: number, column: number, count: number, cycle: number): number {
    const first = placeOf(this.#matrix, row, column);
    const end = first + count;
    let place = this.#heldUntil(first, end);
    let stall = 0;
    while (place < end) {
      if (this.#needs(row, column, place - first)) {
        this.#advance();
        stall += Math.max(0, this.#complete - (cycle + 1 + stall));
        place = this.#heldUntil(place, end);
      } else {
        place = this.#heldUntil(place + 1, end);
      }
    }
    return stall;
  }

  /** Whether the entry so many columns on has an address that the window does not hold at another entry either. */
  #needs(row: number, column: number, further: number): boolean {
    const matrix = this.#matrix;
    const at = matrix.order === 'diagonal' ? row - further : row;
    if (matrix.isBlank(at, column + further)) return false;
    if (this.#contains(placeOf(matrix, at, column + further))) return false;
    return matrix.occursElsewhere?.(at, column + further, this.#holds) !== true;
  }

  #advance(): void {
    this.prefetches++;
    this.#complete += this.#prefetchCycles;
    this.#firstSet = (this.#firstSet + this.#prefetchSets) % this.#sets;
    this.#from = this.#boundaries[this.#firstSet];
    this.#to = this.#boundaries[(this.#firstSet + this.#activeSets) % this.#sets];
  }

  #contains(place: number): boolean {
    return this.#from < this.#to
      ? place >= this.#from && place < this.#to
      : place >= this.#from || place < this.#to;
  }

  /** The first place from `place` on, before `end`, that the window does not hold, or `end`. */
  #heldUntil(place: number, end: number): number {
    if (place >= end || !this.#contains(place)) return place;
    const wraps = this.#from >= this.#to && place >= this.#from;
    return wraps ? end : Math.min(end, this.#to);
  }
}
