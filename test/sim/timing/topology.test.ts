import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError, multiplyAccumulates, packageRoot } from '../../../core/index.js';
import { BANDWIDTH_MODELS, layerTiming, parseTopology } from '../../../sim/index.js';
import { systolicArrays } from '../../../testing/index.js';

const HEAD =
  'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,';

const cells = fc.record({
  kernel: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
  surplus: fc.tuple(fc.nat(20), fc.nat(20)),
  channels: fc.integer({ min: 1, max: 512 }),
  filters: fc.integer({ min: 1, max: 512 }),
  stride: fc.integer({ min: 1, max: 4 }),
});

const small = fc.integer({ min: 1, max: 6 });

/** What one group of a grouped layer has. */
const group = { channels: small, filters: small, stride: fc.integer({ min: 1, max: 4 }) };

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

  test('a heading over an empty column, and targets as upstream puts them, are read', () => {
    const text = [
      `${HEAD}, Target`,
      'a, 9, 9, 3, 3, 2, 4, 2, NPU',
      'b, 9, 9, 3, 3, 2, 4, 2,, GPU,',
    ];
    const plain = [HEAD, 'a, 9, 9, 3, 3, 2, 4, 2,', 'b, 9, 9, 3, 3, 2, 4, 2,'];
    expect(parseTopology(text.join('\n'), 'a.csv')).toEqual(
      parseTopology(plain.join('\n'), 'a.csv'),
    );
  });

  test('where sparsity is off, ratios mean nothing', () => {
    const text = `${HEAD} Sparsity,\nc, 9, 9, 3, 3, 2, 4, 2, 2:4,`;
    const dense = parseTopology(text.replace('2:4', '1:1'), 'a.csv');
    expect(parseTopology(text, 'a.csv', { sparsityIsOff: true })).toEqual(dense);
  });

  test.prop([
    fc.array(cells, { minLength: 1, maxLength: 5 }),
    fc.infiniteStream(fc.constantFrom('', ',,,,,,,,', ' , ,', '# a note, with commas', ',,#')),
    fc.shuffledSubarray([
      ['Stride Width', 'stride'],
      ['Groups', '1'],
      ['Sparsity', '1:1'],
      ['Batch', '1'],
      ['Target', 'NPU'],
    ] as const),
  ])('blank lines and neutral columns change nothing', (layers, blanks, further) => {
    const rows = layers.map(({ kernel, channels, filters, stride }, index) => ({
      text: `c${index}, 30, 30, ${kernel.join()}, ${channels}, ${filters}, ${stride}`,
      stride,
    }));
    const plain = [HEAD, ...rows.map(({ text }) => text)].join('\n');
    const lines = [
      [HEAD.slice(0, -1), ...further.map(([name]) => name)].join(),
      ...rows.map(({ text, stride }) =>
        [text, ...further.map(([, value]) => (value === 'stride' ? stride : value))].join(),
      ),
    ];
    const spread = lines.flatMap((line) => [blanks.next().value, line, blanks.next().value]);
    expect(parseTopology(spread.join('\n'), 'a.csv')).toEqual(parseTopology(plain, 'a.csv'));
  });

  test.prop([
    fc.record({ ...group, groups: fc.integer({ min: 1, max: 8 }) }),
    systolicArrays(),
    fc.constantFrom(undefined, ...BANDWIDTH_MODELS),
  ])('a grouped layer is the sum of its products', ({ groups, ...one }, array, model) => {
    const line = (count: number) =>
      `c, 9, 9, 3, 3, ${count * one.channels}, ${count * one.filters}, ${one.stride}, ${count},`;
    const [grouped, single] = [groups, 1].map((count) => {
      const [{ shape }] = parseTopology(`${HEAD} Groups,\n${line(count)}`, 'a.csv');
      const ports = { input: 2, weights: 3, output: 1 };
      const buffers = { input: 64, weights: 64, output: 64 };
      return layerTiming(shape, array, model && { model, bandwidth: ports, buffers });
    });
    if (model !== 'double-buffer') {
      expect(grouped.totalCycles).toBe(groups * single.totalCycles);
      expect(grouped.stallCycles).toBe(groups * single.stallCycles);
    }
    expect(grouped.computeCycles).toBe(groups * single.computeCycles);
    expect(grouped.sram.inputReads).toBe(groups * single.sram.inputReads);
  });

  test('a depth-wise layer is as many groups as channels', () => {
    const [{ shape }] = parseTopology(`${HEAD} Groups\nc, 9, 9, 3, 3, 32, 32, 1, 32`, 'a.csv');
    const layers = parseTopology(`${HEAD}\nDP, 9, 9, 3, 3, 32, 1, 1`, 'a.csv');
    const array = { rows: 4, columns: 4, dataflow: 'weight-stationary' } as const;
    const total = layers.reduce((sum, { shape }) => sum + layerTiming(shape, array).totalCycles, 0);
    expect(layerTiming(shape, array).totalCycles).toBe(total);
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
      `${HEAD} Padding,\nc, 9, 9, 3, 3, 2, 4, 1, 0,`,
      'a.csv:1:100: column "Padding" is not read, expected Stride Width, Sparsity, Batch, Groups, Target or nothing after Strides.',
    ],
    [
      `${HEAD} Group Count,\nc, 9, 9, 3, 3, 2, 4, 1, 0,`,
      'a.csv:1:100: column "Group Count" is not read, expected Stride Width, Sparsity, Batch, Groups, Target or nothing after Strides.',
    ],
    [
      `${HEAD} Groups, Groups\nc, 9, 9, 3, 3, 2, 4, 1, 1,`,
      'a.csv:1:108: "Groups", expected each column once.',
    ],
    [
      `${HEAD.replace('Channels', 'Groups, Channels')}\nc, 9, 9, 3, 3, 2, 4, 1, 1,`,
      'a.csv:1:69: column "Groups", expected Channels: columns are read in the order Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides.',
    ],
    [
      `${HEAD.replace('Strides', 'Padding')}\nc, 9, 9, 3, 3, 2, 4, 1,`,
      'a.csv:1:91: column "Padding", expected Strides: columns are read in the order Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides.',
    ],
    [
      'Layer, M, K, N,\ng, 1, 1, 1,',
      'a.csv:1:11: column "K", expected N: columns are read in the order Layer, M, N, K.',
    ],
    [
      'Layer, M, N, K, Groups\ng, 1, 1, 1, 1',
      'a.csv:1:17: column "Groups" is not read, expected Sparsity, Batch, Target or nothing after K.',
    ],
    [
      `${HEAD} Groups,\nc, 9, 9, 3, 3, 2, 4, 1, 4,`,
      'a.csv:2:25: "4", expected a number of groups that divides 2 channels and 4 filters.',
    ],
    [
      `${HEAD} Groups,\nDPc, 9, 9, 3, 3, 2, 4, 1, 2,`,
      'a.csv:2:27: "2", expected 1 group: DP in the name of the layer makes each channel a layer already.',
    ],
    [
      `${HEAD}\nc, 9, 9, 3, 3, 2, 4, 1, NPU,`,
      'a.csv:2:25: "NPU" stands in a column without a heading, expected a heading above it.',
    ],
    [
      `${HEAD}\nc, 9, 9, 3, 3, 2, 4, 1, 1, 8,`,
      'a.csv:2:28: "8" stands in a column without a heading, expected a heading above it.',
    ],
    [
      'Layer, M, N, K,\ng, 1, 1, 1, 8,',
      'a.csv:2:13: "8", expected 1: layers are timed for one image.',
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
      'Groups',
      'Padding',
      'Target',
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
