import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { cellAt, cellIndex, FAULT_KINDS, type FaultMap } from '../../../fault/index.js';
import {
  cepCode,
  decodeFloat32Word,
  decodeInPlace,
  encodeFloat32Word,
  encodeInPlace,
  type Float32Code,
  type MemoryPart,
  MSET,
  memorySideOf,
  type PlacedWeights,
  throttleInPlace,
  type Verdicts,
} from '../../../mitigation/index.js';
import {
  applyFaultMap,
  cellOfWordBit,
  storedWords,
  type WeightPatches,
  wordBitOfCell,
} from '../../../sim/index.js';
import { faultsWhere, placedCases, plain, withUint8Words } from './placed-networks.js';

/** The weights whose words differ from those of the network, with their words. */
function changes(words: ArrayLike<number>, read: ArrayLike<number>) {
  const weights = Array.from(words, (_, weight) => weight).filter(
    (weight) => read[weight] !== words[weight],
  );
  return { weights, words: weights.map((weight) => read[weight]) };
}

/** The words of all weights with patches. */
function patchedWords(words: Uint8Array | Uint32Array, patches: WeightPatches) {
  const patched = words.slice();
  for (const [place, weight] of patches.weights.entries()) patched[weight] = patches.words[place];
  return patched;
}

describe.each<[MemoryPart, Float32Code]>([
  [{ use: 'mset' }, MSET],
  [{ use: 'cep' }, cepCode(7)],
  [{ use: 'cep', chunk: 15 }, cepCode(15)],
])('%j', (part, code) => {
  property.prop([placedCases('float32')])(
    'each weight is encoded, stored in faulty cells, decoded',
    ({ placed, map }) => {
      const words = storedWords(placed.network) as Uint32Array;
      const encoded = words.map((word) => encodeFloat32Word(code, word));
      const stored = patchedWords(encoded, applyFaultMap(map, placed.placement, encoded));
      const side = memorySideOf([part], placed);
      const read = Array.from(stored, (word) => decodeFloat32Word(code, word));
      expect(plain(side.patchesOf(map))).toEqual(changes(words, read));
      const sound = Array.from(encoded, (word) => decodeFloat32Word(code, word));
      expect(plain(side.faultFree as WeightPatches)).toEqual(changes(words, sound));
    },
  );

  property.prop([placedCases('float32'), fc.constantFrom('range-check', 'rotate', 'invert')])(
    'without faults others change nothing more: ranges are those of the weights as decoded',
    ({ placed, map }, use) => {
      const both = memorySideOf([part, { use } as MemoryPart], placed);
      const { faultFree } = memorySideOf([part], placed);
      expect(both.faultFree).toEqual(faultFree);
      expect(both.patchesOf(faultsWhere(map, () => false))).toEqual(faultFree);
    },
  );

  test('int8 weights are refused', () => {
    const [{ placed }] = fc.sample(placedCases('int8'), { numRuns: 1, seed: 1 });
    expect(() => memorySideOf([part], placed)).toThrow(
      `${part.use}: tiny has int8 weights, and ${part.use} keeps its check bits in the mantissa`,
    );
  });
});

/** What is read of eight weights that were written. */
function readBlock(
  { placement }: PlacedWeights,
  map: FaultMap,
  address: number,
  block: number,
  stored: Uint32Array,
): Uint32Array {
  return stored.map((written, lane) => {
    let read = 0;
    for (let bit = 0; bit < 32; bit++) {
      const place = { address, bit: 64 * block + 32 * lane + bit };
      const cell = cellIndex(placement.geometry, cellOfWordBit(placement.memory, place));
      const kind = map.kinds[map.cells.indexOf(cell)];
      const value = (written >>> bit) & 1;
      const result = { 'stuck-at-0': 0, 'stuck-at-1': 1, flip: 1 - value };
      read |= (kind === undefined ? value : result[FAULT_KINDS[kind]]) << bit;
    }
    return read;
  });
}

/** Every block of every word each time that it is filled: the weights in it, and what is made of their words. */
function readInBlocks(
  placed: PlacedWeights,
  map: FaultMap,
  throttle: boolean,
): Uint8Array | Uint32Array {
  const { memory, occupancy, weightAt } = placed.placement;
  const words = storedWords(placed.network);
  const read = words.slice();
  const blocks = memory.wordBits / 64;
  const addresses = memory.banks * memory.rows * memory.columnMux;
  for (let number = 0; number < addresses * blocks; number++) {
    for (let fill = 0; fill < occupancy(8 * number); fill++) {
      const weights = Array.from({ length: 8 }, (_, byte) =>
        fill < occupancy(8 * number + byte) ? weightAt(8 * number + byte, fill) : undefined,
      );
      const bytes = Uint8Array.from(weights, (weight) =>
        weight === undefined ? 0 : words[weight],
      );
      const lanes = new Uint32Array(bytes.buffer);
      if (throttle) throttleInPlace(lanes, 0);
      encodeInPlace(lanes, 0);
      const address = Math.floor(number / blocks);
      lanes.set(readBlock(placed, map, address, number % blocks, lanes));
      decodeInPlace(lanes, 0);
      for (const [byte, weight] of weights.entries()) {
        if (weight !== undefined) read[weight] = bytes[byte];
      }
    }
  }
  return read;
}

describe('in-place-ecc', () => {
  property.prop([placedCases('int8'), fc.boolean()], { numRuns: 30 })(
    'eight weights are encoded, stored in faulty cells, decoded',
    ({ placed, map }, throttle) => {
      const words = storedWords(placed.network);
      const side = memorySideOf([{ use: 'in-place-ecc', throttle }], placed);
      expect(plain(side.patchesOf(map))).toEqual(
        changes(words, readInBlocks(placed, map, throttle)),
      );
      const none = faultsWhere(map, () => false);
      expect(plain(side.faultFree as WeightPatches)).toEqual(
        changes(words, readInBlocks(placed, none, throttle)),
      );
    },
  );

  property.prop([placedCases('int8'), fc.constantFrom('rotate', 'invert', undefined)])(
    'one faulty cell of eight weights is corrected, however these are written',
    ({ placed, map }, use) => {
      const { memory } = placed.placement;
      const struck = new Set<number>();
      const single = faultsWhere(map, (cell) => {
        const found = wordBitOfCell(memory, cellAt(map.geometry, cell));
        // Rotated words of 128 bits bring bits of one block into the other.
        if (!found || struck.has(found.address)) return false;
        struck.add(found.address);
        return true;
      });
      const parts = [{ use: 'in-place-ecc' }, ...(use ? [{ use }] : [])] as MemoryPart[];
      const verdicts: Verdicts = {
        noError: 0,
        corrected: 0,
        detected: 0,
        miscorrected: 0,
        undetected: 0,
      };
      const side = memorySideOf(parts, placed);
      const patches = side.patchesOf(single, undefined, verdicts);
      expect(plain(patches)).toEqual(plain(side.faultFree as WeightPatches));
      const { noError, corrected, ...others } = verdicts;
      expect(others).toEqual({ detected: 0, miscorrected: 0, undetected: 0 });
      const slots = memory.wordBits / 8;
      const { kind, occupancy } = placed.placement;
      const fills = [...struck].map((address) =>
        kind === 'resident' ? Math.min(1, occupancy(address * slots)) : occupancy(address * slots),
      );
      expect(noError + corrected).toBe(fills.reduce((sum, count) => sum + count, 0));
    },
  );

  test('weights must be int8, memory words whole blocks', () => {
    const [float32] = fc.sample(placedCases('float32'), { numRuns: 1, seed: 1 });
    const [narrow] = fc.sample(placedCases('int8', {}, [32]), { numRuns: 1, seed: 1 });
    const [int8] = fc.sample(placedCases('int8'), { numRuns: 1, seed: 1 });
    const part: MemoryPart = { use: 'in-place-ecc' };
    expect(() => memorySideOf([part], float32.placed)).toThrow('tiny has float32 weights');
    expect(() => memorySideOf([part], narrow.placed)).toThrow('but a memory word has 32');
    expect(() => memorySideOf([part], withUint8Words(int8.placed))).toThrow('layer "fc2" of tiny');
  });
});
