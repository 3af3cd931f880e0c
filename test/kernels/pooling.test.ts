import fc from 'fast-check';
import { expect, test } from 'vitest';
import { featureCount, type PoolingShape } from '../../core/index.js';
import type { KernelBackend } from '../../kernels/index.js';
import { imageCount, poolingShape } from './arbitraries.js';
import { describeBackends, fastBackends, reference } from './support.js';

function pool(
  backend: KernelBackend,
  shape: PoolingShape,
  values: Uint8Array | Float32Array,
  images: number,
): readonly number[] {
  const allocate = values instanceof Uint8Array ? backend.allocateUint8 : backend.allocateFloat32;
  const input = allocate(values.length);
  const output = allocate(images * featureCount(shape.output));
  input.set(values);
  backend.maxPool(shape, input, output, images);
  return [...output];
}

const shape: PoolingShape = {
  input: { channels: 2, height: 2, width: 3 },
  output: { channels: 2, height: 1, width: 2 },
  kernel: [2, 2],
  strides: [2, 2],
  pads: [0, 1, 0, 0],
};

describeBackends('max pooling', (backend) => {
  test('a case computed by hand: padding never wins', () => {
    const values = [-1, 9, -2, 8, -3, 7, -4, 6, -5, 5, -6, 4];
    expect(pool(backend, shape, Float32Array.from(values), 1)).toEqual([-1, 9, -2, 8]);
    const bytes = values.map((value) => Math.abs(value));
    expect(pool(backend, shape, Uint8Array.from(bytes), 1)).toEqual([4, 9, 6, 8]);
  });

  test('a NaN reaches exactly the windows that hold it; +0 is larger than -0', () => {
    const values = [0, -0, 0, 0, 0, 0, 0, -0, -Infinity, NaN, 0, 0];
    expect(pool(backend, shape, Float32Array.from(values), 1)).toEqual([0, -0, 0, NaN]);
  });
});

test('every backend equals the reference to the bit', () => {
  const special = fc.constantFrom(NaN, Infinity, -Infinity, 0, -0);
  const float32 = fc.oneof(fc.float(), { arbitrary: special, weight: 1 });
  fc.assert(
    fc.property(poolingShape, imageCount, fc.infiniteStream(float32), (shape, images, stream) => {
      const values = Float32Array.from(
        { length: images * featureCount(shape.input) },
        () => stream.next().value,
      );
      const bytes = new Uint8Array(values.buffer, 0, values.length);
      const expected = [values, bytes].map((given) => pool(reference, shape, given, images));
      for (const backend of fastBackends) {
        const pooled = [values, bytes].map((given) => pool(backend, shape, given, images));
        expect(pooled, backend.name).toEqual(expected);
      }
    }),
    { numRuns: 100 },
  );
});
