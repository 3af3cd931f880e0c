import type { AccessCounts } from '../hardware/access-counts.js';

/** Words between the array and the SRAMs for one image. */
export interface SramAccesses extends AccessCounts {
  /**
   * What SCALE-Sim v2 reports as output writes: it adds rows + columns for each fold of an output-stationary array,
   * and is `outputWrites` otherwise. It never counts partial sums read back.
   */
  readonly scaleSimOutputWrites: number;
}

/** The cycles that the array waits, by what it waits for. */
export interface StallCauses {
  /** The first tile's operands, which nothing can hide. */
  readonly firstFill: number;
  readonly input: number;
  readonly weights: number;
  /** Room for outputs, or partial sums to be read back. */
  readonly output: number;
  /** The last tile's outputs, which nothing can hide either. */
  readonly lastDrain: number;
}

/** Cycles that one image spends in a layer or a network. */
export interface Timing {
  readonly computeCycles: number;
  /** Cycles that the array waits for memory; 0 at ideal bandwidth. */
  readonly stallCycles: number;
  /** `computeCycles + stallCycles`, as SCALE-Sim prints it: one less for each product than the hardware takes. */
  readonly totalCycles: number;
  /** Cycles of the hardware: from the first operand to the last result, stalls included. */
  readonly hardwareCycles: number;
  /**
   * Multiply-accumulates over totalCycles × processing elements (SCALE-Sim's overall utilisation), a
   * fraction. On arrays of one processing element the printed offset can take it just above 1.
   */
  readonly utilization: number;
}

export interface LayerTiming extends Timing {
  /** Share of processing elements with work, over all folds (SCALE-Sim's mapping efficiency), 0…1. */
  readonly mappingEfficiency: number;
  readonly sram: SramAccesses;
  /** At finite bandwidth: why the array waits. The causes add up to `stallCycles`. */
  readonly stalls?: StallCauses;
  /** At finite bandwidth: words between the SRAMs and the memory behind them. */
  readonly memory?: AccessCounts;
}

export interface NetworkTiming {
  readonly layers: readonly LayerTiming[];
  readonly total: Timing;
}

/** What a model of finite bandwidth finds out about one layer. */
export interface Stalls {
  readonly causes: StallCauses;
  readonly memory: AccessCounts;
  /** Where the model's own count differs from the ideal one. */
  readonly computeCycles?: number;
}

/** Sum over all causes. */
export function stallCyclesOf(causes: StallCauses): number {
  return causes.firstFill + causes.input + causes.weights + causes.output + causes.lastDrain;
}
