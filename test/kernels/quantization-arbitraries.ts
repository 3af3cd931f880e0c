import fc from 'fast-check';
import type { StoredQuantization } from '../../kernels/index.js';

const byte = fc.nat({ max: 255 });
const zeroPoint = fc.oneof(fc.constantFrom(0, 128, 255), byte);

/** Positive float32 numbers of the size of activation scales. */
const scale = fc.float({ min: Math.fround(1e-4), max: 2, noNaN: true });

/** Ratios of two scales: any, and those that make ties common. */
const ratio = fc.oneof(
  fc.constantFrom(1, 2, 4, 0.5, 0.25, 1 / 3, 3, 1.5, 5, 1 / 7),
  fc.double({ min: 0.02, max: 50, noNaN: true }),
  fc.constantFrom(1e-12, 1e12),
);

/** Quantisations of `inputs` tensors and of what is computed from them, all uint8 or all int8. */
export function quantizations(
  inputs: number,
): fc.Arbitrary<{ inputs: StoredQuantization[]; output: StoredQuantization; signed: boolean }> {
  return fc
    .record({
      scale,
      ratios: fc.array(ratio, { minLength: inputs, maxLength: inputs }),
      zeroPoints: fc.array(zeroPoint, { minLength: inputs + 1, maxLength: inputs + 1 }),
      signed: fc.boolean(),
    })
    .map(({ scale, ratios, zeroPoints, signed }) => ({
      output: { scale, zeroPoint: zeroPoints[inputs], signed },
      inputs: ratios.map((ratio, index) => ({
        scale: Math.fround(scale * ratio),
        zeroPoint: zeroPoints[index],
        signed,
      })),
      signed,
    }));
}

/** `length` stored values, anywhere or at both ends of the range. */
export function storedValues(length: number): fc.Arbitrary<Uint8Array> {
  const lengths = { minLength: length, maxLength: length };
  const ends = fc.array(fc.constantFrom(0, 1, 254, 255), lengths);
  return fc.oneof(
    fc.uint8Array(lengths),
    ends.map((values) => Uint8Array.from(values)),
  );
}
