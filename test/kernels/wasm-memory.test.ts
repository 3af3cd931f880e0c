import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featureCount, fullyConnectedShape } from '../../core/index.js';
import { createWasmBackend, wasmBytesNeeded } from '../../kernels/index.js';
import { float32Case, int8Case } from './arbitraries.js';
import { kernels } from './support.js';

const MEBIBYTE = 2 ** 20;

describe('wasmBytesNeeded', () => {
  test('is exactly what the convolutions and tensors take', () => {
    const property = fc.property(int8Case, float32Case, (integer, real) => {
      const images = Math.max(integer.images, real.images);
      const cases = [
        { shape: integer.specification.shape, format: 'int8' },
        { shape: real.specification.shape, format: 'float32' },
      ] as const;
      const lengths = cases.map(({ shape }) => featureCount(shape.output));
      const bytes = wasmBytesNeeded({
        convolutions: cases,
        tensors: [
          { format: 'uint8', length: lengths[0] },
          { format: 'float32', length: lengths[1] },
        ],
        images,
      });
      const allocateAll = (size: number): void => {
        const backend = createWasmBackend(kernels, size);
        backend.int8Convolution(integer.specification);
        backend.float32Convolution(real.specification);
        backend.allocateUint8(images * lengths[0]);
        backend.allocateFloat32(images * lengths[1]);
      };
      allocateAll(bytes);
      expect(() => allocateAll(bytes - 1)).toThrow(/ bytes is full: 1 more bytes are needed/);
    });
    fc.assert(property, { numRuns: 5 });
  });

  test('a fully connected layer takes 1 byte a weight in int8 and 4 in float32, plus a little', () => {
    const shape = fullyConnectedShape(4096, 4096);
    const needs = { tensors: [], images: 1 };
    const base = wasmBytesNeeded({ ...needs, convolutions: [] });
    for (const [format, bytes] of [
      ['int8', 1],
      ['float32', 4],
    ] as const) {
      const weights = bytes * 4096 * 4096;
      const total = wasmBytesNeeded({ ...needs, convolutions: [{ shape, format }] }) - base;
      expect(total).toBeGreaterThanOrEqual(weights);
      expect(total).toBeLessThan(weights + MEBIBYTE);
    }
    expect(base).toBeLessThan(6 * MEBIBYTE);
  });

  test('a window too wide for the blocks is refused', () => {
    const convolutions = [{ shape: fullyConnectedShape(300_000, 10), format: 'int8' }] as const;
    expect(() => wasmBytesNeeded({ convolutions, tensors: [], images: 1 })).toThrow(
      'A convolution with a window of 300000 values and 10 output channels needs 600000 bytes per output position; at most 524288 are supported.',
    );
  });
});

describe('createWasmBackend', () => {
  test('names a memory that cannot be', () => {
    expect(() => createWasmBackend(kernels, 2 ** 33)).toThrow(
      'The kernels cannot have a memory of 8589934592 bytes; the most is 4294967296: use fewer images.',
    );
  });

  test('a memory that is too small says how much is missing', () => {
    const bytes = wasmBytesNeeded({
      convolutions: [],
      tensors: [{ format: 'uint8', length: 64 }],
      images: 1,
    });
    const backend = createWasmBackend(kernels, bytes);
    backend.allocateUint8(60);
    expect(() => backend.allocateFloat32(17)).toThrow(
      `The kernels' memory of ${bytes} bytes is full: 128 more bytes are needed; size it with wasmBytesNeeded.`,
    );
  });

  test('tensors do not overlap', () => {
    const backend = createWasmBackend(kernels, 8 * MEBIBYTE);
    const first = backend.allocateUint8(65).fill(1);
    const second = backend.allocateFloat32(3).fill(2);
    const third = backend.allocateUint8(1).fill(3);
    expect([first.every((x) => x === 1), second.every((x) => x === 2), third[0]]).toEqual([
      true,
      true,
      3,
    ]);
  });
});
