import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  type ConvolutionShape,
  featureCount,
  fullyConnectedShape,
  weightCount,
} from '../../../core/index.js';
import { layerTiming, networkTiming } from '../../../sim/index.js';
import { convolutionShapes, systolicArrays } from '../../../testing/index.js';
import { measuredLayers } from './measured.js';

describe('layerTiming', () => {
  const measured = measuredLayers('CALC');

  test('the SCALE-Sim rows cover eight layers in three dataflows', () => {
    expect(new Set(measured.map(({ name }) => name)).size).toBe(24);
  });

  test.each(measured)('equals SCALE-Sim v2: $name', (row) => {
    const timing = layerTiming(row.shape, row.array);
    expect(timing.totalCycles).toBe(row.totalCycles);
    expect(timing.computeCycles).toBe(row.totalCycles);
    expect(timing.stallCycles).toBe(0);
    // The percentages were printed with six decimals.
    expect(Math.abs(timing.utilization - row.utilization)).toBeLessThan(1e-8);
    expect(Math.abs(timing.mappingEfficiency - row.mappingEfficiency)).toBeLessThan(1e-8);
  });

  test.prop([fc.integer({ min: 1, max: 256 })])(
    'a square n×n output-stationary product takes 3n − 2 hardware cycles',
    (n) => {
      const shape: ConvolutionShape = {
        ...fullyConnectedShape(n, n),
        input: { channels: n, height: n, width: 1 },
        output: { channels: n, height: n, width: 1 },
      };
      const timing = layerTiming(shape, { rows: n, columns: n, dataflow: 'output-stationary' });
      expect(timing.hardwareCycles).toBe(3 * n - 2);
      expect(timing.mappingEfficiency).toBe(1);
    },
  );

  test.prop([convolutionShapes(), systolicArrays()])(
    'a grouped convolution takes its groups one after the other',
    (shape, array) => {
      const { groups, input, output } = shape;
      const group: ConvolutionShape = {
        ...shape,
        groups: 1,
        input: { ...input, channels: input.channels / groups },
        output: { ...output, channels: output.channels / groups },
      };
      const whole = layerTiming(shape, array);
      const part = layerTiming(group, array);
      expect(whole.totalCycles).toBe(groups * part.totalCycles);
      expect(whole.hardwareCycles).toBe(groups * part.hardwareCycles);
      expect(whole.mappingEfficiency).toBe(part.mappingEfficiency);
    },
  );

  test.prop([convolutionShapes(), systolicArrays()])(
    'no product is faster than its multiply-accumulates allow',
    (shape, array) => {
      const { hardwareCycles, mappingEfficiency } = layerTiming(shape, array);
      const products = shape.output.height * shape.output.width * shape.output.channels;
      const window = (shape.input.channels / shape.groups) * shape.kernel[0] * shape.kernel[1];
      expect(hardwareCycles * array.rows * array.columns).toBeGreaterThanOrEqual(products * window);
      expect(mappingEfficiency).toBeGreaterThan(0);
      expect(mappingEfficiency).toBeLessThanOrEqual(1);
    },
  );

  test.prop([convolutionShapes(), systolicArrays()])(
    'each operand is read at least once, and each output written once more than it is read back',
    (shape, array) => {
      const { sram } = layerTiming(shape, array);
      const outputs = featureCount(shape.output);
      expect(sram.inputReads).toBeGreaterThanOrEqual(
        outputs / (shape.output.channels / shape.groups),
      );
      expect(sram.weightReads).toBeGreaterThanOrEqual(weightCount(shape));
      expect(sram.outputWrites - sram.partialSumReads).toBe(outputs);
    },
  );

  // M = 30 output positions, K = 18 window positions, N = 5 filters on 4×2 processing elements.
  test.each([
    {
      dataflow: 'output-stationary',
      inputReads: 30 * 18 * 3,
      weightReads: 18 * 5 * 8,
      outputWrites: 30 * 5,
      partialSumReads: 0,
      scaleSimOutputWrites: 30 * 5 + 8 * 3 * (4 + 2),
    },
    {
      dataflow: 'weight-stationary',
      inputReads: 30 * 18 * 3,
      weightReads: 18 * 5,
      outputWrites: 30 * 5 * 5,
      partialSumReads: 30 * 5 * 4,
      scaleSimOutputWrites: 30 * 5 * 5,
    },
    {
      dataflow: 'input-stationary',
      inputReads: 30 * 18,
      weightReads: 18 * 5 * 15,
      outputWrites: 30 * 5 * 5,
      partialSumReads: 30 * 5 * 4,
      scaleSimOutputWrites: 30 * 5 * 5,
    },
  ] as const)('SRAM accesses, $dataflow', ({ dataflow, ...sram }) => {
    const shape: ConvolutionShape = {
      ...fullyConnectedShape(2, 5),
      input: { channels: 2, height: 8, width: 7 },
      output: { channels: 5, height: 6, width: 5 },
      kernel: [3, 3],
    };
    expect(layerTiming(shape, { rows: 4, columns: 2, dataflow }).sram).toEqual(sram);
  });

  test.prop([convolutionShapes(), systolicArrays()])(
    'an array that preloads weights is at least as fast, and alone with one tile takes as long',
    (shape, array) => {
      const weightStationary = { ...array, dataflow: 'weight-stationary' } as const;
      const serial = layerTiming(shape, weightStationary);
      const preloaded = layerTiming(shape, { ...weightStationary, preload: true });
      const positions = shape.output.height * shape.output.width;
      const tiles = serial.hardwareCycles / (positions + 2 * array.rows + array.columns - 2);
      // ONNXim's tiles take no less than 4 steps.
      const surplus = tiles * Math.max(0, 4 - positions);
      expect(preloaded.hardwareCycles).toBeLessThanOrEqual(serial.hardwareCycles + surplus);
      if (tiles === 1) expect(preloaded.hardwareCycles).toBe(serial.hardwareCycles + surplus);
    },
  );

  test('an array that preloads starts a tile every max(M, 4, R) cycles', () => {
    const array = { rows: 16, columns: 16, dataflow: 'weight-stationary', preload: true } as const;
    const { hardwareCycles } = layerTiming(fullyConnectedShape(64, 32), array);
    expect(hardwareCycles).toBe(16 + 7 * 16 + (16 + 16 - 2 + 4));
  });

  test('one multiplication on one processing element has a finite utilisation', () => {
    const array = { rows: 1, columns: 1, dataflow: 'output-stationary' } as const;
    expect(layerTiming(fullyConnectedShape(1, 1), array)).toMatchObject({
      totalCycles: 0,
      hardwareCycles: 1,
      utilization: 1,
    });
  });
});

describe('networkTiming', () => {
  test.prop([fc.array(convolutionShapes(), { maxLength: 4 }), systolicArrays()])(
    'adds the layers up',
    (shapes, array) => {
      const { layers, total } = networkTiming(shapes, array);
      expect(layers).toEqual(shapes.map((shape) => layerTiming(shape, array)));
      for (const count of [
        'computeCycles',
        'stallCycles',
        'totalCycles',
        'hardwareCycles',
      ] as const) {
        expect(total[count]).toBe(layers.reduce((sum, layer) => sum + layer[count], 0));
      }
    },
  );

  test('the utilisation of a network weighs its layers by their cycles', () => {
    const rows = measuredLayers('CALC').filter(
      ({ array }) => array.dataflow === 'weight-stationary',
    );
    const { total } = networkTiming(
      rows.map(({ shape }) => shape),
      rows[0].array,
    );
    const cycles = rows.reduce((sum, row) => sum + row.totalCycles, 0);
    const busy = rows.reduce((sum, row) => sum + row.utilization * row.totalCycles, 0);
    expect(total.totalCycles).toBe(cycles);
    expect(total.utilization).toBeCloseTo(busy / cycles, 7);
  });
});
