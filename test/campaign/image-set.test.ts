import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { decodeImageSet, encodeImageSet } from '../../campaign/trial/sample-set.js';

test.prop([fc.uniqueArray(fc.nat(199)), fc.integer({ min: 200, max: 210 })])(
  'a set of images is read back as it was written, in a digit for each four',
  (places, length) => {
    const text = encodeImageSet(places, length);
    expect(text).toMatch(/^[0-9a-f]+$/);
    expect(text.length).toBe(Math.ceil(length / 4));
    expect(decodeImageSet(text)).toEqual(places.toSorted((a, b) => a - b));
  },
);
