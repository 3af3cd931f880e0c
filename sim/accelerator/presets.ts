import { ACCELERGY_65NM } from '../energy/index.js';
import type { Accelerator } from './accelerator.js';

/**
 * Accelerators known by name: only what their publications state (docs/accelerators.md); a figure that is
 * missing here is the user's to give.
 */
export const ACCELERATOR_PRESETS: readonly Accelerator[] = [
  {
    name: 'edge-16x16',
    array: { rows: 16, columns: 16, dataflow: 'weight-stationary' },
    weightMemory: 'fits-network',
  },
  {
    // Genc et al., DAC 2021: scratchpad of 4 banks × 4096 rows × 128 bit. All of it holds weights here.
    name: 'gemmini-16x16',
    array: { rows: 16, columns: 16, dataflow: 'weight-stationary', preload: true },
    weightMemory: { banks: 4, rows: 4096, wordBits: 128, columnMux: 1 },
  },
  {
    // Chen et al., JSSC 2017: the two banks of the global buffer that hold filters. Its row-stationary dataflow
    // is none of ours; weight-stationary stands in for it. The energy table is of Eyeriss's technology and sizes.
    name: 'eyeriss',
    array: { rows: 12, columns: 14, dataflow: 'weight-stationary' },
    clock: 200e6,
    weightMemory: { banks: 2, rows: 512, wordBits: 64, columnMux: 1 },
    energyTable: ACCELERGY_65NM,
  },
  {
    // Jouppi et al., ISCA 2017: a 64 KiB weight tile and its shadow, one bank each; unified buffer, weight FIFO of
    // four tiles, 4096 × 256 accumulators of 32 bits. Rows of 256 values, one for each row of the array, are our
    // organisation of the unified buffer's 24 MiB.
    name: 'tpu-v1',
    array: { rows: 256, columns: 256, dataflow: 'weight-stationary', preload: true },
    weightMemory: { banks: 2, rows: 256, wordBits: 2048, columnMux: 1 },
    featureMapMemory: { banks: 1, rows: 96 * 2 ** 10, wordBits: 256 * 8, columnMux: 1 },
    accumulatorMemory: { banks: 1, rows: 4 * 2 ** 10, wordBits: 256 * 32, columnMux: 1 },
    buffers: { input: 24 * 2 ** 20, weights: 4 * 64 * 2 ** 10, output: 4 * 2 ** 20 },
  },
];

export const DEFAULT_ACCELERATOR = 'edge-16x16';
