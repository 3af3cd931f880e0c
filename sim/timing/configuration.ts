/** Bytes of the double-buffered SRAM of each operand: one half is in use while the other is filled or drained. */
export interface OperandBuffers {
  readonly input: number;
  readonly weights: number;
  readonly output: number;
}

/** Words a cycle, one word per operand value, between each SRAM and the memory behind it. */
export interface Bandwidth {
  readonly input: number;
  readonly weights: number;
  readonly output: number;
}

/** Computes the layers without weights: element-wise operations and pooling. */
export interface VectorUnit {
  /** Operations a cycle. */
  readonly lanes: number;
}
