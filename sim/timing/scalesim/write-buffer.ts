/**
 * SCALE-Sim's double-buffered SRAM of the outputs. Written words are gathered in rows of `bandwidth`. When less than
 * half of the buffer is free and no drain is under way, one begins: the row in hand is closed, whatever it holds, and
 * the oldest ⌈half / bandwidth⌉ rows leave, one a cycle. Their words count as free at once; the array waits only where
 * nothing is free during a drain.
 */
export class WriteBuffer {
  readonly #bandwidth: number;
  /** A drain begins when fewer words are free. */
  readonly #leastFree: number;
  readonly #rowsPerDrain: number;
  #free: number;
  #drainEnd = 0;
  /** Complete rows so far, words in the row in hand, and the first row not drained. */
  #rows = 0;
  #inRow = 0;
  #drained = 0;
  /** Empty places of rows that were closed early, by row. */
  readonly #emptyPlaces = new Map<number, number>();

  /** @param size words; @param bandwidth words a cycle */
  constructor(size: number, bandwidth: number) {
    const half = Math.ceil(size / 2);
    this.#bandwidth = bandwidth;
    this.#free = size;
    this.#leastFree = half;
    this.#rowsPerDrain = Math.ceil((size - half) / bandwidth);
  }

  /**
   * Write `count` words in one cycle.
   *
   * @returns the cycles that the array waits for it
   */
  write(count: number, cycle: number): number {
    const free = this.#free - count;
    if (cycle < this.#drainEnd ? free > 0 : free >= this.#leastFree) {
      this.#store(count);
      return 0;
    }
    let now = cycle;
    for (let word = 0; word < count; word++) {
      this.#store(1);
      if (now < this.#drainEnd) {
        if (this.#free <= 0) now = this.#drainEnd;
      } else if (this.#free < this.#leastFree) {
        this.#drain(now);
      }
    }
    return now - cycle;
  }

  #store(count: number): void {
    this.#free -= count;
    const inRow = this.#inRow + count;
    this.#rows += Math.floor(inRow / this.#bandwidth);
    this.#inRow = inRow % this.#bandwidth;
  }

  #drain(cycle: number): void {
    if (this.#inRow > 0) {
      this.#emptyPlaces.set(this.#rows, this.#bandwidth - this.#inRow);
      this.#rows++;
      this.#inRow = 0;
    }
    const end = Math.min(this.#drained + this.#rowsPerDrain, this.#rows);
    const rows = end - this.#drained;
    // SCALE-Sim discounts the empty places of the last row alone.
    this.#free += rows * this.#bandwidth - (this.#emptyPlaces.get(end - 1) ?? 0);
    this.#drained = end;
    this.#drainEnd = cycle + rows - 1;
  }
}
