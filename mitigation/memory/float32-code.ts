import { InputError } from '../../core/index.js';
import { byteChecksOf, DETECTED, laneChecks } from './linear-code.js';
import type { PlacedWeights, WordCode } from './stages.js';
import { verdictOf } from './verdict.js';
import { faultyCells } from './word-faults.js';
import { wordLayout } from './word-layout.js';

/**
 * A code for single float32 weights that takes no cell: the lowest bits of the mantissa are check bits of the others.
 * Words are IEEE 754 bits, as unsigned integers.
 */
export interface Float32Code {
  readonly name: string;
  /** Bits that hold the weight. */
  readonly dataMask: number;
  /** The syndrome of the bits of each byte alone: that of byte i with value v at 256 · i + v. */
  readonly byteChecks: Uint16Array;
  /** By syndrome, the bits that are inverted in reading, and of the result those that are kept; the others are 0. */
  readonly inverted: Int32Array;
  readonly kept: Int32Array;
}

/**
 * @param columns of the parity-check matrix H, by bit of the word: those of the check bits, its lowest, are 1, 2, 4 …
 * @param reading what reading does about a syndrome
 */
export function float32Code(
  name: string,
  checkBits: number,
  columns: readonly number[],
  reading: (syndrome: number) => { readonly inverted: number; readonly kept: number },
): Float32Code {
  const readings = Array.from({ length: 2 ** checkBits }, (_, syndrome) => reading(syndrome));
  return {
    name,
    dataMask: -1 << checkBits,
    byteChecks: byteChecksOf(columns),
    inverted: Int32Array.from(readings, ({ inverted }) => inverted),
    kept: Int32Array.from(readings, ({ kept }) => kept),
  };
}

/** What is stored for a weight. */
export function encodeFloat32Word(code: Float32Code, word: number): number {
  const data = word & code.dataMask;
  return (data | laneChecks(code.byteChecks, 0, data)) >>> 0;
}

/** What the network gets of a stored word, perhaps with errors. */
export function decodeFloat32Word(code: Float32Code, word: number): number {
  const syndrome = laneChecks(code.byteChecks, 0, word);
  return ((word ^ code.inverted[syndrome]) & code.kept[syndrome]) >>> 0;
}

/**
 * The code on each weight of a memory word.
 *
 * @param use the word for its mechanism
 * @throws InputError when weights are not float32
 */
export function float32WordCode(
  use: string,
  code: Float32Code,
  { network, placement }: PlacedWeights,
): WordCode {
  if (placement.weightBits !== 32) {
    throw new InputError(
      `${use}: ${network.name} has int8 weights, and ${use} keeps its check bits in the mantissa of float32 ones; take in-place-ecc, or the float32 network`,
    );
  }
  const { byteChecks, inverted, kept, dataMask } = code;
  // A lane is a weight; behind them a lane may have unused bits alone.
  const { weights } = wordLayout(placement);
  return {
    checkBits: 0,
    encode(lanes) {
      for (let lane = 0; lane < weights; lane++) {
        lanes[lane] = encodeFloat32Word(code, lanes[lane]);
      }
    },
    decode(written, read, faults, zeros, verdicts) {
      // What is not kept becomes zero as it is stored, which is not 0 in an inverted word.
      const zero = zeros();
      for (let lane = 0; lane < weights; lane++) {
        const before = read[lane];
        const syndrome = laneChecks(byteChecks, 0, before);
        read[lane] =
          ((before ^ inverted[syndrome]) & kept[syndrome]) | (zero[lane] & ~kept[syndrome]);
        if (!verdicts || faultyCells(faults, lane) === 0) continue;
        const isDetected = kept[syndrome] !== kept[0];
        const correction = isDetected ? DETECTED : Math.sign(syndrome);
        const isRight = ((read[lane] ^ written[lane]) & dataMask) === 0;
        verdicts[verdictOf(correction, before === written[lane], isRight)] += 1;
      }
    },
  };
}
