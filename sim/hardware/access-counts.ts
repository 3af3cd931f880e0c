/** Words that the array reads from and writes to its SRAMs, or these from and to memory; a word is one operand value. */
export interface AccessCounts {
  readonly inputReads: number;
  readonly weightReads: number;
  /** Outputs, and partial sums that are not complete yet. */
  readonly outputWrites: number;
  /** Partial sums read back to be added to. */
  readonly partialSumReads: number;
}
