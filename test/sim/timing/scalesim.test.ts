import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { ConvolutionShape } from '../../../core/index.js';
import { layerTiming, type SystolicArray } from '../../../sim/index.js';
import { convolutionShapes, systolicArrays } from '../../../testing/index.js';
import { measuredLayers } from './measured.js';
import { referenceStalls } from './scalesim-reference.js';

describe('the scalesim-v2 model', () => {
  const measured = measuredLayers('USER');

  test('the measured rows cover the dataflows, three buffer sizes and four bandwidths', () => {
    expect(measured.length).toBe(33);
    expect(new Set(measured.map(({ array }) => array.dataflow)).size).toBe(3);
    expect(new Set(measured.map(({ memory }) => memory?.buffers.input)).size).toBe(3);
    expect(new Set(measured.map(({ memory }) => memory?.bandwidth.input)).size).toBe(4);
  });

  test.each(measured)('equals SCALE-Sim v2: $name', (row) => {
    const timing = layerTiming(row.shape, row.array, row.memory);
    expect(timing).toMatchObject({
      computeCycles: row.computeCycles,
      stallCycles: row.stallCycles,
      totalCycles: row.totalCycles,
    });
    // The percentages were printed with six decimals.
    expect(Math.abs(timing.utilization - row.utilization)).toBeLessThan(1e-8);
    expect(Math.abs(timing.mappingEfficiency - row.mappingEfficiency)).toBeLessThan(1e-8);
  });

  const operands = (least: number, most: number) => {
    const value = fc.integer({ min: least, max: most });
    return fc.record({ input: value, weights: value, output: value });
  };

  test.prop(
    [
      convolutionShapes().map(oneGroup),
      systolicArrays(),
      operands(2, 400),
      operands(1, 9),
      fc.boolean(),
    ],
    { numRuns: 300 },
  )(
    'equals its mechanism written down address by address',
    (shape, array, buffers, bandwidth, roundsUp) => {
      const rounded = roundsUp ? roundedUp(shape) : shape;
      const expected = referenceStalls(rounded, array, buffers, bandwidth);
      const timing = layerTiming(rounded, array, { model: 'scalesim-v2', buffers, bandwidth });
      expect({
        stallCycles: timing.stallCycles,
        totalCycles: timing.totalCycles,
      }).toEqual(expected);
    },
  );

  test.prop([convolutionShapes(), systolicArrays(), operands(4, 200), operands(1, 9)])(
    'takes the groups of a convolution one after the other, each with buffers of its own',
    (shape, array, buffers, bandwidth) => {
      const memory = { model: 'scalesim-v2', buffers, bandwidth } as const;
      const whole = layerTiming(shape, array, memory);
      const part = layerTiming(oneGroup(shape), array, memory);
      expect(whole.stallCycles).toBe(shape.groups * part.stallCycles);
      expect(whole.totalCycles).toBe(shape.groups * part.totalCycles);
    },
  );

  test.prop([convolutionShapes(), systolicArrays(), operands(4, 200), operands(1, 9)])(
    'counts words of the format where buffers and bandwidths are in bytes',
    (shape, array, words, wordsPerCycle) => {
      const timings = ([1, 4] as const).map((wordBytes) => {
        const port = (words: number) => ({ bytesPerCycle: wordBytes * words });
        return layerTiming(shape, array, {
          model: 'scalesim-v2',
          buffers: {
            input: wordBytes * words.input,
            weights: wordBytes * words.weights,
            output: wordBytes * words.output,
          },
          bandwidth: {
            input: port(wordsPerCycle.input),
            weights: port(wordsPerCycle.weights),
            output: port(wordsPerCycle.output),
          },
          wordBytes,
        });
      });
      const inWords = { model: 'scalesim-v2', buffers: words, bandwidth: wordsPerCycle } as const;
      const expected = layerTiming(shape, array, inWords);
      expect(timings).toEqual([expected, expected]);
    },
  );

  const array: SystolicArray = { rows: 4, columns: 4, dataflow: 'weight-stationary' };
  const [{ shape }] = measured;
  test.each([
    [{ buffers: 1 }, 'The scalesim-v2 model needs at least 2 bytes of input buffer, not 1.'],
    [
      { bandwidth: 0.5 },
      'The scalesim-v2 model needs a whole number of input words a cycle, not 0.5.',
    ],
    [
      { buffers: 7, wordBytes: 4 },
      'The scalesim-v2 model needs at least 8 bytes of input buffer, not 7.',
    ],
    [
      { bandwidth: { bytesPerCycle: 2 }, wordBytes: 4 },
      'The scalesim-v2 model needs a whole number of input words a cycle, not 0.5 (2 bytes a cycle, 4 a word).',
    ],
  ] as const)('refuses %o', (given, message) => {
    const { buffers, bandwidth, wordBytes } = {
      ...{ buffers: 64, bandwidth: 1, wordBytes: 1 as const },
      ...given,
    };
    expect(() =>
      layerTiming(shape, array, {
        model: 'scalesim-v2',
        buffers: { input: buffers, weights: 64, output: 64 },
        bandwidth: { input: bandwidth, weights: 1, output: 1 },
        wordBytes,
      }),
    ).toThrow(message);
  });
});

function oneGroup(shape: ConvolutionShape): ConvolutionShape {
  const { groups, input, output } = shape;
  return {
    ...shape,
    groups: 1,
    input: { ...input, channels: input.channels / groups },
    output: { ...output, channels: output.channels / groups },
  };
}

/** The last windows reach beyond the input, as where SCALE-Sim rounds output sizes up. */
function roundedUp(shape: ConvolutionShape): ConvolutionShape {
  const { output } = shape;
  return { ...shape, output: { ...output, height: output.height + 1, width: output.width + 1 } };
}
