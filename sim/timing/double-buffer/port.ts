import type { Kept, OutputTraffic } from './tile-traffic.js';

/** Loads the tiles of one operand into its SRAM, ahead of the tile that runs as far as there is room. */
export class InputPort {
  /** Words loaded so far. */
  words = 0;
  readonly #kept: Kept;
  readonly #bandwidth: number;
  readonly #capacity: number;
  readonly #half: number;
  /** When the port has loaded everything asked for. */
  #free = 0;
  /** When there is room for the next tile, and when the tile that it replaces was last begun. */
  #room = 0;
  #lastUse = 0;
  /** Words that the SRAM keeps. */
  #held = 0;
  /** Of the current tile: all words, those that load while it runs, and those of them in the last half. */
  #tile = 0;
  #rest = 0;
  #last = 0;

  /** @param bandwidth words a cycle; @param capacity words */
  constructor(kept: Kept, bandwidth: number, capacity: number) {
    this.#kept = kept;
    this.#bandwidth = bandwidth;
    this.#capacity = capacity;
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  /** Load the next tile as far as may be before it starts; returns when that is done (0 if nothing is to be loaded). */
  prefetch(words: number): number {
    this.words += words;
    this.#tile = words;
    this.#rest = 0;
    if (words === 0) return 0;
    const begin = Math.max(this.#free, this.#room);
    switch (this.#kept) {
      case 'operand':
        this.#free = begin + this.#cycles(words);
        break;
      case 'tile': {
        // What the kept tile leaves no room for follows behind that tile's last use.
        const ahead = Math.min(words, this.#capacity - this.#held);
        this.#free = begin + this.#cycles(ahead);
        if (ahead < words) {
          this.#free = Math.max(this.#free, this.#lastUse) + this.#cycles(words - ahead);
        }
        this.#held = words;
        break;
      }
      case 'nothing': {
        const ahead = Math.min(words, this.#half);
        this.#free = begin + this.#cycles(ahead);
        this.#rest = words - ahead;
        this.#last = this.#rest % this.#half || Math.min(this.#rest, this.#half);
      }
    }
    return this.#free;
  }

  /** The tile runs from `start` for `cycles`; returns the earliest end that loading its rest allows. */
  run(start: number, cycles: number): number {
    this.#lastUse = start;
    if (this.#tile > 0) this.#room = start;
    if (this.#rest === 0) return 0;
    this.#free = Math.max(this.#free, start) + this.#cycles(this.#rest);
    return this.#free + this.#lastPart(cycles);
  }

  /** The tile ended: from the start of its last part on, there is room for the next one. */
  finish(end: number, cycles: number): void {
    if (this.#rest > 0) this.#room = end - this.#lastPart(cycles);
  }

  /** Cycles that the array works on the last half to arrive. */
  #lastPart(cycles: number): number {
    return Math.floor((cycles * this.#last) / this.#tile);
  }

  #cycles(words: number): number {
    return Math.ceil(words / this.#bandwidth);
  }
}

/** Drains outputs from their SRAM, and moves partial sums that it cannot hold out and in. */
export class OutputPort {
  /** Words written to memory, and partial sums read back, so far. */
  words = 0;
  partialSums = 0;
  /** When everything written so far has left. */
  empty = 0;
  readonly #traffic: OutputTraffic;
  readonly #bandwidth: number;
  readonly #sumWords: number;
  readonly #half: number;
  /** When everything before the latest drain had left. */
  #emptyBefore = 0;
  /** Cycles that the current tile's results drain after it; undefined where they stream during it. */
  #drain: number | undefined = 0;

  /**
   * @param bandwidth final outputs a cycle
   * @param sumWords final outputs that pass in the time of one partial sum
   * @param capacity results, as accumulators
   */
  constructor(traffic: OutputTraffic, bandwidth: number, sumWords: number, capacity: number) {
    this.#traffic = traffic;
    this.#bandwidth = bandwidth;
    this.#sumWords = sumWords;
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  /** When a half is empty for the outputs of the next tile. */
  ready(rowFold: number): number {
    const { accumulation } = this.#traffic;
    const begins = accumulation === 'memory' || (accumulation === 'half' && rowFold === 0);
    return begins ? this.#emptyBefore : 0;
  }

  /** The tile runs from `start` on; returns the earliest end that its traffic allows. */
  run(rowFold: number, columnFold: number, start: number): number {
    const partialSums = this.#traffic.partialSums(rowFold, columnFold);
    const outputs = this.#traffic.outputs(rowFold, columnFold);
    this.words += outputs;
    this.partialSums += partialSums;
    const accumulates = this.#traffic.accumulation !== 'memory';
    const streams = !accumulates && (partialSums > 0 || outputs > this.#half);
    const width = this.#traffic.isFinal(rowFold) ? 1 : this.#sumWords;
    this.#drain = streams ? undefined : this.#cycles(outputs * width);
    if (!streams) {
      // In the whole SRAM, the first results take the places that the drain of the column fold before leaves.
      return this.#traffic.accumulation === 'whole' && rowFold === 0 ? this.empty : 0;
    }
    // The last half may leave behind the next tile.
    const behind = Math.min(outputs, this.#half);
    const during = partialSums * this.#sumWords + (outputs - behind) * width;
    const end = Math.max(this.empty, start) + this.#cycles(during);
    this.#emptyBefore = this.empty;
    this.empty = end + this.#cycles(behind * width);
    return end;
  }

  /** The results of the tile are complete at `end`. */
  finish(end: number): void {
    if (this.#drain === undefined) {
      this.empty = Math.max(this.empty, end);
    } else if (this.#drain > 0) {
      this.#emptyBefore = this.empty;
      this.empty = Math.max(this.empty, end) + this.#drain;
    }
  }

  #cycles(words: number): number {
    return Math.ceil(words / this.#bandwidth);
  }
}
