/** A code for float32 weights that takes no cell: low bits of the mantissa hold what protects the others. */
export interface Float32Code {
  readonly name: string;
  /** What is stored for a weight; words are IEEE 754 bits as unsigned integers. */
  write(word: number): number;
  /** What the network gets of a stored word, perhaps with errors. */
  read(word: number): number;
}
