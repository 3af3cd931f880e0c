import type { Float32Code } from './float32-code.js';

/**
 * MSET (arXiv:2605.07417; rule as in majority.rs of github.com/rezzubs/faultforge): bit 30, the highest of the
 * exponent, is copied to bits 1 and 0; it is read as the majority of the three. Bits 1 and 0 stay as read.
 */
export const mset: Float32Code = {
  name: 'mset',
  write: (word) => ((word & ~3) | (((word >>> 30) & 1) * 3)) >>> 0,
  read(word) {
    const source = word >>> 30;
    const copies = word >>> 1;
    const majority = (source & (word | copies)) | (word & copies);
    return ((word & ~0x40000000) | ((majority & 1) << 30)) >>> 0;
  },
};
