import { z } from 'zod';
import { firstIssue, InputError, parseYaml, readTextChecked } from '../../core/index.js';
import { sortFaults } from '../fault-list.js';
import type { FaultMap } from '../fault-map.js';
import { cellOfWordBit, memoryWords, wordBitOf } from './words.js';

/**
 * How logical addresses and data bits lie on physical ones: bit i of a physical address is bit
 * `addressBits[i]` of the logical one, and bit i of a physical word is bit `dataBits[i]` of the logical
 * one. An absent list, and address bits above those listed, stay as they are.
 */
export interface BitPermutation {
  readonly addressBits?: readonly number[] | undefined;
  readonly dataBits?: readonly number[] | undefined;
}

const MAX_ADDRESS_BITS = 52;

function requirePermutation(bits: readonly number[], name: string): void {
  const isPermutation =
    new Set(bits).size === bits.length &&
    bits.every((bit) => Number.isSafeInteger(bit) && bit >= 0 && bit < bits.length);
  if (!isPermutation) {
    throw new InputError(
      `The permutation of ${name} bits is ${bits.join(',')}, but must hold each number from 0 to ${bits.length - 1} once.`,
    );
  }
}

/** A number with its low bits permuted: bit i of the result is bit bits[i] of the value. */
function permuteBits(value: number, bits: readonly number[]): number {
  const size = 2 ** bits.length;
  let low = 0;
  bits.forEach((from, to) => {
    low += (Math.floor(value / 2 ** from) % 2) * 2 ** to;
  });
  return Math.floor(value / size) * size + low;
}

/** The permutation that undoes another one. */
export function invertPermutation({ addressBits, dataBits }: BitPermutation): BitPermutation {
  const inverse = (bits: readonly number[]) => bits.map((_, bit) => bits.indexOf(bit));
  return {
    ...(addressBits && { addressBits: inverse(addressBits) }),
    ...(dataBits && { dataBits: inverse(dataBits) }),
  };
}

/**
 * A map whose cells were numbered by logical addresses and data bits, with the faults on the physical
 * cells. Check bits keep their places in the word of the physical address, spare cells stay.
 *
 * @param columnMux Words that interleave in a row of the memory.
 * @throws InputError when a list is no permutation, the data bits are not those of a word, or the
 * address bits do not map the addresses of the memory onto themselves.
 */
export function descramble(
  map: FaultMap,
  { addressBits = [], dataBits = [] }: BitPermutation,
  columnMux: number,
): FaultMap {
  const { geometry } = map;
  const words = memoryWords(geometry, columnMux, 'The permutation');
  requirePermutation(addressBits, 'address');
  requirePermutation(dataBits, 'data');
  if (dataBits.length > 0 && dataBits.length !== words.dataBits) {
    throw new InputError(
      `The permutation has ${dataBits.length} data bits, but the words of this memory have ${words.dataBits}.`,
    );
  }
  if (addressBits.length > MAX_ADDRESS_BITS || words.addresses % 2 ** addressBits.length !== 0) {
    throw new InputError(
      `The permutation has ${addressBits.length} address bits, but ${words.addresses} addresses are no multiple of 2^${addressBits.length}.`,
    );
  }
  const physicalBit = dataBits.map((_, bit) => dataBits.indexOf(bit));
  const cells = map.cells.map((cell) => {
    const place = wordBitOf(geometry, columnMux, cell);
    if (place === undefined) return cell;
    const address = permuteBits(place.address, addressBits);
    return cellOfWordBit(geometry, columnMux, address, physicalBit[place.bit] ?? place.bit);
  });
  return { ...map, ...sortFaults({ cells, kinds: map.kinds }) };
}

const bitList = z.array(z.int().nonnegative()).readonly().optional();
const permutationSchema = z.strictObject({ addressBits: bitList, dataBits: bitList });

/**
 * Reads a permutation from YAML (JSON is YAML, too): `addressBits` and `dataBits`, lists of bits, the
 * least significant physical bit first.
 *
 * @throws InputError naming file, line, column and field.
 */
export function readPermutation(file: string): BitPermutation {
  const yaml = parseYaml(readTextChecked(file), file);
  const result = permutationSchema.safeParse(yaml.value);
  if (!result.success) {
    const { path, field, message, unknownKey } = firstIssue(result.error, yaml.value);
    const place = unknownKey === undefined ? yaml.placeOf(path) : yaml.placeOfKey(path);
    throw new InputError(
      `${place}: ${field && `${field}: `}${message}; expected a mapping of addressBits and dataBits, lists of whole numbers.`,
    );
  }
  return result.data;
}
