import type { TileTraffic } from './tile-traffic.js';

/** Loads the tiles of one operand into an SRAM of two halves, at most one half ahead of the tile that runs. */
export class InputPort {
  /** Words loaded so far. */
  words = 0;
  readonly #bandwidth: number;
  readonly #half: number;
  /** When the port has loaded everything asked for, and when a half may take the next tile. */
  #free = 0;
  #halfFree = 0;
  /** Of the current tile: all words, those that load while it runs, and those in the last half that does. */
  #tile = 0;
  #rest = 0;
  #last = 0;

  /** @param bandwidth words a cycle; @param half words of one half */
  constructor(bandwidth: number, half: number) {
    this.#bandwidth = bandwidth;
    this.#half = half;
  }

  /** Load the next tile as far as a half goes; returns when that is there (0 if nothing is to be loaded). */
  prefetch(words: number): number {
    this.words += words;
    this.#tile = words;
    this.#rest = Math.max(0, words - this.#half);
    this.#last = this.#rest % this.#half || Math.min(this.#rest, this.#half);
    if (words === 0) return 0;
    this.#free = Math.max(this.#free, this.#halfFree) + this.#cycles(Math.min(words, this.#half));
    return this.#free;
  }

  /** The tile runs from `start` for `cycles`; returns the earliest end that loading its rest allows. */
  run(start: number, cycles: number): number {
    if (this.#tile > 0) this.#halfFree = start;
    if (this.#rest === 0) return 0;
    this.#free = Math.max(this.#free, start) + this.#cycles(this.#rest);
    return this.#free + this.#lastPart(cycles);
  }

  /** The tile ended: from the start of its last part on, the other half is free. */
  finish(end: number, cycles: number): void {
    if (this.#rest > 0) this.#halfFree = end - this.#lastPart(cycles);
  }

  /** Cycles that the array works on the last half to arrive. */
  #lastPart(cycles: number): number {
    return Math.floor((cycles * this.#last) / this.#tile);
  }

  #cycles(words: number): number {
    return Math.ceil(words / this.#bandwidth);
  }
}

/** Drains outputs from an SRAM of two halves, and moves partial sums that do not fit a half out and in. */
export class OutputPort {
  /** Words written to memory, and partial sums read back, so far. */
  words = 0;
  partialSums = 0;
  /** When everything written so far has left. */
  empty = 0;
  readonly #bandwidth: number;
  readonly #half: number;
  /** When everything before the latest drain had left. */
  #emptyBefore = 0;
  /** Words that drain after the current tile; undefined where they stream during it. */
  #held: number | undefined = 0;

  /** @param bandwidth words a cycle; @param half words of one half */
  constructor(bandwidth: number, half: number) {
    this.#bandwidth = bandwidth;
    this.#half = half;
  }

  /** When a half is empty for the outputs of the next tile. */
  ready({ outputsAccumulate }: TileTraffic, rowFold: number): number {
    return outputsAccumulate && rowFold > 0 ? 0 : this.#emptyBefore;
  }

  /** The tile runs from `start` on; returns the earliest end that its traffic allows. */
  run(partialSums: number, outputs: number, start: number): number {
    this.words += outputs;
    this.partialSums += partialSums;
    const streams = partialSums > 0 || outputs > this.#half;
    this.#held = streams ? undefined : outputs;
    if (!streams) return 0;
    // The last half may leave behind the next tile.
    const behind = Math.min(outputs, this.#half);
    const end = Math.max(this.empty, start) + this.#cycles(partialSums + outputs - behind);
    this.#emptyBefore = this.empty;
    this.empty = end + this.#cycles(behind);
    return end;
  }

  /** The results of the tile are complete at `end`. */
  finish(end: number, { outputsAccumulate }: TileTraffic, lastRowFold: boolean): void {
    if (this.#held === undefined) {
      this.empty = Math.max(this.empty, end);
    } else if (lastRowFold || !outputsAccumulate) {
      this.#emptyBefore = this.empty;
      this.empty = Math.max(this.empty, end) + this.#cycles(this.#held);
    }
  }

  #cycles(words: number): number {
    return Math.ceil(words / this.#bandwidth);
  }
}
