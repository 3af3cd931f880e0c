import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConvolutionShape, featureCount, weightCount } from '../../core/index.js';
import {
  createDeltaKernels,
  type Int8ConvolutionSpecification,
  type KernelCode,
  type WeightChange,
} from '../../kernels/index.js';
import { xorshift } from '../../testing/index.js';
import { ALL_CODES } from './codes.js';

/** Rows of channels that are one strip of sums, several, and a last one of each length. */
const shapes = fc
  .record({
    inputs: fc.integer({ min: 1, max: 40 }),
    outputs: fc.integer({ min: 1, max: 700 }),
    size: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 2 }),
    kernel: fc.constantFrom(1, 3),
  })
  .map(({ inputs, outputs, size, stride, kernel }): ConvolutionShape => {
    const pad = (kernel - 1) / 2;
    const outputSize = Math.floor((size - 1) / stride) + 1;
    return {
      input: { channels: inputs, height: size, width: size },
      output: { channels: outputs, height: outputSize, width: outputSize },
      kernel: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      groups: 1,
    };
  });

const LIMITS = { mostChanges: 640, mostPatches: 20 };

/** What an update makes of random sums, and what it lists, in the order of places. */
function updated(
  code: KernelCode,
  shape: ConvolutionShape,
  seed: number,
  changeCount: number,
  patchCount: number,
) {
  const random = xorshift(seed);
  const upTo = (bound: number) => Math.floor(random() * bound);
  const { channels } = shape.output;
  const specification: Int8ConvolutionSpecification = {
    shape,
    weights: Int8Array.from({ length: weightCount(shape) }, () => upTo(256) - 128),
    bias: new Int32Array(channels),
    multipliers: Float32Array.from({ length: channels }, () => 0.001 + random() / 500),
    inputZeroPoint: upTo(256),
    weightZeroPoints: Int32Array.from({ length: channels }, () => upTo(256) - 128),
    outputZeroPoint: upTo(256),
    low: 0,
    high: 255,
  };
  const inputs = featureCount(shape.input);
  const outputs = featureCount(shape.output);
  const rowChannels = Math.ceil(channels / 16) * 16;
  const sums = shape.output.height * shape.output.width * rowChannels;
  const kernels = createDeltaKernels(code, {
    ...LIMITS,
    ...{ convolutions: [shape], poolings: 0, uint8: [inputs, outputs], int32: [sums] },
    changeLists: [Math.max(inputs, outputs), Math.max(inputs, outputs)],
  });
  const convolution = kernels.convolution(specification);
  if (seed % 2 === 1) {
    const thresholds = Int32Array.from({ length: channels }, () => upTo(40_000));
    convolution.setClip({ mode: seed % 4 === 1 ? 'clip-zero' : 'clamp', thresholds });
  }
  const tensors = {
    input: kernels.allocateUint8(inputs),
    output: kernels.allocateUint8(outputs),
    accumulators: kernels.allocateInt32(sums),
  };
  for (let place = 0; place < inputs; place += 1) tensors.input[place] = upTo(256);
  for (let place = 0; place < outputs; place += 1) tensors.output[place] = upTo(256);
  for (let place = 0; place < sums; place += 1)
    tensors.accumulators[place] = upTo(100_000) - 50_000;
  const places = new Set(Array.from({ length: Math.min(changeCount, inputs) }, () => upTo(inputs)));
  const changes = kernels.changeList(Math.max(inputs, outputs));
  for (const place of places) {
    const channel = place % shape.input.channels;
    const difference = upTo(511) - 255;
    changes.fields.set(
      [(place - channel) / shape.input.channels, channel, difference],
      changes.length * 3,
    );
    changes.length += 1;
  }
  const patches = [...new Set(Array.from({ length: patchCount }, () => upTo(weightCount(shape))))]
    .toSorted((a, b) => a - b)
    .map((index): WeightChange => ({ index, difference: upTo(511) - 255 }));
  const target = kernels.changeList(Math.max(inputs, outputs));
  convolution.update(changes, patches, tensors, target);
  const listed = Array.from({ length: target.length }, (_, index) =>
    [...target.fields.subarray(index * 3, index * 3 + 3)].join(' '),
  );
  const output = tensors.output.slice();
  // Nothing is left behind: another update of nothing changes nothing.
  changes.length = 0;
  convolution.update(changes, [], tensors, target);
  return { output, listed: listed.toSorted(), after: target.length };
}

describe('kernels that follow changes', () => {
  test('every instruction set lists and stores what WebAssembly does', () => {
    const [wasm] = ALL_CODES.filter(({ provider }) => provider === 'wasm');
    fc.assert(
      fc.property(
        shapes,
        fc.nat({ max: 2 ** 30 }),
        fc.integer({ min: 0, max: LIMITS.mostChanges }),
        fc.integer({ min: 0, max: LIMITS.mostPatches }),
        (shape, seed, changes, patches) => {
          const expected = updated(wasm, shape, seed, changes, patches);
          for (const code of ALL_CODES) {
            expect(updated(code, shape, seed, changes, patches)).toEqual(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
