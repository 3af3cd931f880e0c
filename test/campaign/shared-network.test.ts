import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { shareNetwork } from '../../campaign/inputs/shared-network.js';
import { type Int8Network, isOnArray } from '../../models/index.js';
import { storedWords } from '../../sim/index.js';
import { int8Networks } from '../../testing/index.js';

test.prop([int8Networks(), fc.boolean()], { numRuns: 20 })(
  'threads share the words that the cells hold, uint8 ones too',
  (drawn, unsigned) => {
    const layers = drawn.layers.map((layer) =>
      isOnArray(layer) && unsigned ? { ...layer, unsignedWeights: true as const } : layer,
    );
    const network: Int8Network = { ...drawn, layers };
    const shared = shareNetwork(network);
    expect(shared.words).toEqual(storedWords(network));
    expect(shared.words.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(storedWords(shared.network as Int8Network)).toEqual(shared.words);
  },
);
