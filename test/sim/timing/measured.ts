import { readFileSync } from 'node:fs';
import type { ConvolutionShape } from '../../../core/index.js';
import type { Dataflow, MemorySystem, SystolicArray } from '../../../sim/index.js';

const DATAFLOW_NAMES: Readonly<Record<string, Dataflow>> = {
  os: 'output-stationary',
  ws: 'weight-stationary',
  is: 'input-stationary',
};

/** A layer as SCALE-Sim v2 printed it; fractions where it prints percentages. */
export interface MeasuredLayer {
  readonly name: string;
  readonly shape: ConvolutionShape;
  readonly array: SystolicArray;
  /** Undefined at ideal bandwidth (SCALE-Sim's CALC mode). */
  readonly memory?: MemorySystem;
  readonly computeCycles: number;
  readonly stallCycles: number;
  readonly totalCycles: number;
  readonly utilization: number;
  readonly mappingEfficiency: number;
}

/**
 * What SCALE-Sim v2 printed for the layers of a small AlexNet for CIFAR-10 on a 16×16 array, at ideal bandwidth and
 * with finite buffers and bandwidths (its CALC and USER modes; runs of the program on one core of a Zen 4 machine).
 * Input sizes include the padding.
 */
export function measuredLayers(mode: 'CALC' | 'USER'): MeasuredLayer[] {
  const csv = readFileSync(new URL('scalesim-measured.csv', import.meta.url), 'utf8');
  const [header, ...lines] = csv.trimEnd().split('\n');
  const columns = header.split(',');
  return lines
    .map((line) => {
      const values = line.split(',');
      return new Map(columns.map((column, index) => [column, values[index]]));
    })
    .filter((row) => row.get('bw_mode') === mode)
    .map((row) => measuredLayer((column) => row.get(column) ?? '', mode));
}

function measuredLayer(text: (column: string) => string, mode: 'CALC' | 'USER'): MeasuredLayer {
  const number = (column: string) => Number(text(column));
  const [height, width] = [number('ifmap_h'), number('ifmap_w')];
  const kernel = [number('filt_h'), number('filt_w')] as const;
  const stride = number('stride');
  const outputExtent = (input: number, window: number) =>
    Math.ceil((input - window + stride) / stride);
  const size = 1024 * number('sram_kb');
  const words = number('bandwidth');
  const finite = `, ${text('sram_kb')} KiB, ${text('bandwidth')} words a cycle`;
  return {
    name: `${text('layer')} ${text('dataflow')}${mode === 'USER' ? finite : ''}`,
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
    ...(mode === 'USER' && {
      memory: {
        model: 'scalesim-v2',
        buffers: { input: size, weights: size, output: size },
        bandwidth: { input: words, weights: words, output: words },
      },
    }),
    computeCycles: number('compute_cycles'),
    stallCycles: number('stall_cycles'),
    totalCycles: number('total_cycles'),
    utilization: number('overall_util') / 100,
    mappingEfficiency: number('mapping_eff') / 100,
  };
}
