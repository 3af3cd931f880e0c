import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featureCount } from '../../core/index.js';
import { flatten, quantizeImages, quantizeUint8, requantize } from '../../kernels/index.js';

/** Round half to even by the float64 adder: above 2^52 only integers exist. */
function roundByAdder(value: number): number {
  const shift = 1.5 * 2 ** 52;
  return Math.abs(value) < 2 ** 51 ? value + shift - shift : value;
}

function saturate(value: number): number {
  return Uint8ClampedArray.of(value)[0];
}

const zeroPoint = fc.nat({ max: 255 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

describe('requantize', () => {
  test('rounds halves to even, before the zero point is added', () => {
    const rounded = [-3, -1, 1, 3, 5].map((odd) => requantize(odd, 0.5, 101, 0, 255));
    expect(rounded).toEqual([99, 101, 101, 103, 103]);
  });

  test('rounds the accumulator and the product to float32', () => {
    // In float32, 2^24 + 1 is 2^24: the tie 1/2. 2^24 + 3 is 2^24 + 4: above the tie.
    expect(requantize(2 ** 24 + 1, 2 ** -25, 0, 0, 255)).toBe(0);
    expect(requantize(2 ** 24 + 3, 2 ** -25, 0, 0, 255)).toBe(1);
    // Three times float32's 1/6 is 0.5000000149, in float32 the tie 1/2.
    expect(requantize(3, Math.fround(1 / 6), 0, 0, 255)).toBe(0);
  });

  test('agrees with rounding by the float64 adder', () => {
    fc.assert(
      fc.property(
        int32,
        fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }),
        zeroPoint,
        (accumulator, multiplier, zero) => {
          const product = Float32Array.of(Float32Array.of(accumulator)[0] * multiplier)[0];
          expect(requantize(accumulator, multiplier, zero, 0, 255)).toBe(
            saturate(roundByAdder(product) + zero),
          );
        },
      ),
    );
  });

  test('stays within its bounds', () => {
    fc.assert(
      fc.property(
        int32,
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        zeroPoint,
        zeroPoint,
        (accumulator, multiplier, a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          const value = requantize(accumulator, multiplier, a, low, high);
          expect(value >= low && value <= high && Number.isInteger(value)).toBe(true);
        },
      ),
    );
  });
});

describe('quantizeUint8', () => {
  test('rounds halves to even and saturates', () => {
    const values = [-Infinity, -1000, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1000, Infinity, NaN];
    const quantized = values.map((value) => quantizeUint8(value, 0.5, 10));
    expect(quantized).toEqual([0, 0, 8, 8, 10, 10, 12, 12, 255, 255, 0]);
  });

  test('divides in float32', () => {
    // The float32 numbers next to 0.35 and 0.1 have the quotient 3.4999998…, in float32 the tie 3.5.
    expect(quantizeUint8(Math.fround(0.35), Math.fround(0.1), 0)).toBe(4);
    // Those next to 0.85 and 0.1 have 8.5000001…, in float32 the tie 8.5.
    expect(quantizeUint8(Math.fround(0.85), Math.fround(0.1), 0)).toBe(8);
  });

  test('is within half a step of the value it stores, and never decreases', () => {
    const scale = fc.float({ min: Math.fround(1e-3), max: 1, noNaN: true });
    const fraction = fc.double({ min: 0, max: 255, noNaN: true });
    fc.assert(
      fc.property(scale, zeroPoint, fraction, fraction, (step, zero, a, b) => {
        const [x, y] = [Math.min(a, b), Math.max(a, b)].map((at) =>
          Math.fround((at - zero) * step),
        );
        const quantized = quantizeUint8(x, step, zero);
        expect(Math.abs((quantized - zero) * step - x)).toBeLessThanOrEqual(0.5001 * step);
        expect(quantized).toBeLessThanOrEqual(quantizeUint8(y, step, zero));
      }),
    );
  });
});

test('flatten moves (y, x, channel) to (channel, y, x) in every image', () => {
  const size = fc.integer({ min: 1, max: 6 });
  const shapes = fc.record({ channels: size, height: size, width: size });
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 3 }), (shape, images) => {
      const { channels, height, width } = shape;
      const length = featureCount(shape);
      const input = Float32Array.from({ length: images * length }, (_, i) => i);
      const output = new Float32Array(images * length);
      flatten(shape, input, output, images);
      for (let image = 0; image < images; image++) {
        for (let c = 0; c < channels; c++) {
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              expect(output[image * length + (c * height + y) * width + x]).toBe(
                image * length + (y * width + x) * channels + c,
              );
            }
          }
        }
      }
    }),
    { numRuns: 30 },
  );
});

describe('quantizeImages', () => {
  const special = fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 3e38, 1e-45);
  const value = fc.oneof(fc.float(), fc.float({ min: -300, max: 300 }), special);

  test('is quantizeUint8 of each value, with the channels innermost', () => {
    const scale = fc.float({ min: Math.fround(1e-3), max: 8, noNaN: true });
    const sizes = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }));
    fc.assert(
      fc.property(
        sizes,
        fc.array(value, { minLength: 24, maxLength: 24 }),
        scale,
        zeroPoint,
        ([channels, height], values, step, zero) => {
          const shape = { channels, height, width: 1 };
          const images = Math.floor(values.length / (channels * height));
          const input = Float32Array.from(values);
          const output = new Uint8Array(values.length);
          quantizeImages(shape, { scale: step, zeroPoint: zero }, input, output, images);
          for (let place = 0; place < images * channels * height; place++) {
            const channel = place % channels;
            const y = Math.floor(place / channels) % height;
            const image = Math.floor(place / (channels * height));
            const source = (image * channels + channel) * height + y;
            expect(output[place]).toBe(quantizeUint8(input[source], step, zero));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('halves go to the even value', () => {
    const output = new Uint8Array(4);
    const shape = { channels: 1, height: 1, width: 4 };
    const input = Float32Array.of(0.5, 1.5, -0.5, 2.5);
    quantizeImages(shape, { scale: 1, zeroPoint: 7 }, input, output, 1);
    expect([...output]).toEqual([7, 9, 7, 9]);
  });
});
