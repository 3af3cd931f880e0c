import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../core/index.js';
import type { ElementType } from '../../models/index.js';
import { createIslandRunner, type FeedSource, islandRuntime } from '../../sim/index.js';
import { loadBinding } from '../../sim/islands/binding.js';
import {
  channelsLast,
  constant,
  int,
  ints,
  islandOf,
  node,
  numbers,
  reference,
  rowMajor,
  text,
} from './islands.js';

const SOURCE = 'net.onnx';

function run(
  island: ReturnType<typeof islandOf>,
  inputs: readonly FeedSource[],
  images: number,
): Float32Array {
  const length = island.fetches
    .map(({ dims }) => dims.reduce((product, size) => product * size, 1))
    .reduce((sum, count) => sum + count, 0);
  const output = new Float32Array(images * length);
  createIslandRunner({ name: 'island', ...island }, { source: SOURCE, inputs, output })(images);
  return output;
}

function f32(name: string, ...dims: number[]) {
  return { name, elementType: 'float32', dims } as const;
}

/** Graphs that are no network that Bitcell simulates, with the sizes of their inputs. */
const GRAPHS: Readonly<Record<string, ReturnType<typeof islandOf>>> = {
  LSTM: islandOf(
    [node('LSTM', ['x', 'w', 'r', 'b'], ['y', 'h'], { hidden_size: int(7) })],
    [f32('x', 16, 1, 10), f32('w', 1, 28, 10), f32('r', 1, 28, 7)],
    [f32('y', 16, 1, 1, 7), f32('h', 1, 1, 7)],
    [constant('b', [1, 56])],
  ),
  ConvTranspose: islandOf(
    [node('ConvTranspose', ['x', 'w'], ['y'], { strides: ints(2, 2), output_padding: ints(1, 1) })],
    [f32('x', 1, 4, 5, 6), f32('w', 4, 3, 3, 3)],
    [f32('y', 1, 3, 12, 14)],
  ),
  Resize: islandOf(
    [
      node('Resize', ['x', '', 's'], ['y'], {
        mode: text('linear'),
        coordinate_transformation_mode: text('align_corners'),
      }),
    ],
    [f32('x', 1, 3, 5, 7)],
    [f32('y', 1, 3, 10, 14)],
    [constant('s', [4], Float32Array.of(1, 1, 2, 2))],
  ),
  attention: islandOf(
    [
      node('Transpose', ['k'], ['t'], { perm: ints(0, 2, 1) }),
      node('MatMul', ['q', 't'], ['m']),
      node('Softmax', ['m'], ['p'], { axis: int(-1) }),
      node('MatMul', ['p', 'v'], ['y']),
    ],
    [f32('q', 1, 9, 8), f32('k', 1, 9, 8), f32('v', 1, 9, 8)],
    [f32('y', 1, 9, 8), f32('p', 1, 9, 9)],
  ),
};

describe('an island has the bits of its nodes in onnxruntime', () => {
  for (const [name, island] of Object.entries(GRAPHS)) {
    test(name, async () => {
      const images = 3;
      const inputs = island.feeds.map(({ dims }, index) => {
        const length = dims.reduce((product, size) => product * size, 1);
        return rowMajor(numbers(length * images, 3 + index), length);
      });
      const samples = Array.from({ length: images }, (_, image) =>
        inputs.map(({ values, shape: { channels } }) =>
          values.slice(image * channels, (image + 1) * channels),
        ),
      ) as Float32Array[][];
      const found = run(island, inputs, images);
      expect(found).toEqual(await reference(island, samples));
      // Whatever else is computed with a sample.
      const length = found.length / images;
      for (let image = 0; image < images; image += 1) {
        const alone = samples[image].map((values) => rowMajor(values, values.length));
        expect(run(island, alone, 1)).toEqual(found.slice(image * length, (image + 1) * length));
      }
    });
  }
});

function passing(elementType: ElementType, dims: readonly number[]) {
  return islandOf(
    [node('Identity', ['x'], ['y'])],
    [{ name: 'x', elementType, dims }],
    [{ name: 'y', elementType, dims }],
  );
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 24), 2 ** 24],
  uint32: [0, 2 ** 24],
  int64: [-(2 ** 24), 2 ** 24],
  uint64: [0, 2 ** 24],
  bool: [0, 1],
  float16: [-2048, 2048],
};

for (const [type, [min, max]] of Object.entries(RANGES)) {
  property.prop([fc.array(fc.integer({ min, max }), { minLength: 1, maxLength: 9 })])(
    `integers of ${type} pass through an island`,
    (values) => {
      const island = passing(type as ElementType, [values.length]);
      const input = Float32Array.from(values);
      expect(run(island, [rowMajor(input, values.length)], 1)).toEqual(input);
    },
  );
}

for (const type of ['float32', 'float64'] as const) {
  property.prop([fc.float32Array({ minLength: 1, maxLength: 9 })])(
    `numbers of ${type} pass through an island`,
    (values) => {
      const island = passing(type, [values.length]);
      expect(run(island, [rowMajor(values, values.length)], 1)).toEqual(values);
    },
  );
}

property.prop([fc.float32Array({ minLength: 9, maxLength: 9 })])(
  'float16 is rounded as onnxruntime rounds it, and read again',
  async (values) => {
    const island = passing('float16', [9]);
    const cast = islandOf(
      [node('Cast', ['x'], ['h'], { to: int(10) }), node('Cast', ['h'], ['y'], { to: int(1) })],
      [f32('x', 9)],
      [f32('y', 9)],
    );
    expect(run(island, [rowMajor(values, 9)], 1)).toEqual(await reference(cast, [[values]]));
  },
);

test('maps that are stored with the channels innermost arrive in the order of the file', () => {
  const shape = { channels: 3, height: 2, width: 5 };
  const values = numbers(2 * 30);
  const island = passing('float32', [1, 3, 2, 5]);
  const feeds = [{ ...island.feeds[0], layout: 'channels-last' as const }];
  const stored = channelsLast(values, shape);
  for (const made of [shape, { channels: 10, height: 1, width: 3 }]) {
    const input = { values: stored, shape: made, constant: false };
    expect(run({ ...island, feeds }, [input], 2)).toEqual(values);
  }
});

test('quantised tensors arrive as integers or as real numbers, as the node takes them', () => {
  const values = Uint8Array.of(0, 1, 127, 128, 255, 7);
  const shape = { channels: 2, height: 1, width: 3 };
  const signed = { scale: Math.fround(0.1), zeroPoint: 128, signed: true } as const;
  const unsigned = { scale: Math.fround(0.1), zeroPoint: 3 };
  const take = (elementType: ElementType, quantization: typeof signed | typeof unsigned) =>
    run(passing(elementType, [1, 3, 2]), [{ values, shape, quantization, constant: false }], 1);
  expect([...take('int8', signed)]).toEqual([-128, -127, -1, 0, 127, -121]);
  expect([...take('uint8', unsigned)]).toEqual([...values]);
  expect(take('float32', unsigned)).toEqual(
    Float32Array.from(values, (word) => unsigned.scale * (word - 3)),
  );
});

test('constants stand there once for all images', () => {
  const island = islandOf(
    [node('Add', ['x', 'c'], ['y'])],
    [f32('x', 1, 2), f32('c', 1, 2)],
    [f32('y', 1, 2)],
  );
  const inputs = [
    rowMajor(Float32Array.of(1, 2, 3, 4), 2),
    { ...rowMajor(Float32Array.of(10, 20), 2), constant: true },
  ];
  expect([...run(island, inputs, 2)]).toEqual([11, 22, 13, 24]);
});

test('an integer that is no float32 number is not passed on', () => {
  const island = islandOf(
    [node('Cast', ['x'], ['i'], { to: int(7) }), node('Add', ['i', 'one'], ['y'])],
    [f32('x', 1)],
    [{ name: 'y', elementType: 'int64', dims: [1] }],
    [{ name: 'one', elementType: 'int64', dims: [1], data: BigInt64Array.of(1n) }],
  );
  expect(() => run(island, [rowMajor(Float32Array.of(2 ** 24), 1)], 1)).toThrow(
    'net.onnx: value "y" (int64) holds 16777217, which is no number of float32',
  );
});

describe('what cannot be run names the nodes', () => {
  test('an operator that onnxruntime does not have', () => {
    const island = islandOf([node('NoSuchOperator', ['x'], ['y'])], [f32('x', 1)], [f32('y', 1)]);
    expect(() => run(island, [rowMajor(numbers(1), 1)], 1)).toThrow(
      /^net\.onnx: onnxruntime does not take y: .*NoSuchOperator/,
    );
  });

  test('a run that fails', () => {
    const island = islandOf(
      [node('Cast', ['x'], ['i'], { to: int(7) }), node('Gather', ['c', 'i'], ['y'])],
      [f32('x', 1)],
      [f32('y', 1)],
      [constant('c', [4])],
    );
    expect(() => run(island, [rowMajor(Float32Array.of(9), 1)], 1)).toThrow(
      /^net\.onnx: onnxruntime failed in i, y: .*indices element out of data bounds/,
    );
  });

  const found = { binding: { InferenceSession: class {} }, initOrt() {} };
  const cases = [
    { what: 'a missing package', version: undefined, module: undefined, says: /is not installed/ },
    {
      what: 'another version',
      version: '1.22.0',
      module: found,
      says: /but 1\.22\.0 is installed/,
    },
    {
      what: 'a binding of another form',
      version: '1.30.2',
      module: found,
      says: /does not have the sessions of 1\.30/,
    },
  ];
  for (const { what, version, module, says } of cases) {
    test(what, () => {
      const load = (name: string) => {
        if (!version) throw new Error(`no ${name}`);
        return name.endsWith('package.json') ? { version } : module;
      };
      const attempt = () => loadBinding('net.onnx: lstm needs onnxruntime', load);
      expect(attempt).toThrow(InputError);
      expect(attempt).toThrow(/^net\.onnx: lstm needs onnxruntime/);
      expect(attempt).toThrow(says);
      expect(attempt).toThrow(/npm install onnxruntime-node@1\.30$/);
    });
  }
});

test('the runtime of islands names onnxruntime and the processor', () => {
  const { onnxruntime, processor } = islandRuntime();
  expect(onnxruntime).toMatch(/^1\.30\./);
  expect(processor.split(' ')[0]).toBe(process.arch);
});
