import { type AddedCells, NOTHING, type PartPrice } from '../price/price.js';
import { type CodeGates, gatesOf } from './gates.js';
import type { LinearCode } from './linear-code.js';
import type { CodeWord } from './linear-word-code.js';

/** What linear codes take: check bits of each memory word, and gates for all its code words at once. */
export function linearCodePrice(
  codeWords: readonly CodeWord[],
): PartPrice & { readonly cells: readonly AddedCells[] } {
  const gates = new Map<LinearCode, CodeGates>();
  for (const { code } of codeWords) if (!gates.has(code)) gates.set(code, gatesOf(code));
  const all = codeWords.flatMap(({ code }) => gates.get(code) ?? []);
  const sumOf = (circuit: 'encoder' | 'syndrome' | 'corrector') =>
    all.reduce((sum, one) => sum + one[circuit], 0);
  return {
    ...NOTHING,
    xorGates: {
      encoder: sumOf('encoder'),
      syndrome: sumOf('syndrome'),
      corrector: sumOf('corrector'),
    },
    levels: Math.max(...all.map(({ levels }) => levels)),
    cells: [
      {
        hold: 'check bits',
        perWord: codeWords.reduce((sum, { code }) => sum + code.checkBits, 0),
      },
    ],
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
