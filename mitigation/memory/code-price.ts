import { type AddedCells, NOTHING, type PartPrice } from '../price/price.js';
import { gatesOf } from './gates.js';
import type { LinearCode } from './linear-code.js';
import { linearWordCode } from './linear-word-code.js';
import type { PlacedWeights } from './stages.js';

/**
 * What a linear code takes: check bits of each memory word, and gates for all its code words at once.
 *
 * @throws InputError when the code is wider than a memory word
 */
export function linearCodePrice(
  code: LinearCode,
  place: PlacedWeights,
): PartPrice & { readonly cells: readonly AddedCells[] } {
  const { checkBits } = linearWordCode(code, 'keep', place);
  return {
    ...codePrice(code, checkBits / code.checkBits),
    cells: [{ hold: 'check bits', perWord: checkBits }],
  };
}

/** The gates of a code for all code words of a memory word at once, whose check bits have no cells of their own. */
export function codePrice(code: LinearCode, codeWords: number): PartPrice {
  const { encoder, syndrome, corrector, levels } = gatesOf(code);
  return {
    ...NOTHING,
    xorGates: {
      encoder: codeWords * encoder,
      syndrome: codeWords * syndrome,
      corrector: codeWords * corrector,
    },
    levels,
  };
}
