/** Bytes of the double-buffered SRAM of each operand: one half is in use while the other is filled or drained. */
export interface OperandBuffers {
  readonly input: number;
  readonly weights: number;
  readonly output: number;
}

/**
 * Words a cycle, one word for each value whatever its format; or bytes a cycle, of which a value takes as many as its
 * format has and a partial sum four.
 */
export type PortBandwidth = number | { readonly bytesPerCycle: number };

/** Between each SRAM and the memory behind it. */
export interface Bandwidth {
  readonly input: PortBandwidth;
  readonly weights: PortBandwidth;
  readonly output: PortBandwidth;
}

/** Words a cycle of a port whose words have so many bytes. */
export function wordsPerCycle(bandwidth: PortBandwidth, wordBytes: number): number {
  return typeof bandwidth === 'number' ? bandwidth : bandwidth.bytesPerCycle / wordBytes;
}

/** Computes the layers without weights: element-wise operations and pooling. */
export interface VectorUnit {
  /** Operations a cycle. */
  readonly lanes: number;
}
