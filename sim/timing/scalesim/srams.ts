import { InputError } from '../../../core/index.js';
import { type Bandwidth, type OperandBuffers, wordsPerCycle } from '../../hardware/operands.js';

/** SCALE-Sim's buffer of one operand and its port, in words. */
export interface Sram {
  readonly words: number;
  readonly wordsPerCycle: number;
}

export type Srams = Readonly<Record<keyof OperandBuffers, Sram>>;

/**
 * The buffers in words of so many bytes, partial sums included: SCALE-Sim knows one kind of word.
 *
 * @throws InputError where a buffer does not have two halves of whole words, or a port does not move whole words
 */
export function scaleSimSrams(
  buffers: OperandBuffers,
  bandwidth: Bandwidth,
  wordBytes: 1 | 4,
): Srams {
  const sramOf = (operand: keyof OperandBuffers): Sram => {
    const bytes = buffers[operand];
    if (!Number.isSafeInteger(bytes) || bytes < 2 * wordBytes) {
      throw new InputError(
        `The scalesim-v2 model needs at least ${2 * wordBytes} bytes of ${operand} buffer, not ${bytes}.`,
      );
    }
    const words = wordsPerCycle(bandwidth[operand], wordBytes);
    if (!Number.isSafeInteger(words) || words < 1) {
      throw new InputError(
        `The scalesim-v2 model needs a whole number of ${operand} words a cycle, not ${words}${inBytes(bandwidth[operand], wordBytes)}.`,
      );
    }
    return { words: Math.floor(bytes / wordBytes), wordsPerCycle: words };
  };
  return { input: sramOf('input'), weights: sramOf('weights'), output: sramOf('output') };
}

function inBytes(bandwidth: Bandwidth[keyof Bandwidth], wordBytes: 1 | 4): string {
  if (typeof bandwidth === 'number') return '';
  return ` (${bandwidth.bytesPerCycle} bytes a cycle, ${wordBytes} a word)`;
}
