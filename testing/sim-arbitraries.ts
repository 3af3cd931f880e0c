import fc from 'fast-check';
import type { ConvolutionShape } from '../core/index.js';
import { cellCount } from '../fault/index.js';
import {
  DATAFLOWS,
  defineWeightMemory,
  memoryGeometry,
  type SystolicArray,
  type WeightMemory,
} from '../sim/index.js';

/**
 * Weight memories of at most 6000 cells, some with spare rows, spare columns and check bits.
 *
 * @param widths of their words; default: 32, 64 and 128 bits
 */
export function weightMemories(
  widths: readonly number[] = [32, 64, 128],
): fc.Arbitrary<WeightMemory> {
  const upTo = (max: number) => fc.integer({ min: 0, max });
  return fc
    .record({
      banks: fc.integer({ min: 1, max: 3 }),
      rows: fc.integer({ min: 1, max: 4 }),
      wordBits: fc.constantFrom(...widths),
      columnMux: fc.constantFrom(1, 2, 4),
      spareRows: upTo(2),
      spareColumns: upTo(5),
      checkBits: upTo(9),
    })
    .filter((memory) => cellCount(memoryGeometry(memory)) <= 6000)
    .map(defineWeightMemory);
}

/** Systolic arrays of at most 6 × 6 processing elements, of every dataflow. */
export function systolicArrays(): fc.Arbitrary<SystolicArray> {
  return fc.record({
    rows: fc.integer({ min: 1, max: 6 }),
    columns: fc.integer({ min: 1, max: 6 }),
    dataflow: fc.constantFrom(...DATAFLOWS),
  });
}

/** Convolutions of at most 729 weights: groups, strides, dilations and uneven padding included. */
export function convolutionShapes(): fc.Arbitrary<ConvolutionShape> {
  const upTo = (max: number) => fc.integer({ min: 1, max });
  const padding = fc.integer({ min: 0, max: 1 });
  const axis = fc
    .record({
      kernel: upTo(3),
      stride: upTo(2),
      dilation: upTo(2),
      before: padding,
      after: padding,
      surplus: fc.integer({ min: 0, max: 4 }),
    })
    .map(({ kernel, stride, dilation, before, after, surplus }) => {
      const extent = dilation * (kernel - 1) + 1;
      const input = Math.max(1, extent - before - after) + surplus;
      const output = Math.floor((input + before + after - extent) / stride) + 1;
      return { kernel, stride, dilation, before, after, input, output };
    });
  return fc
    .record({ y: axis, x: axis, groups: upTo(3), inputs: upTo(3), outputs: upTo(9) })
    .map(({ y, x, groups, inputs, outputs }) => ({
      input: { channels: groups * inputs, height: y.input, width: x.input },
      output: { channels: groups * outputs, height: y.output, width: x.output },
      kernel: [y.kernel, x.kernel],
      strides: [y.stride, x.stride],
      pads: [y.before, x.before, y.after, x.after],
      dilations: [y.dilation, x.dilation],
      groups,
    }));
}
