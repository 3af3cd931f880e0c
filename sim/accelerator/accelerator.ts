import type { EnergyTable, Supply } from '../energy/index.js';
import type { Bandwidth, OperandBuffers, VectorUnit } from '../hardware/operands.js';
import type { SystolicArray } from '../hardware/systolic-array.js';
import type { WeightMemory } from '../memory/weight-memory.js';

/** A simulated accelerator. */
export interface Accelerator {
  readonly name: string;
  readonly array: SystolicArray;
  /** Hertz; undefined where only cycles are of interest. */
  readonly clock?: number;
  /** `fits-network`: the smallest default memory that holds the network (see `defaultResidentMemory`). */
  readonly weightMemory: WeightMemory | 'fits-network';
  /** Holds the network's input and the tensors between layers; default: `fits-network`, see `defaultFeatureMapMemory`. */
  readonly featureMapMemory?: WeightMemory | 'fits-network';
  /**
   * Holds the partial sums that leave a weight- or input-stationary array, 32 bits each; undefined: they are known in the
   * registers of its elements alone.
   */
  readonly accumulatorMemory?: WeightMemory;
  /** What finite bandwidth fills and drains; undefined where the bandwidth is ideal. */
  readonly buffers?: OperandBuffers;
  /** Undefined: ideal, no operand is ever waited for. */
  readonly bandwidth?: Bandwidth;
  readonly vectorUnit?: VectorUnit;
  /** What its parts take; undefined: energy is not given. */
  readonly energyTable?: EnergyTable;
  /** The supply whose voltage is lowered; undefined: energy at other voltages is not given. */
  readonly supply?: Supply;
}

/** An accelerator whose cycles alone are of interest: its weight memory may be unknown. */
export interface TimedAccelerator extends Omit<Accelerator, 'weightMemory'> {
  readonly weightMemory?: Accelerator['weightMemory'];
  /** Of a SCALE-Sim configuration: it says that sparsity is off, so that ratios in a topology mean nothing. */
  readonly sparsityIsOff?: boolean;
  /** Of a SCALE-Sim configuration: what it has on that is not simulated and changes no cycle. */
  readonly warnings?: readonly string[];
}
