import type { ConvolutionShape } from '../../../core/index.js';
import type { SystolicArray } from '../../hardware/systolic-array.js';
import { foldCycles, type Product, productOf } from '../product.js';
import type { Stalls } from '../result.js';
import type { FetchMatrix } from './fetch-matrix.js';
import { inputMatrix, weightMatrix } from './operands.js';
import { ReadBuffer } from './read-buffer.js';
import type { Srams } from './srams.js';
import { WriteBuffer } from './write-buffer.js';

/**
 * Stalls as SCALE-Sim v2 counts them in its USER mode: cycle by cycle, the requests of the array go to the three
 * buffers, and the array waits for the slowest of them. Its mechanism, including what refetches an operand over and
 * over, is described in docs/timing.md. A value is a word, a partial sum too. Every group is a product of its own.
 *
 * A line of requests is a run of entries of the fetch matrix, so it costs a comparison with the active window, not one
 * for each of its addresses.
 */
export function scaleSimStalls(
  shape: ConvolutionShape,
  array: SystolicArray,
  srams: Srams,
): Stalls {
  const product = productOf(shape, array);
  const readBuffer = (matrix: FetchMatrix, { words, wordsPerCycle }: Srams['input']) =>
    new ReadBuffer(matrix, words, wordsPerCycle);
  const input = readBuffer(inputMatrix(shape, product, array), srams.input);
  const weights = readBuffer(weightMatrix(product, array), srams.weights);
  const output = new WriteBuffer(srams.output.words, srams.output.wordsPerCycle);
  const lines = foldCycles(product, array);
  const waited = { input: 0, weights: 0, output: 0 };
  let cycle = 0;
  let printedTotal = 0;
  let outputs = 0;
  for (let columnFold = 0; columnFold < product.columnFolds; columnFold++) {
    for (let rowFold = 0; rowFold < product.rowFolds; rowFold++) {
      const fold = foldAt(product, array, rowFold, columnFold);
      for (let line = 0; line < lines; line++) {
        const words = outputsAt(fold, line);
        const forInput = serveLine(input, fold.input, line, cycle);
        const forWeights = serveLine(weights, fold.weights, line, cycle);
        const forOutput = words > 0 ? output.write(words, cycle) : 0;
        const stall = Math.max(forInput, forWeights, forOutput);
        if (stall === forInput) waited.input += stall;
        else if (stall === forWeights) waited.weights += stall;
        else waited.output += stall;
        printedTotal = cycle + forOutput;
        cycle += stall + 1;
        outputs += words;
      }
    }
  }
  const { groups } = shape;
  const stallCycles = waited.input + waited.weights + waited.output;
  return {
    // The total is the cycle of the last write: a last line that waits for an operand counts as a stall alone. Only
    // arrays of one row or one column read in their last line.
    computeCycles: groups * (printedTotal - stallCycles),
    causes: {
      firstFill: 0,
      input: groups * waited.input,
      weights: groups * waited.weights,
      output: groups * waited.output,
      lastDrain: 0,
    },
    memory: {
      inputReads: groups * input.words,
      weightReads: groups * weights.words,
      partialSumReads: 0,
      outputWrites: groups * outputs,
    },
  };
}

/** The requests for one operand in a fold, by line. */
interface Requests {
  /** Stationary: one row of the fetch matrix a line, the last first. Streamed: one diagonal of it. */
  readonly kind: 'stationary' | 'streamed';
  /** Row of the fetch matrix at which the fold begins. */
  readonly firstRow: number;
  /** Rows: of a stationary operand those in this fold, which may be fewer than the array has; else steps. */
  readonly rows: number;
  /** Columns of the fetch matrix with entries. */
  readonly columns: number;
  /** Line of the first request. */
  readonly firstLine: number;
}

interface Fold {
  readonly input: Requests;
  readonly weights: Requests;
  /** Outputs leave as the anti-diagonals of this rectangle; the first is due at the line. */
  readonly outputRows: number;
  readonly outputColumns: number;
  readonly firstOutputLine: number;
}

function foldAt(product: Product, array: SystolicArray, rowFold: number, columnFold: number): Fold {
  const { steps, rowExtent, columnExtent } = product;
  const usedRows = Math.min(array.rows, rowExtent - rowFold * array.rows);
  const usedColumns = Math.min(array.columns, columnExtent - columnFold * array.columns);
  const streamed = (fold: number, columns: number, firstLine: number): Requests => ({
    kind: 'streamed',
    firstRow: fold * steps,
    rows: steps,
    columns,
    firstLine,
  });
  if (array.dataflow === 'output-stationary') {
    return {
      input: streamed(rowFold, usedRows, 0),
      weights: streamed(columnFold, usedColumns, 0),
      // The bottom row leaves first; unused rows are at the bottom.
      outputRows: usedRows,
      outputColumns: usedColumns,
      firstOutputLine: steps - 1 + array.rows - usedRows,
    };
  }
  const stationary: Requests = {
    kind: 'stationary',
    firstRow: columnFold * rowExtent + rowFold * array.rows,
    rows: usedRows,
    columns: usedColumns,
    // The bottom row of the array is loaded first; unused rows are at the bottom.
    firstLine: array.rows - usedRows,
  };
  const moving = streamed(rowFold, usedRows, array.rows);
  const weightStationary = array.dataflow === 'weight-stationary';
  return {
    input: weightStationary ? moving : stationary,
    weights: weightStationary ? stationary : moving,
    outputRows: steps,
    outputColumns: usedColumns,
    firstOutputLine: 2 * array.rows - 1,
  };
}

function serveLine(buffer: ReadBuffer, requests: Requests, line: number, cycle: number): number {
  const { kind, firstRow, rows, columns, firstLine } = requests;
  const since = line - firstLine;
  if (since < 0) return 0;
  if (kind === 'stationary') {
    return since < rows ? buffer.serve(firstRow + rows - 1 - since, 0, columns, cycle) : 0;
  }
  const firstColumn = Math.max(0, since - rows + 1);
  const count = Math.min(columns, since + 1) - firstColumn;
  if (count <= 0) return 0;
  return buffer.serve(firstRow + since - firstColumn, firstColumn, count, cycle);
}

/** Outputs that leave in a line. */
function outputsAt({ outputRows, outputColumns, firstOutputLine }: Fold, line: number): number {
  const diagonal = line - firstOutputLine;
  if (diagonal < 0) return 0;
  return Math.max(
    0,
    Math.min(outputRows - 1, diagonal) - Math.max(0, diagonal - outputColumns + 1) + 1,
  );
}
