import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { packageRoot } from '../../../core/index.js';
import type { WordFaults } from '../../../sim/index.js';

const CASES = join(packageRoot(), 'test', 'mitigation', 'memory', 'cases');

/** Known answers for weight-memory protections, from a program that shares nothing with this one. */
export function caseText(name: string): string {
  return readFileSync(join(CASES, name), 'utf8');
}

/** Rows of a case file by the names of its columns. */
export function caseRows(name: string): Record<string, string>[] {
  const [head, ...rows] = caseText(name)
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((column, place) => [column, row[place]])));
}

/** A word in hexadecimal digits as lanes of 32 bits, least significant first. */
export function lanesOf(hexadecimal: string, wordBits: number): Uint32Array {
  const digits = hexadecimal.padStart(wordBits / 4, '0');
  return Uint32Array.from({ length: wordBits / 32 }, (_, lane) => {
    const end = digits.length - 8 * lane;
    return Number.parseInt(digits.slice(end - 8, end), 16);
  });
}

export function hexadecimalOf(lanes: Uint32Array): string {
  return [...lanes]
    .reverse()
    .map((lane) => lane.toString(16).padStart(8, '0'))
    .join('');
}

export type CellFault = 'stuck-at-0' | 'stuck-at-1' | 'flip';

export function faultsOf(
  cells: Iterable<readonly [cell: number, fault: CellFault]>,
  wordBits: number,
): WordFaults {
  const lanes = wordBits / 32;
  const faults = {
    and: new Uint32Array(lanes).fill(0xffffffff),
    or: new Uint32Array(lanes),
    xor: new Uint32Array(lanes),
  };
  const masks = { 'stuck-at-0': faults.and, 'stuck-at-1': faults.or, flip: faults.xor };
  for (const [cell, fault] of cells) masks[fault][cell >> 5] ^= 1 << (cell & 31);
  return faults;
}

/** `bit:kind` separated by spaces, as the case files write faults. */
export function parseFaults(text: string, wordBits: number): WordFaults {
  const cells = text.split(' ').filter((cell) => cell !== '');
  return faultsOf(
    cells.map((cell) => {
      const [bit, fault] = cell.split(':');
      return [Number(bit), fault as CellFault] as const;
    }),
    wordBits,
  );
}

export function read(stored: Uint32Array, { and, or, xor }: WordFaults): Uint32Array {
  return stored.map((lane, place) => ((lane & and[place]) | or[place]) ^ xor[place]);
}

export function bitOf(lanes: Uint32Array, bit: number): number {
  return (lanes[bit >> 5] >>> (bit & 31)) & 1;
}

const cellFaults = fc.constantFrom<CellFault>('stuck-at-0', 'stuck-at-1', 'flip');

/** A memory word of up to 512 bits with none, few or many faulty cells. */
export const struckWords = fc.constantFrom(32, 64, 96, 128, 512).chain((wordBits) =>
  fc
    .tuple(
      fc.uint32Array({ minLength: wordBits / 32, maxLength: wordBits / 32 }),
      fc.uniqueArray(fc.tuple(fc.nat(wordBits - 1), cellFaults), {
        selector: ([cell]) => cell,
        maxLength: 40,
        size: 'max',
      }),
    )
    .map(([data, cells]) => ({ wordBits, data, cells, faults: faultsOf(cells, wordBits) })),
);

export const weightSizes = fc.constantFrom(8 as const, 32 as const);
