import { readFileSync } from 'node:fs';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type ConvolutionShape, fullyConnectedShape } from '../../../core/index.js';
import { type Dataflow, layerTiming, networkTiming, type SystolicArray } from '../../../sim/index.js';
import { convolutionShapes, systolicArrays } from '../../../testing/index.js';

const DATAFLOW_NAMES: Readonly<Record<string, Dataflow>> = {
  os: 'output-stationary',
  ws: 'weight-stationary',
  is: 'input-stationary',
};

interface MeasuredLayer {
  readonly name: string;
  readonly shape: ConvolutionShape;
  readonly array: SystolicArray;
  readonly cycles: number;
  readonly utilization: number;
  readonly mappingEfficiency: number;
}

/**
 * Totals that SCALE-Sim v2 printed at ideal bandwidth for the layers of a small AlexNet for CIFAR-10; input
 * sizes include the padding, utilisations are percentages.
 */
function measuredLayers(): MeasuredLayer[] {
  const csv = readFileSync(new URL('scalesim-ideal.csv', import.meta.url), 'utf8');
  const [header, ...lines] = csv.trimEnd().split('\n');
  const columns = header.split(',');
  return lines.map((line) => {
    const fields = new Map(line.split(',').map((value, index) => [columns[index], value]));
    const text = (column: string) => fields.get(column) ?? '';
    const number = (column: string) => Number(text(column));
    const [height, width] = [number('ifmap_h'), number('ifmap_w')];
    const kernel = [number('filt_h'), number('filt_w')] as const;
    const stride = number('stride');
    const outputExtent = (input: number, window: number) =>
      Math.ceil((input - window + stride) / stride);
    return {
      name: `${text('layer')} ${text('dataflow')}`,
      shape: {
        input: { channels: number('channels'), height, width },
        output: {
          channels: number('filters'),
          height: outputExtent(height, kernel[0]),
          width: outputExtent(width, kernel[1]),
        },
        kernel,
        strides: [stride, stride],
        pads: [0, 0, 0, 0],
        dilations: [1, 1],
        groups: 1,
      },
      array: {
        rows: number('rows'),
        columns: number('cols'),
        dataflow: DATAFLOW_NAMES[text('dataflow')],
      },
      cycles: number('total_cycles'),
      utilization: number('overall_util') / 100,
      mappingEfficiency: number('mapping_eff') / 100,
    };
  });
}

describe('layerTiming', () => {
  const measured = measuredLayers();

  test('the SCALE-Sim rows cover eight layers in three dataflows', () => {
    expect(new Set(measured.map(({ name }) => name)).size).toBe(24);
  });

  test.each(measured)('equals SCALE-Sim v2: $name', (row) => {
    const timing = layerTiming(row.shape, row.array);
    expect(timing.totalCycles).toBe(row.cycles);
    expect(timing.computeCycles).toBe(row.cycles);
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
    const rows = measuredLayers().filter(({ array }) => array.dataflow === 'weight-stationary');
    const { total } = networkTiming(
      rows.map(({ shape }) => shape),
      rows[0].array,
    );
    const cycles = rows.reduce((sum, row) => sum + row.cycles, 0);
    const busy = rows.reduce((sum, row) => sum + row.utilization * row.cycles, 0);
    expect(total.totalCycles).toBe(cycles);
    expect(total.utilization).toBeCloseTo(busy / cycles, 7);
  });
});
