/** Known answers for protections of words, made by a program that shares nothing with this one. */
import { readFileSync } from 'node:fs';
import {
  bchDecCode,
  type LinearCode,
  parityCode,
  secdedCode,
  shortenedBch,
} from '../../../mitigation/index.js';

export type Case = Readonly<Record<string, string>>;

/** The rows of a file by the names of its columns. */
export function readCases(name: string): Case[] {
  const text = readFileSync(new URL(`cases/${name}.csv`, import.meta.url), 'utf8');
  const [head, ...rows] = text
    .trim()
    .split(/\r?\n/)
    .map((line) => [...line.matchAll(/("[^"]*"|[^",]*)(?:,|$)/g)].map(([, field]) => field));
  return rows.map((row) => Object.fromEntries(head.map((column, index) => [column, row[index]])));
}

const SECDED = [64, 32, 16, 57] as const;
const BCH = [8, 16, 32, 64, 128] as const;

export const SECDED_CODES: readonly LinearCode[] = SECDED.map(secdedCode);
export const BCH_CODES: readonly LinearCode[] = BCH.map(bchDecCode);
export const PARITY_CODES: readonly LinearCode[] = [
  ...[8, 32, 64].map((dataBits) => parityCode(dataBits)),
  ...[4, 8].map((bits) => parityCode(64, bits, true)),
  ...[2, 8].map((bits) => parityCode(64, bits)),
];

/** The code that a case names. */
export function codeNamed(name: string): LinearCode {
  const all = [...SECDED_CODES, ...BCH_CODES, ...PARITY_CODES, shortenedBch(0o721, 7)];
  const found = all.find((code) => code.name === name);
  if (!found) throw new Error(`no code is named ${name}`);
  return found;
}

/** A binary number as lanes of 32 bits, the least significant first. */
export function lanesOf(value: bigint, bits: number): Uint32Array {
  return Uint32Array.from({ length: Math.ceil(bits / 32) }, (_, lane) =>
    Number((value >> BigInt(32 * lane)) & 0xffffffffn),
  );
}

export function bigOf(lanes: ArrayLike<number>): bigint {
  return Array.from(lanes, BigInt).reduceRight((value, lane) => (value << 32n) | lane, 0n);
}

export function fromHex(digits: string): bigint {
  return BigInt(`0x${digits}`);
}

/** What a decoder knows, as the cases name it. */
export function decoderWord(correction: number): 'ok' | 'corrected' | 'detected' {
  if (correction === 0) return 'ok';
  return correction > 0 ? 'corrected' : 'detected';
}
