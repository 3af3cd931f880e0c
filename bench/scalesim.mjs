/**
 * Bitcell against SCALE-Sim v2: every measured row, cycle for cycle, and the time that both take.
 * After `npm run build`: node bench/scalesim.mjs [--quick] [MEASURED.csv [TIMES.csv]]
 *
 * MEASURED.csv holds what SCALE-Sim printed, a row a layer; TIMES.csv the seconds that its runs took. The defaults are
 * the rows that the tests compare. Prints JSON; exit status 3 if a row differs. Bitcell's time of a row is the median of
 * several runs in one process after a first one; SCALE-Sim's is that of one run of its process. `--quick` takes the short
 * rows, once.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { layerTiming } from 'bitcell/sim';

import { measurement, printJson } from './measure.mjs';

/** @import { SystolicArray } from 'bitcell/sim' */

const FIXTURES = '../test/sim/timing';
/** Cycles of the longest row that `--quick` takes. */
const QUICK_CYCLES = 200_000;

/** @type {Readonly<Record<string, SystolicArray['dataflow']>>} */
const DATAFLOWS = {
  os: 'output-stationary',
  ws: 'weight-stationary',
  is: 'input-stationary',
};

/**
 * The rows of a CSV file with headings.
 * @param {string | URL} file
 * @returns {Record<string, string>[]}
 */
function readRows(file) {
  const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/);
  const columns = header.split(',');
  return lines.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? '']));
  });
}

/** What makes a row of either file the same run. @param {Record<string, string>} row */
function keyOf(row) {
  return ['layer', 'dataflow', 'rows', 'cols', 'bw_mode', 'sram_kb', 'bandwidth']
    .map((column) => row[column])
    .join(' ');
}

/** The layer, array and memory of a row. @param {Record<string, string>} row */
function runOf(row) {
  const [height, width] = [Number(row.ifmap_h), Number(row.ifmap_w)];
  const [kernelHeight, kernelWidth] = [Number(row.filt_h), Number(row.filt_w)];
  const stride = Number(row.stride);
  /** @type {(input: number, kernel: number) => number} */
  const extent = (input, kernel) => Math.ceil((input - kernel + stride) / stride);
  const size = 1024 * Number(row.sram_kb);
  const words = Number(row.bandwidth);
  return {
    shape: {
      input: { channels: Number(row.channels), height, width },
      output: {
        channels: Number(row.filters),
        height: extent(height, kernelHeight),
        width: extent(width, kernelWidth),
      },
      kernel: /** @type {const} */ ([kernelHeight, kernelWidth]),
      strides: /** @type {const} */ ([stride, stride]),
      pads: /** @type {const} */ ([0, 0, 0, 0]),
      dilations: /** @type {const} */ ([1, 1]),
      groups: 1,
    },
    array: {
      rows: Number(row.rows),
      columns: Number(row.cols),
      dataflow: DATAFLOWS[row.dataflow],
    },
    memory:
      row.bw_mode === 'USER'
        ? {
            model: /** @type {const} */ ('scalesim-v2'),
            buffers: { input: size, weights: size, output: size },
            bandwidth: { input: words, weights: words, output: words },
          }
        : undefined,
  };
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});
const [
  measured = new URL(`${FIXTURES}/scalesim-measured.csv`, import.meta.url),
  times = new URL(`${FIXTURES}/scalesim-times.csv`, import.meta.url),
] = positionals;
const measuredRows = readRows(measured).filter(
  (row) => !options.quick || Number(row.total_cycles) <= QUICK_CYCLES,
);
const secondsOfRun = new Map(
  readRows(times).map((row) => [keyOf(row), { wall: Number(row.wall_s), cpu: Number(row.cpu_s) }]),
);

const rows = measuredRows.map((row) => {
  const { shape, array, memory } = runOf(row);
  const timing = layerTiming(shape, array, memory);
  const seconds = Array.from({ length: options.quick ? 1 : 5 }, () => {
    const start = performance.now();
    layerTiming(shape, array, memory);
    return (performance.now() - start) / 1000;
  });
  const differences = {
    computeCycles: timing.computeCycles - Number(row.compute_cycles),
    stallCycles: timing.stallCycles - Number(row.stall_cycles),
    totalCycles: timing.totalCycles - Number(row.total_cycles),
  };
  // SCALE-Sim prints percentages with six decimals.
  const utilizationEqual =
    Math.abs(100 * timing.utilization - Number(row.overall_util)) < 1e-6 &&
    Math.abs(100 * timing.mappingEfficiency - Number(row.mapping_eff)) < 1e-6;
  return {
    layer: row.layer,
    dataflow: row.dataflow,
    mode: row.bw_mode,
    sramKiB: Number(row.sram_kb),
    ...(memory && { bandwidth: Number(row.bandwidth) }),
    totalCycles: timing.totalCycles,
    stallCycles: timing.stallCycles,
    differences,
    equal: Object.values(differences).every((difference) => difference === 0) && utilizationEqual,
    seconds: measurement(`${row.layer} ${row.dataflow}`, 's', seconds),
    scaleSimSeconds: secondsOfRun.get(keyOf(row)) ?? null,
  };
});

const speed = Object.fromEntries(
  ['CALC', 'USER'].flatMap((mode) => {
    const timed = rows.filter((row) => row.mode === mode && row.scaleSimSeconds !== null);
    if (timed.length === 0) return [];
    const seconds = sum(timed.map((row) => row.seconds.median));
    const wall = sum(timed.map((row) => row.scaleSimSeconds?.wall ?? 0));
    const cpu = sum(timed.map((row) => row.scaleSimSeconds?.cpu ?? 0));
    const figures = {
      rows: timed.length,
      seconds,
      scaleSimWallSeconds: wall,
      scaleSimCpuSeconds: cpu,
      timesFasterThanWall: wall / seconds,
      timesFasterThanCpu: cpu / seconds,
    };
    return [[mode, figures]];
  }),
);

const different = rows.filter(({ equal }) => !equal).length;
printJson({ compared: rows.length, different, speed, rows });
if (different > 0) process.exitCode = 3;
