import type { LinearCode } from './linear-code.js';

/** 2-input XOR gates of a code's circuits, as trees that share nothing. */
export interface CodeGates {
  readonly encoder: number;
  readonly syndrome: number;
  /** One a data bit where the code corrects; what matches a syndrome with a bit is not in it. */
  readonly corrector: number;
  /** Gates one behind another in the deepest tree of the syndrome. */
  readonly levels: number;
}

/** Gates from the parity-check matrix alone: a sum of n bits takes n − 1 gates, ⌈log2 n⌉ behind one another. */
export function gatesOf({ columns, dataBits, checkBits, corrections }: LinearCode): CodeGates {
  const ones = Array.from(
    { length: checkBits },
    (_, check) => columns.filter((column) => (column >>> check) & 1).length,
  );
  const syndrome = ones.reduce((gates, count) => gates + count - 1, 0);
  return {
    // Without the check bit itself, which the encoder computes.
    encoder: ones.reduce((gates, count) => gates + Math.max(0, count - 2), 0),
    syndrome,
    corrector: corrections.some((correction) => correction > 0) ? dataBits : 0,
    levels: Math.max(...ones.map((count) => Math.ceil(Math.log2(count)))),
  };
}
