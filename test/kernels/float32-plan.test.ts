import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConvolutionShape, fullyConnectedShape, weightCount } from '../../core/index.js';
import { planFloat32Convolution, tapsInside, winogradTiles } from '../../kernels/index.js';
import { forEachPosition, forEachTap } from '../../kernels/reference/window.js';
import { convolutionShape, fastFloat32Shape, sameConvolution } from './arbitraries.js';

const anyShape = fc.oneof(convolutionShape, fastFloat32Shape);

describe('planFloat32Convolution', () => {
  test('VGG-16 on 32×32 images', () => {
    const layers: [inputs: number, outputs: number, size: number][] = [
      [3, 64, 32],
      [64, 64, 32],
      [64, 128, 16],
      [128, 128, 16],
      [128, 256, 8],
      [256, 256, 8],
      [256, 512, 4],
      [512, 512, 4],
      [512, 512, 2],
    ];
    const plans = layers.map(([inputs, outputs, size]) =>
      planFloat32Convolution(sameConvolution(inputs, outputs, size)),
    );
    expect(
      plans.map(({ algorithm, products, weightBytes }) => [algorithm, products, weightBytes]),
    ).toEqual([
      ['direct', 32 * 32 * 9 * 3 * 64, 4 * 9 * 3 * 64],
      ['winograd-4x4', 64 * 36 * 64 * 64, 4 * 45 * 64 * 64],
      ['winograd-4x4', 16 * 36 * 64 * 128, 4 * 45 * 64 * 128],
      ['winograd-4x4', 16 * 36 * 128 * 128, 4 * 45 * 128 * 128],
      ['winograd-4x4', 4 * 36 * 128 * 256, 4 * 45 * 128 * 256],
      ['winograd-4x4', 4 * 36 * 256 * 256, 4 * 45 * 256 * 256],
      ['winograd-4x4', 36 * 256 * 512, 4 * 45 * 256 * 512],
      // 36 elements of 512 × 512 weights would be 38 MB.
      ['winograd-2x2', 4 * 16 * 512 * 512, 4 * 25 * 512 * 512],
      // Of 9 taps 4 lie inside.
      ['direct-inside', 4 * 4 * 512 * 512, 4 * 9 * 512 * 512],
    ]);
  });

  test.each<[string, Partial<ConvolutionShape>]>([
    ['strided', { strides: [2, 2], output: { channels: 64, height: 8, width: 8 } }],
    ['dilated', { dilations: [2, 2], pads: [2, 2, 2, 2] }],
    ['grouped', { groups: 4 }],
    ['5×5', { kernel: [5, 5], pads: [2, 2, 2, 2] }],
    ['of 1,000 output channels', { output: { channels: 1000, height: 16, width: 16 } }],
  ])('a convolution that is %s is direct', (_what, change) => {
    const shape = { ...sameConvolution(64, 64, 16), ...change };
    expect(planFloat32Convolution(shape).algorithm).toBe('direct');
  });

  test('a fully connected layer is direct', () => {
    expect(planFloat32Convolution(fullyConnectedShape(4096, 4096)).algorithm).toBe('direct');
  });

  test('a plan is plain data', () => {
    fc.assert(
      fc.property(anyShape, (shape) => {
        const plan = planFloat32Convolution(shape);
        expect(planFloat32Convolution(structuredClone(shape))).toEqual(plan);
        expect(structuredClone(plan)).toEqual(plan);
      }),
      { numRuns: 30 },
    );
  });

  test('the products of a direct algorithm are those of its sums', () => {
    fc.assert(
      fc.property(anyShape, (shape) => {
        const { algorithm, products } = planFloat32Convolution(shape);
        fc.pre(algorithm === 'direct' || algorithm === 'direct-inside');
        const { channels } = shape.output;
        let count = 0;
        forEachPosition(shape, 1, (_row, _image, y, x) => {
          forEachTap(shape, 0, y, x, (input) => {
            if (input >= 0 || algorithm === 'direct') count += channels;
          });
        });
        expect(products).toBe(count);
      }),
      { numRuns: 60 },
    );
  });

  test('the tiles of a Winograd algorithm cover the outputs, and no row or column is superfluous', () => {
    fc.assert(
      fc.property(fastFloat32Shape, (shape) => {
        const plan = planFloat32Convolution(shape);
        const tiles = winogradTiles(plan);
        fc.pre(tiles !== undefined);
        const { outputs, rows, columns, elements } = tiles;
        const { height, width } = shape.output;
        expect(rows * outputs - height).toBeLessThan(outputs);
        expect(columns * outputs - width).toBeLessThan(outputs);
        expect(rows * outputs).toBeGreaterThanOrEqual(height);
        expect(columns * outputs).toBeGreaterThanOrEqual(width);
        expect(plan.products).toBe((rows * columns * elements * weightCount(shape)) / 9);
      }),
      { numRuns: 60 },
    );
  });
});

test('tapsInside are the taps that forEachTap finds inside', () => {
  fc.assert(
    fc.property(convolutionShape, (shape) => {
      const [kernelHeight, kernelWidth] = shape.kernel;
      forEachPosition(shape, 1, (_row, _image, y, x) => {
        const expected: number[] = [];
        forEachTap(shape, 0, y, x, (input, weight) => {
          if (input >= 0 && weight < kernelHeight * kernelWidth) expected.push(weight);
        });
        const [firstY, endY] = tapsInside(shape, 0, y);
        const [firstX, endX] = tapsInside(shape, 1, x);
        const found: number[] = [];
        for (let ky = firstY; ky < endY; ky++) {
          for (let kx = firstX; kx < endX; kx++) found.push(ky * kernelWidth + kx);
        }
        expect(found).toEqual(expected);
      });
    }),
    { numRuns: 60 },
  );
});
