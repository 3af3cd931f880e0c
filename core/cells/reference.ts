import { philox4x32 } from '../philox.js';
import type { CellFunctions } from './functions.js';

const WORD = 2 ** 32;

/** The definition of the functions on cells, one cell at a time. */
export function referenceCellFunctions(buffer: ArrayBuffer): CellFunctions {
  const bytes = new Uint8Array(buffer);
  const has = (bits: number, cell: number) => (bytes[bits + (cell >>> 3)] >> (cell & 7)) & 1;
  const mark = (bits: number, cell: number) => {
    bytes[bits + (cell >>> 3)] |= 1 << (cell & 7);
  };
  const words = new Uint32Array(4);
  const draw = (key: Uint32Array, trial: number, purpose: number, index: number) =>
    philox4x32(Uint32Array.of(trial, purpose, index, 0), key, words);
  return {
    markDraws(key0, key1, trial, purpose, first, count, bound, bits, fresh) {
      const key = Uint32Array.of(key0, key1);
      const list = new DataView(buffer, fresh);
      let found = 0;
      for (let index = first; index < first + count; index += 1) {
        draw(key, trial, purpose, index);
        const number = (BigInt(words[0]) << 32n) | BigInt(words[1]);
        const cell = Number((number * BigInt(bound)) >> 64n);
        if (has(bits, cell)) continue;
        mark(bits, cell);
        if (fresh !== 0) list.setUint32(found * 4, cell, true);
        found += 1;
      }
      return found;
    },
    markKinds(
      ...[key0, key1, trial, purpose, cells, count, , limitHigh, limitLow, bits]: Parameters<
        CellFunctions['markKinds']
      >
    ) {
      const key = Uint32Array.of(key0, key1);
      const list = new DataView(buffer, cells);
      for (let place = 0; place < count; place += 1) {
        const cell = list.getUint32(place * 4, true);
        draw(key, trial, purpose, cell);
        const number = (words[0] >>> 5) * 2 ** 26 + (words[1] >>> 6);
        if (number >= limitHigh * WORD + limitLow) mark(bits, cell);
      }
    },
    arrangeBits(source, target, rows, columnMux, wordBits, usedBits) {
      bytes.fill(0, target, target + Math.ceil((rows * columnMux * usedBits) / 8));
      for (let row = 0; row < rows; row += 1) {
        for (let word = 0; word < columnMux; word += 1) {
          for (let bit = 0; bit < usedBits; bit += 1) {
            const cell = (row * wordBits + bit) * columnMux + word;
            if (has(source, cell)) mark(target, (row * columnMux + word) * usedBits + bit);
          }
        }
      }
    },
    countBits(first, count) {
      let total = 0;
      for (let bit = 0; bit < count * 64; bit += 1) total += has(first, bit);
      return total;
    },
  };
}
