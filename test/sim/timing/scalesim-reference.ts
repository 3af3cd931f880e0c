import type { ConvolutionShape } from '../../../core/index.js';
import type { OperandBuffers, SystolicArray } from '../../../sim/index.js';

/**
 * SCALE-Sim's finite-bandwidth mechanism written down address by address: every fetch matrix and every line of requests
 * is built, sets are sets of addresses, and each word written is counted alone. Slow, and independent of the closed
 * forms of the simulator. For a shape of one group.
 *
 * @param buffers words
 * @param bandwidth words a cycle
 */
export function referenceStalls(
  shape: ConvolutionShape,
  array: SystolicArray,
  buffers: OperandBuffers,
  bandwidth: Readonly<Record<'input' | 'weights' | 'output', number>>,
) {
  const { inputs, weights } = addressMatrices(shape);
  const schedule = schedules(inputs, weights, array);
  const input = readBuffer(schedule.inputOrder, buffers.input, bandwidth.input);
  const filter = readBuffer(schedule.weightOrder, buffers.weights, bandwidth.weights);
  const output = writeBuffer(buffers.output, bandwidth.output);
  let stallCycles = 0;
  let totalCycles = 0;
  for (const [index, line] of schedule.lines.entries()) {
    const cycle = index + stallCycles;
    const forOutput = output(line.outputs, cycle);
    totalCycles = cycle + forOutput;
    stallCycles += Math.max(input(line.input, cycle), filter(line.weights, cycle), forOutput);
  }
  return { stallCycles, totalCycles };
}

/** M × K addresses of pixels (undefined beyond the padded input) and K × N of weights. */
function addressMatrices({ input, output, kernel, strides, dilations, pads }: ConvolutionShape) {
  const height = input.height + pads[0] + pads[2];
  const width = input.width + pads[1] + pads[3];
  const inputs: (number | undefined)[][] = [];
  for (let oy = 0; oy < output.height; oy++) {
    for (let ox = 0; ox < output.width; ox++) {
      const row: (number | undefined)[] = [];
      for (let ky = 0; ky < kernel[0]; ky++) {
        for (let kx = 0; kx < kernel[1]; kx++) {
          for (let channel = 0; channel < input.channels; channel++) {
            const y = oy * strides[0] + ky * dilations[0];
            const x = ox * strides[1] + kx * dilations[1];
            const inside = y < height && x < width;
            row.push(inside ? (y * width + x) * input.channels + channel : undefined);
          }
        }
      }
      inputs.push(row);
    }
  }
  const window = inputs[0].length;
  const weights = Array.from({ length: window }, (_, k) =>
    Array.from({ length: output.channels }, (_, n) => n * window + k),
  );
  return { inputs, weights };
}

type Matrix = readonly (readonly (number | undefined)[])[];
type Address = number | undefined;

interface Line {
  readonly input: Address[];
  readonly weights: Address[];
  outputs: number;
}

function transposed(matrix: Matrix): Matrix {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}

/** Cut a matrix into folds of so many columns, each filled up with nothing. */
function foldsOf(matrix: Matrix, width: number): Matrix[] {
  return Array.from({ length: Math.ceil(matrix[0].length / width) }, (_, fold) =>
    matrix.map((row) => Array.from({ length: width }, (_, at) => row[fold * width + at])),
  );
}

function diagonals(matrix: Matrix): Address[] {
  const order: Address[] = [];
  const [rows, columns] = [matrix.length, matrix[0].length];
  for (let diagonal = 0; diagonal < rows + columns; diagonal++) {
    for (let row = Math.min(diagonal, rows - 1); row >= 0 && diagonal - row < columns; row--) {
      order.push(matrix[row][diagonal - row]);
    }
  }
  return order;
}

function schedules(inputs: Matrix, weights: Matrix, array: SystolicArray) {
  const { rows: R, columns: C } = array;
  const [M, K, N] = [inputs.length, weights.length, weights[0].length];
  const empty = (): Line => ({ input: [], weights: [], outputs: 0 });
  const lines: Line[] = [];
  if (array.dataflow === 'output-stationary') {
    const left = foldsOf(transposed(inputs), R);
    const top = foldsOf(weights, C);
    for (const [fc, filters] of top.entries()) {
      for (const [fr, pixels] of left.entries()) {
        const fold = Array.from({ length: K + R + C - 2 }, empty);
        for (const [l, line] of fold.entries()) {
          for (let r = 0; r < R; r++) line.input.push(pixels[l - r]?.[r]);
          for (let c = 0; c < C; c++) line.weights.push(filters[l - c]?.[c]);
        }
        for (let r = 0; r < Math.min(R, M - fr * R); r++) {
          for (let c = 0; c < Math.min(C, N - fc * C); c++) fold[K - 1 + (R - 1 - r) + c].outputs++;
        }
        lines.push(...fold);
      }
    }
    return { lines, inputOrder: diagonals(left.flat()), weightOrder: diagonals(top.flat()) };
  }
  // The stationary matrix lies on the array; rows of the moving one enter from the left.
  const weightStationary = array.dataflow === 'weight-stationary';
  const stationary = weightStationary ? weights : transposed(inputs);
  const moving = weightStationary ? inputs : transposed(weights);
  const T = moving.length;
  const held = foldsOf(stationary, C);
  const streamed = foldsOf(moving, R);
  for (const [fc, tile] of held.entries()) {
    for (const [fr, stream] of streamed.entries()) {
      const fold = Array.from({ length: 2 * R + C + T - 2 }, empty);
      for (const [l, line] of fold.entries()) {
        const load = l < R ? (tile[fr * R + R - 1 - l] ?? []) : [];
        const enter = Array.from({ length: R }, (_, r) => stream[l - R - r]?.[r]);
        (weightStationary ? line.weights : line.input).push(...load);
        (weightStationary ? line.input : line.weights).push(...enter);
      }
      const columns = Math.min(C, stationary[0].length - fc * C);
      for (let t = 0; t < T; t++) {
        for (let c = 0; c < columns; c++) fold[2 * R - 1 + t + c].outputs++;
      }
      lines.push(...fold);
    }
  }
  const [heldOrder, streamedOrder] = [held.flat(2), diagonals(streamed.flat())];
  return weightStationary
    ? { lines, inputOrder: streamedOrder, weightOrder: heldOrder }
    : { lines, inputOrder: heldOrder, weightOrder: streamedOrder };
}

function readBuffer(order: readonly Address[], size: number, bandwidth: number) {
  const perSet = Math.ceil(size / 100);
  const sets: Set<number>[] = [new Set()];
  let inSet = 0;
  for (const address of order) {
    if (address === undefined) continue;
    (sets.at(-1) as Set<number>).add(address);
    if (++inSet === perSet) {
      sets.push(new Set());
      inSet = 0;
    }
  }
  const active = Math.min(sets.length, Math.ceil(Math.ceil(size / 2) / perSet));
  const next = Math.min(sets.length - active, Math.ceil(Math.floor(size / 2) / perSet));
  let from = 0;
  let complete = -1;
  const holds = (address: number) => {
    for (let set = 0; set < active; set++) {
      if (sets[(from + set) % sets.length].has(address)) return true;
    }
    return false;
  };
  return (line: readonly Address[], cycle: number) => {
    let stall = 0;
    for (const address of line) {
      if (address === undefined) continue;
      while (!holds(address)) {
        from = (from + next) % sets.length;
        complete += Math.ceil(Math.floor(size / 2) / bandwidth) + 1;
        stall += Math.max(0, complete - (cycle + 1 + stall));
      }
    }
    return stall;
  };
}

function writeBuffer(size: number, bandwidth: number) {
  const half = Math.ceil(size / 2);
  /** Words in each row of the trace that is yet to drain; the last one is in hand. */
  let rows: number[] = [0];
  let free = size;
  let drainEnd = 0;
  return (words: number, cycle: number) => {
    let now = cycle;
    for (let word = 0; word < words; word++) {
      free--;
      rows[rows.length - 1]++;
      if (rows.at(-1) === bandwidth) rows.push(0);
      if (now < drainEnd) {
        if (free <= 0) now = drainEnd;
      } else if (free < half) {
        if (rows.at(-1) !== 0) rows.push(0);
        const drained = rows.slice(0, -1).slice(0, Math.ceil((size - half) / bandwidth));
        rows = rows.slice(drained.length);
        // Rows that were closed early count as full, but for the last one.
        free += (drained.length - 1) * bandwidth + (drained.at(-1) ?? 0);
        drainEnd = now + drained.length - 1;
      }
    }
    return now - cycle;
  };
}
