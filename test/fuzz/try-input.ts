import { BitcellError } from '../../core/index.js';
import { xorshift } from '../../testing/index.js';
import { below, oneOf } from './input-mutations.js';
import type { InputReader } from './input-readers.js';

/** An input that a reader did not take as it should. */
export interface Finding {
  readonly index: number;
  readonly reader: string;
  readonly problem: string;
  readonly bytes: Uint8Array;
}

/** What became of one input. */
export type Verdict = 'read' | 'refused' | Finding;

/** The longest message that a user still reads. */
const LONGEST_MESSAGE = 3000;

/** Spreads neighbouring numbers over the seeds of the generator, none of which may be 0 (Knuth's multiplicative hash). */
function seedOf(seed: number, index: number): number {
  return (Math.imul(index + 1, 2_654_435_761) ^ Math.imul(seed, 40_503)) | 1;
}

/** The input with a number: a function of seed and number alone. */
export function inputAt(
  readers: Readonly<Record<string, InputReader>>,
  seed: number,
  index: number,
): { readonly reader: string; readonly bytes: Uint8Array } {
  const random = xorshift(seedOf(seed, index));
  for (let warmUp = 0; warmUp < 8; warmUp += 1) random();
  const entries = Object.entries(readers);
  let turn = below(
    random,
    entries.reduce((sum, [, { weight }]) => sum + weight, 0),
  );
  const [name, chosen] =
    entries.find(([, { weight }]) => {
      turn -= weight;
      return turn < 0;
    }) ?? entries[0];
  return { reader: name, bytes: chosen.mutate(oneOf(random, chosen.samples), random) };
}

/** Gives an input to its reader: an error that Bitcell did not raise on purpose, or one too long to read, is a finding. */
export function tryInput(
  readers: Readonly<Record<string, InputReader>>,
  seed: number,
  index: number,
): Verdict {
  const { reader, bytes } = inputAt(readers, seed, index);
  const finding = (problem: string): Finding => ({ index, reader, problem, bytes });
  try {
    readers[reader].read(bytes);
    return 'read';
  } catch (error) {
    if (!(error instanceof BitcellError)) {
      return finding(error instanceof Error ? String(error.stack) : String(error));
    }
    return error.message.length > LONGEST_MESSAGE
      ? finding(`a message of ${error.message.length} characters`)
      : 'refused';
  }
}
