import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError, multiplyAccumulates, packageRoot } from '../../../core/index.js';
import { layerTiming, parseTopology } from '../../../sim/index.js';

const HEAD =
  'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,';

const cells = fc.record({
  kernel: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  surplus: fc.tuple(fc.nat(20), fc.nat(20)),
  channels: fc.integer({ min: 1, max: 512 }),
  filters: fc.integer({ min: 1, max: 512 }),
  stride: fc.integer({ min: 1, max: 4 }),
});

const blank = fc.constantFrom('', ' ', '\t', '   ');

describe('parseTopology', () => {
  test.prop([
    fc.array(cells, { minLength: 1, maxLength: 5 }),
    blank,
    fc.constantFrom('\n', '\r\n', '\n\n'),
    fc.constantFrom('', ',', ', #a comment'),
  ])('reads what a file says, however it is laid out', (layers, space, newline, end) => {
    const lines = layers.map(({ kernel, surplus, channels, filters, stride }, index) =>
      [
        `conv${index}`,
        kernel[0] + surplus[0],
        kernel[1] + surplus[1],
        ...kernel,
        channels,
        filters,
        stride,
      ].join(`${space},${space}`),
    );
    const text = [HEAD, ...lines.map((line) => line + end)].join(newline);
    const found = parseTopology(text, 'a.csv');
    expect(found.map(({ name }) => name)).toEqual(layers.map((_, index) => `conv${index}`));
    for (const [index, { kernel, surplus, channels, filters, stride }] of layers.entries()) {
      expect(found[index].shape).toEqual({
        input: { channels, height: kernel[0] + surplus[0], width: kernel[1] + surplus[1] },
        output: {
          channels: filters,
          // A last window that does not fit the input counts: SCALE-Sim rounds up.
          height: Math.ceil(surplus[0] / stride) + 1,
          width: Math.ceil(surplus[1] / stride) + 1,
        },
        kernel,
        strides: [stride, stride],
        pads: [0, 0, 0, 0],
        dilations: [1, 1],
        groups: 1,
      });
    }
  });

  test('a second stride, a sparsity of 1:1 and a batch of 1 may stand in further columns', () => {
    const row = 'c, 9, 9, 3, 3, 2, 4, 2,';
    const strides = (head: string, line: string) =>
      parseTopology(`${head}\n${line}`, 'a.csv')[0].shape.strides;
    expect(strides(`${HEAD} Stride Width,`, `${row} 1,`)).toEqual([2, 1]);
    expect(strides(HEAD, `${row} 1,`)).toEqual([2, 1]);
    expect(strides(HEAD, `${row} 1:1,`)).toEqual([2, 2]);
    expect(strides(`${HEAD} Sparsity,`, `${row} 1:1,`)).toEqual([2, 2]);
    expect(strides(`${HEAD} Batch Size,`, `${row} 1,`)).toEqual([2, 2]);
  });

  test.prop([
    fc.integer({ min: 1, max: 99 }),
    fc.integer({ min: 1, max: 99 }),
    fc.integer({ min: 1, max: 99 }),
  ])('a product of an M × K and a K × N matrix', (m, n, k) => {
    const [{ name, shape }] = parseTopology(`Layer, M, N, K,\ngemm, ${m}, ${n}, ${k},`, 'a.csv');
    expect(name).toBe('gemm');
    expect(multiplyAccumulates(shape)).toBe(m * n * k);
    const array = { rows: 4, columns: 3, dataflow: 'output-stationary' } as const;
    expect(layerTiming(shape, array).hardwareCycles).toBe(
      Math.ceil(m / 4) * Math.ceil(n / 3) * (k + 4 + 3 - 2),
    );
  });

  test('a layer with DP in its name is a layer of one channel for each channel', () => {
    const layers = parseTopology(`${HEAD}\nDPconv, 5, 5, 3, 3, 3, 1, 1,`, 'a.csv');
    expect(layers.map(({ name }) => name)).toEqual([
      'DPconvChannel_0',
      'DPconvChannel_1',
      'DPconvChannel_2',
    ]);
    for (const { shape } of layers) expect(shape.input.channels).toBe(1);
  });

  test('VGG-16 for ImageNet, the example', () => {
    const file = join(packageRoot(), 'examples/topologies/vgg16-imagenet.csv');
    const layers = parseTopology(readFileSync(file, 'utf8'), file);
    const operations = layers.reduce((sum, { shape }) => sum + multiplyAccumulates(shape), 0);
    expect(layers.length).toBe(16);
    // 15.3 billion in the convolutions, and 4096 · (25088 + 4096 + 1000).
    expect(operations).toBe(15_346_630_656 + 4096 * (25088 + 4096 + 1000));
  });

  test.each([
    ['', 'a.csv: empty, expected a line of headings.'],
    [HEAD, 'a.csv: no layer, expected one on each line after the headings.'],
    [
      'c, 9, 9, 3, 3, 2, 4, 2,',
      'a.csv:1:4: "9" is a number, expected a line of headings before the layers.',
    ],
    [
      `${HEAD}\n\nc, 9, nine, 3, 3, 2, 4, 2,`,
      'a.csv:3:7: "nine", expected the IFMAP width, a whole number from 1 to 2147483647.',
    ],
    [
      `${HEAD}\nc, 9, 9, 10, 3, 2, 4, 2,`,
      'a.csv:2:10: "10", expected the filter height, a whole number from 1 to 9.',
    ],
    [
      `${HEAD}\nc, 9, 9, 3, 3, 2, 4,`,
      'a.csv:2:19: the line ends after "4", expected the stride, a whole number from 1 to 2147483647.',
    ],
    [`${HEAD}\n, 9, 9, 3, 3, 2, 4, 1,`, 'a.csv:2:1: empty, expected the name of a layer.'],
    [
      `${HEAD}\nc, 9, 9, 3, 3, 2, 4, 1, 2:4,`,
      'a.csv:2:25: "2:4", expected 1:1: sparsity is not simulated.',
    ],
    [
      `${HEAD} Batch Size,\nc, 9, 9, 3, 3, 2, 4, 1, 8,`,
      'a.csv:2:25: "8", expected 1: layers are timed for one image.',
    ],
    [
      'Layer, M, N, K,\ng, 0, 1, 1,',
      'a.csv:2:4: "0", expected the M, a whole number from 1 to 2147483647.',
    ],
    [
      'Layer, M, N, K,\ng, 999999999, 999999999, 9,',
      'a.csv:2:1: "g" has more than 2^53 multiply-accumulates, expected a smaller layer.',
    ],
  ])('refuses %j', (text, message) => {
    expect(() => parseTopology(text, 'a.csv')).toThrow(new InputError(message));
  });

  const pieces = fc.constantFrom(
    ...[
      HEAD,
      'Layer,M,N,K',
      '\n',
      ',',
      ' ',
      '#',
      '1',
      '0',
      '-3',
      '3.5',
      'c',
      'DP',
      '1:1',
      '\u0000',
    ],
  );
  test.prop([
    fc.oneof(
      fc.string(),
      fc.array(pieces).map((parts) => parts.join('')),
    ),
  ])('any text is read, or refused with a place', (text) => {
    try {
      expect(parseTopology(text, 'a.csv').length).toBeGreaterThan(0);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message).toMatch(/^a\.csv(:\d+:\d+)?: .*expected/);
    }
  });
});
