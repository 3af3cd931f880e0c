import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConvolutionShape, featureCount, fullyConnectedShape } from '../../core/index.js';
import {
  createFaultySumsRunner,
  type FaultySumsKernel,
  type FaultySumsSpecification,
  planFloat32Convolution,
  referenceFaultySums,
  type SumSteps,
} from '../../kernels/index.js';
import { float32Case, int8Case } from './arbitraries.js';
import { faultySumsCase } from './faulty-sums-arbitraries.js';
import { kernels, reference, runFloat32, runInt8, wasm } from './support.js';

const runner = createFaultySumsRunner(kernels);

const CANONICAL_NAN = 0x7fc00000;

/** Bits of sums; a NaN has only one value. */
function bitsOf(sums: Int32Array | Float32Array): Int32Array {
  if (sums instanceof Int32Array) return sums;
  return new Int32Array(sums.slice().buffer).map((bits, index) =>
    Number.isNaN(sums[index]) ? CANONICAL_NAN : bits,
  );
}

function allBits({ sums }: FaultySumsKernel): Int32Array[][] {
  return sums.map((parts) => parts.map(bitsOf));
}

const MAKERS = [
  ['reference', referenceFaultySums],
  ['wasm', (specification: FaultySumsSpecification) => runner.prepare([specification])[0]],
] as const;

type Bits = readonly [and: number, or: number, xor: number];

const SOUND: Bits = [0xffffffff, 0, 0];

/** Steps at places, each with the masks of its product and of its sum. */
function stepsAt(steps: readonly { at: number; product?: Bits; sum?: Bits }[]): SumSteps {
  const masks = (which: 'product' | 'sum') => {
    const [and, or, xor] = [0, 1, 2].map((index) =>
      Uint32Array.from(steps, (step) => (step[which] ?? SOUND)[index]),
    );
    return { and, or, xor };
  };
  return {
    at: Uint32Array.from(steps, ({ at }) => at),
    product: masks('product'),
    sum: masks('sum'),
  };
}

/** All outputs of a convolution in one part. */
function wholeLayer(
  shape: ConvolutionShape,
  bias: Int32Array | Float32Array,
  weights: Int16Array | Float32Array,
  { steps = stepsAt([]), inputZeroPoint = 0 } = {},
): FaultySumsSpecification {
  const { channels, height, width } = shape.output;
  const count = channels / shape.groups;
  const length = weights.length / shape.groups;
  return {
    format: bias instanceof Int32Array ? 'int8' : 'float32',
    shape,
    inputZeroPoint,
    bias,
    groups: [
      {
        positions: Uint32Array.from({ length: height * width }, (_, position) => position),
        parts: Array.from({ length: shape.groups }, (_, group) => ({
          channels: Uint32Array.from({ length: count }, (_, index) => group * count + index),
          weights: weights.slice(group * length, (group + 1) * length),
          steps,
        })),
      },
    ],
  };
}

/** Sums of a whole layer as [image and position][channel]. */
function joined({ sums: [parts] }: FaultySumsKernel, shape: ConvolutionShape): number[] {
  const count = shape.output.channels / shape.groups;
  const rows = parts[0].length / count;
  return Array.from({ length: rows }, (_, row) =>
    parts.flatMap((part) => [...part.subarray(row * count, (row + 1) * count)]),
  ).flat();
}

describe.each(['int8', 'float32'] as const)('sums of faulty registers, %s', (format) => {
  test('WebAssembly equals the reference to the bit', () => {
    fc.assert(
      fc.property(faultySumsCase(format), ({ specification, input, images }) => {
        const slow = referenceFaultySums(specification);
        const [fast] = runner.prepare([specification]);
        slow.run(input, images);
        fast.run(input, images);
        expect(allBits(fast)).toEqual(allBits(slow));
      }),
      { numRuns: 1000 },
    );
  });

  test('kernels that were prepared together do not disturb one another, in any order of runs', () => {
    const cases = fc.array(faultySumsCase(format), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(cases, (layers) => {
        const fast = runner.prepare(layers.map(({ specification }) => specification));
        const order = [...fast.keys(), ...[...fast.keys()].reverse()];
        for (const layer of order) fast[layer].run(layers[layer].input, layers[layer].images);
        for (const [layer, { specification, input, images }] of layers.entries()) {
          const slow = referenceFaultySums(specification);
          slow.run(input, images);
          expect(allBits(fast[layer])).toEqual(allBits(slow));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('images do not depend on the batch, nor on how many are gathered together', () => {
    const isInt8 = format === 'int8';
    const shape: ConvolutionShape = {
      ...fullyConnectedShape(1, 1),
      input: { channels: 1, height: 600, width: 600 },
      output: { channels: 1, height: 2, width: 2 },
      kernel: [2, 2],
      strides: [598, 598],
    };
    const one = Uint32Array.of(0);
    const specification: FaultySumsSpecification = {
      format,
      shape,
      inputZeroPoint: 0,
      bias: isInt8 ? Int32Array.of(5) : Float32Array.of(5),
      groups: [
        {
          positions: Uint32Array.of(1, 3),
          parts: [
            {
              channels: one,
              weights: isInt8 ? Int16Array.of(1, -2, 3, -4) : Float32Array.of(1, -2, 3, -4),
              steps: stepsAt([{ at: 2, sum: [0xffffffff, 0, 1] }]),
            },
          ],
        },
      ],
    };
    const images = 14;
    const length = featureCount(shape.input);
    const values = (_: unknown, index: number) => (index * 7 + Math.floor(index / length)) % 256;
    const input = isInt8
      ? Uint8Array.from({ length: images * length }, values)
      : Float32Array.from({ length: images * length }, values);
    const [kernel] = runner.prepare([specification]);
    const single = Array.from({ length: images }, (_, image) => {
      kernel.run(input.subarray(image * length), 1);
      return [...kernel.sums[0][0]];
    });
    kernel.run(input, images);
    expect([...kernel.sums[0][0]]).toEqual(single.flat());
    expect(new Set(single.map(String)).size).toBeGreaterThan(1);
  });
});

describe.each(MAKERS)('sums of faulty registers, %s', (_name, make) => {
  test('masks act where the definition says, in int8', () => {
    const shape = fullyConnectedShape(5, 1);
    const steps = stepsAt([
      { at: 1, product: [0xffffffff, 1, 0] },
      { at: 2, product: [0xffffffff, 0, 4], sum: [~8 >>> 0, 0, 0] },
      { at: 4, sum: [0xffffffff, 0, 0x80000000] },
    ]);
    const weights = Int16Array.of(2, 2, 2, 2, 2);
    const kernel = make(
      wholeLayer(shape, Int32Array.of(100), weights, { steps, inputZeroPoint: 10 }),
    );
    kernel.run(Uint8Array.of(11, 12, 13, 14, 15), 1);
    // 100 + 2; + (4 | 1); + (6 ^ 4) = 109, of which bit 3 (8) is cleared: 101; + 8; + 10 = 119, its sign flipped.
    expect([...kernel.sums[0][0]]).toEqual([119 - 2 ** 31]);
  });

  test('int8 sums wrap', () => {
    const shape = fullyConnectedShape(1, 1);
    const kernel = make(wholeLayer(shape, Int32Array.of(2 ** 31 - 1), Int16Array.of(1)));
    kernel.run(Uint8Array.of(3), 1);
    expect([...kernel.sums[0][0]]).toEqual([-(2 ** 31) + 2]);
  });

  test('a NaN passes masks as 0x7fc00000, whatever its sign, in products and in sums', () => {
    const clearQuiet: Bits = [~0x00400000 >>> 0, 0, 0];
    for (const [x, weight, bias] of [
      [Infinity, 0, 1],
      [-Infinity, 0, 1],
      [NaN, 1, 1],
      [1, -NaN, 1],
    ]) {
      const shape = fullyConnectedShape(2, 1);
      for (const step of [{ product: clearQuiet }, { sum: clearQuiet }]) {
        const steps = stepsAt([{ at: 0, ...step }]);
        const weights = Float32Array.of(weight, 1);
        const kernel = make(wholeLayer(shape, Float32Array.of(bias), weights, { steps }));
        kernel.run(Float32Array.of(x, 2), 1);
        expect([...kernel.sums[0][0]]).toEqual([Infinity]);
      }
    }
  });

  test('padding is added: it turns an infinite weight into NaN, and -0 into +0', () => {
    const shape: ConvolutionShape = {
      ...fullyConnectedShape(1, 1),
      kernel: [1, 2],
      pads: [0, 1, 0, 0],
    };
    const sumOf = (weights: number[]) => {
      const kernel = make(wholeLayer(shape, Float32Array.of(-0), Float32Array.from(weights)));
      kernel.run(Float32Array.of(1), 1);
      return kernel.sums[0][0][0];
    };
    expect(sumOf([Infinity, 1])).toBe(NaN);
    expect(sumOf([1, -0])).toBe(0);
    expect(sumOf([-1, -0])).toBe(-0);
  });

  test('without steps they are the accumulators of the int8 convolution', () => {
    const property = fc.property(int8Case, ({ specification, input, images }) => {
      const { shape, weights, weightZeroPoints, bias, inputZeroPoint } = specification;
      const window = weights.length / shape.output.channels;
      const centred = Int16Array.from(
        weights,
        (weight, index) => weight - weightZeroPoints[Math.floor(index / window)],
      );
      const kernel = make(wholeLayer(shape, bias, centred, { inputZeroPoint }));
      kernel.run(input, images);
      const { accumulators } = runInt8(wasm, { specification, input, images, clip: undefined });
      expect(joined(kernel, shape)).toEqual(accumulators);
    });
    fc.assert(property, { numRuns: 30 });
  });

  test('without steps they are the sums of the direct float32 convolution', () => {
    const property = fc.property(float32Case, ({ specification, input, images }) => {
      const { shape, weights, bias } = specification;
      fc.pre(planFloat32Convolution(shape).algorithm === 'direct');
      const [kernelHeight, kernelWidth] = shape.kernel;
      const taps = kernelHeight * kernelWidth;
      const window = weights.length / shape.output.channels;
      const inputs = window / taps;
      // From input channel, ky, kx to ky, kx, input channel.
      const ordered = weights.map((_, index) => {
        const [channel, k] = [Math.floor(index / window), index % window];
        return weights[channel * window + (k % inputs) * taps + Math.floor(k / inputs)];
      });
      const kernel = make(wholeLayer(shape, bias, ordered));
      kernel.run(input, images);
      const run = runFloat32(reference, { specification, input, images, clip: undefined });
      expect(joined(kernel, shape)).toEqual(run.accumulators);
    });
    fc.assert(property, { numRuns: 30 });
  });

  test('an input of the wrong length or format is refused', () => {
    const kernel = make(
      wholeLayer(fullyConnectedShape(2, 1), Int32Array.of(0), Int16Array.of(1, 2)),
    );
    expect(() => kernel.run(Uint8Array.of(1, 2, 3), 2)).toThrow(
      'Faulty sums of 2 images need 4 input values of uint8, but were given 3 of uint8.',
    );
    expect(() => kernel.run(Float32Array.of(1, 2), 1)).toThrow('but were given 2 of float32.');
    expect(() => kernel.run(Uint8Array.of(1, 2), 0.5)).toThrow('The number of images is 0.5;');
  });

  const shape: ConvolutionShape = {
    ...fullyConnectedShape(4, 4),
    input: { channels: 4, height: 2, width: 1 },
    output: { channels: 4, height: 2, width: 1 },
    groups: 2,
  };
  const valid = wholeLayer(shape, new Int32Array(4), new Int16Array(8));
  const [group] = valid.groups;
  const [part] = group.parts;
  const withPart = (change: Partial<typeof part>) => ({
    groups: [{ ...group, parts: [{ ...part, ...change }] }],
  });
  const steps = stepsAt([{ at: 0 }, { at: 1 }]);

  test.each<[Partial<FaultySumsSpecification>, string]>([
    [{ bias: new Int32Array(3) }, 'of 4 channels need a bias for each, as int32 numbers'],
    [{ bias: new Float32Array(4) }, 'need a bias for each, as int32 numbers'],
    [{ format: 'float32' }, 'need a bias for each, as float32 numbers'],
    [{ inputZeroPoint: 256 }, 'zero point of faulty int8 sums is 256; it must lie in 0…255'],
    [
      { format: 'float32', bias: new Float32Array(4), inputZeroPoint: 1 },
      'zero point of faulty float32 sums is 1; it must lie in 0…0',
    ],
    [{ shape: { ...shape, groups: 3 } }, 'cannot have 3 groups'],
    [{ groups: [{ ...group, positions: Uint32Array.of(2) }] }, 'name output position 2 of 2'],
    [
      { groups: [{ ...group, positions: Uint32Array.of(1, 1) }] },
      'must be in ascending order, but output position 1 follows 1',
    ],
    [withPart({ channels: Uint32Array.of(1, 4) }), 'name output channel 4 of 4'],
    [withPart({ channels: Uint32Array.of(1, 0) }), 'but output channel 0 follows 1'],
    [withPart({ channels: Uint32Array.of(1, 2) }), 'channels of several groups of its convolution'],
    [withPart({ weights: new Int16Array(3) }), '2 channels and a window of 2 needs 4 weights'],
    [withPart({ weights: new Float32Array(4) }), 'needs 4 weights, as int16 numbers'],
    [withPart({ steps: stepsAt([{ at: 2 }]) }), 'name place in the window 2 of 2'],
    [withPart({ steps: stepsAt([{ at: 1 }, { at: 0 }]) }), 'place in the window 0 follows 1'],
    [withPart({ steps: { ...steps, at: Uint32Array.of(1) } }), 'has 1 steps, but 2 masks'],
    [
      withPart({ steps: { ...steps, sum: { ...steps.sum, xor: new Uint32Array(1) } } }),
      'has 2 steps, but 1 masks',
    ],
  ])('a specification that is not consistent is refused: %#', (change, message) => {
    expect(() => make({ ...valid, ...change })).toThrow(message);
  });

  test('groups, parts and batches without members have no sums', () => {
    const empty = new Uint32Array();
    const kernel = make({
      ...valid,
      groups: [
        { positions: empty, parts: [part] },
        { positions: group.positions, parts: [] },
        { ...group, parts: [{ ...part, channels: empty, weights: new Int16Array() }, part] },
      ],
    });
    kernel.run(new Uint8Array(8), 1);
    expect(kernel.sums.map((parts) => parts.map(({ length }) => length))).toEqual([
      [0],
      [],
      [0, 4],
    ]);
    kernel.run(new Uint8Array(), 0);
    expect(kernel.sums.flat().map(({ length }) => length)).toEqual([0, 0, 0]);
  });
});

test('kernels that others took the place of refuse to run, and keep their last sums', () => {
  const specification = wholeLayer(fullyConnectedShape(1, 1), Int32Array.of(7), Int16Array.of(2));
  const [old] = runner.prepare([specification]);
  old.run(Uint8Array.of(3), 1);
  runner.prepare([specification]);
  expect(() => old.run(Uint8Array.of(3), 1)).toThrow(
    'These faulty sums were replaced by others that were prepared after them: prepare them together.',
  );
  expect([...old.sums[0][0]]).toEqual([13]);
});
