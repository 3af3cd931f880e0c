import { fc, test as property } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { cellAt } from '../../../fault/index.js';
import { type MaskingUnit, maskUnits, memorySideOf } from '../../../mitigation/index.js';
import { arrayLayers, wordMask } from '../../../models/index.js';
import { storedWords, weightLocator, wordBitOfCell } from '../../../sim/index.js';
import { placedCases, plain, withUint8Words } from './placed-networks.js';

const masking = fc.record({
  unit: fc.constantFrom<MaskingUnit>('word', 'row', 'bank'),
  spareWords: fc.nat(5),
  // Those that fail are in metadata.test.ts.
  metadata: fc.constant('reliable' as const),
});

describe.each(['int8', 'float32'] as const)('%s words', (format) => {
  const extras = { checkBits: 8, spareRows: 1, spareColumns: 3 };

  property.prop([placedCases(format, extras), masking, fc.boolean()])(
    'of units with a faulty cell are zero, unless spare words stand for the faulty ones',
    ({ placed, map }, { unit, spareWords, metadata }, hasCode) => {
      const { network, placement } = format === 'int8' ? withUint8Words(placed) : placed;
      const { memory, slotOf, weightBits } = placement;
      const wordsPerBank = memory.rows * memory.columnMux;
      // Check cells count where a code uses them.
      const bits = memory.wordBits + (hasCode && memory.wordBits === 64 ? 8 : 0);
      const inBank = Array.from({ length: memory.banks }, (): number[] => []);
      for (const cell of map.cells) {
        const found = wordBitOfCell(memory, cellAt(map.geometry, cell));
        if (!found || found.bit >= bits) continue;
        inBank[Math.floor(found.address / wordsPerBank)].push(found.address % wordsPerBank);
      }
      const unitWords = { word: 1, row: memory.columnMux, bank: wordsPerBank }[unit];
      const masked = new Set(
        inBank.flatMap((words, bank) => {
          const bankOf = { words, wordsPerRow: memory.columnMux, spareWords };
          return [...maskUnits(bankOf, unit).masked].map(
            (address) => (bank * wordsPerBank) / unitWords + address,
          );
        }),
      );
      const words = storedWords(network);
      const layerOf = weightLocator(network);
      const changes = [...words.keys()].flatMap((weight) => {
        const address = Math.floor((slotOf(weight) * weightBits) / memory.wordBits);
        if (!masked.has(Math.floor(address / unitWords))) return [];
        const { layer: name, outputChannel } = layerOf(weight);
        const layer = arrayLayers(network).find((one) => one.name === name);
        const zeroPoint = layer && 'zeroPoints' in layer ? layer.zeroPoints[outputChannel] : 0;
        const zero = (zeroPoint & 0xff) ^ (layer ? wordMask(layer) : 0);
        return zero === words[weight] ? [] : [[weight, zero]];
      });
      const parts = hasCode && memory.wordBits === 64 ? [{ use: 'secded' as const }] : [];
      const side = memorySideOf([{ use: 'word-masking', unit, spareWords, metadata }, ...parts], {
        network,
        placement,
      });
      expect(plain(side.patchesOf(map))).toEqual({
        weights: changes.map(([weight]) => weight),
        words: changes.map(([, word]) => word),
      });
      // Nothing of one map is left for the next.
      expect(side.patchesOf(map)).toEqual(side.patchesOf(map));
    },
  );

  property.prop([placedCases(format, extras), masking])(
    'with hardened cells for all bits are never masked',
    ({ placed, map }, parameters) => {
      const bits = Array.from({ length: placed.placement.weightBits }, (_, bit) => bit);
      const parts = [
        { use: 'word-masking' as const, ...parameters },
        { use: 'harden' as const, bits },
      ];
      expect(plain(memorySideOf(parts, placed).patchesOf(map))).toEqual({ weights: [], words: [] });
    },
  );

  // A word that a spare word stands for is right, whichever layer fills it: so none has spare words.
  property.prop([placedCases(format, extras), masking])(
    'of layers that are not protected are read as they are',
    ({ placed, map }, { unit, metadata }) => {
      const { placement, network } = placed;
      const part = { use: 'word-masking' as const, unit, metadata, layers: ['fc2'] };
      const wordOf = (weight: number) =>
        [
          Math.floor((placement.slotOf(weight) * placement.weightBits) / placement.memory.wordBits),
          placement.tileOf(weight),
        ].join();
      const layerOf = weightLocator(network);
      const weights = [...storedWords(network).keys()];
      const isProtected = new Set(
        weights.filter((weight) => layerOf(weight).layer === 'fc2').map(wordOf),
      );
      const changesOf = (parts: Parameters<typeof memorySideOf>[0]) => {
        const patches = memorySideOf(parts, placed).patchesOf(map);
        return [...patches.weights].flatMap((weight, place) =>
          isProtected.has(wordOf(weight)) ? [] : [[weight, patches.words[place]]],
        );
      };
      expect(changesOf([part])).toEqual(changesOf([]));
    },
  );
});
