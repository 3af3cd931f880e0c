import { type ConvolutionShape, excerpt, InputError, requireMemory } from '../../../core/index.js';

/** A layer of a topology file. */
export interface TopologyLayer {
  readonly name: string;
  readonly shape: ConvolutionShape;
}

/** Larger cells would take products of them past what float64 counts exactly. */
const LARGEST_CELL = 2 ** 31 - 1;

/** A layer, its timing and its line of the output: 1.8 kB were measured, with stalls 2.7 kB. */
const BYTES_PER_LAYER = 3000;

/** What one line stands for. */
interface Line {
  readonly count: number;
  readonly layers: () => TopologyLayer[];
}

/** One cell of a file, with its place for messages. */
interface Cell {
  readonly text: string;
  readonly place: string;
}

/**
 * The layers of a SCALE-Sim topology file. After a line of headings, each line is a layer, in one of two forms:
 * - `Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,`, input sizes
 *   with the padding, then optionally the horizontal stride, a sparsity ratio (only `1:1`) and a batch size (only 1);
 * - `Layer, M, N, K,`: the product of an M × K and a K × N matrix.
 *
 * As in SCALE-Sim, output sizes are rounded up, and a layer with `DP` in its name is depth-wise: a layer of one
 * channel for each channel. The comma at the end, a comment (#…) after it and empty lines may be left out or stand.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column, value and what was expected
 */
export function parseTopology(text: string, file: string): TopologyLayer[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const [headings, ...rows] = lines
    .map((line, index) => cellsOf(line, file, index + 1))
    .filter((cells) => cells.length > 0);
  if (headings === undefined) throw new InputError(`${file}: empty, expected a line of headings.`);
  requireHeadings(headings);
  let layerCount = 0;
  const layers = rows.flatMap((row) => {
    const found = isProduct(headings) ? productLayer(row) : convolution(row, headings);
    layerCount += found.count;
    requireMemory(layerCount * BYTES_PER_LAYER, `${file}: ${layerCount} layers`, text.length);
    return found.layers();
  });
  if (layers.length === 0) {
    throw new InputError(`${file}: no layer, expected one on each line after the headings.`);
  }
  return layers;
}

/** The cells of a line, without a comment or nothing after the last comma. */
function cellsOf(line: string, file: string, number: number): Cell[] {
  let start = 1;
  const cells = line.split(',').map((part) => {
    const blanks = part.length - part.trimStart().length;
    const cell = { text: part.trim(), place: `${file}:${number}:${start + blanks}` };
    start += part.length + 1;
    return cell;
  });
  const last = cells.at(-1)?.text ?? '';
  return last === '' || last.startsWith('#') ? cells.slice(0, -1) : cells;
}

/** SCALE-Sim skips the first line whatever it holds, and so would lose a layer there. */
function requireHeadings([, second]: readonly Cell[]): void {
  if (second !== undefined && /^\d+$/.test(second.text)) {
    throw new InputError(
      `${second.place}: "${excerpt(second.text)}" is a number, expected a line of headings before the layers.`,
    );
  }
}

function isProduct(headings: readonly Cell[]): boolean {
  const [m, n, k] = headings.slice(1, 4).map(({ text }) => text.toUpperCase());
  return m === 'M' && n === 'N' && k === 'K';
}

function productLayer(row: readonly Cell[]): Line {
  const name = nameIn(row);
  const m = numberIn(row, 1, 'M');
  const n = numberIn(row, 2, 'N');
  const k = numberIn(row, 3, 'K');
  requireNeutral(row.slice(4), () => 'sparsity');
  const shape: ConvolutionShape = {
    input: { channels: 1, height: m, width: k },
    output: { channels: n, height: m, width: 1 },
    kernel: [1, k],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups: 1,
  };
  const layer = { name, shape: requireCountable(shape, row[0]) };
  return { count: 1, layers: () => [layer] };
}

function convolution(row: readonly Cell[], headings: readonly Cell[]): Line {
  const name = nameIn(row);
  const height = numberIn(row, 1, 'IFMAP height');
  const width = numberIn(row, 2, 'IFMAP width');
  const kernel = [
    numberIn(row, 3, 'filter height', height),
    numberIn(row, 4, 'filter width', width),
  ] as const;
  const channels = numberIn(row, 5, 'number of channels');
  const filters = numberIn(row, 6, 'number of filters');
  const strideY = numberIn(row, 7, 'stride');
  // Older files have a ninth column for the horizontal stride, newer ones for sparsity or batches.
  const hasStrideX =
    row.length > 8 &&
    !row[8].text.includes(':') &&
    !/sparsity|batch/i.test(headings[8]?.text ?? '');
  const strideX = hasStrideX ? numberIn(row, 8, 'horizontal stride') : strideY;
  const first = hasStrideX ? 9 : 8;
  requireNeutral(row.slice(first), (index) =>
    /batch/i.test(headings[first + index]?.text ?? '') ? 'batch' : 'sparsity',
  );
  const depthwise = name.includes('DP');
  const shape: ConvolutionShape = {
    input: { channels: depthwise ? 1 : channels, height, width },
    output: {
      channels: filters,
      height: Math.ceil((height - kernel[0] + strideY) / strideY),
      width: Math.ceil((width - kernel[1] + strideX) / strideX),
    },
    kernel,
    strides: [strideY, strideX],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups: 1,
  };
  requireCountable(shape, row[0]);
  if (!depthwise) return { count: 1, layers: () => [{ name, shape }] };
  return {
    count: channels,
    layers: () =>
      Array.from({ length: channels }, (_, channel) => ({
        name: `${name}Channel_${channel}`,
        shape,
      })),
  };
}

function nameIn([cell]: readonly Cell[]): string {
  if (cell.text === '') throw new InputError(`${cell.place}: empty, expected the name of a layer.`);
  return cell.text;
}

/** The whole number in a column, from 1 to `most`. */
function numberIn(row: readonly Cell[], column: number, what: string, most = LARGEST_CELL): number {
  const expected = `expected the ${what}, a whole number from 1 to ${most}`;
  const cell = row[column];
  if (cell === undefined) {
    const last = row[row.length - 1];
    throw new InputError(
      `${last.place}: the line ends after "${excerpt(last.text)}", ${expected}.`,
    );
  }
  const value = Number(cell.text);
  if (!/^\d+$/.test(cell.text) || value < 1 || value > most) {
    throw new InputError(`${cell.place}: "${excerpt(cell.text)}", ${expected}.`);
  }
  return value;
}

/** Columns that are read only to say that what they ask for is not simulated. */
function requireNeutral(
  cells: readonly Cell[],
  kindOf: (index: number) => 'sparsity' | 'batch',
): void {
  for (const [index, { text, place }] of cells.entries()) {
    const kind = kindOf(index);
    if (kind === 'sparsity' && text !== '1:1') {
      throw new InputError(
        `${place}: "${excerpt(text)}", expected 1:1: sparsity is not simulated.`,
      );
    }
    if (kind === 'batch' && text !== '1') {
      throw new InputError(
        `${place}: "${excerpt(text)}", expected 1: layers are timed for one image.`,
      );
    }
  }
}

/** Multiply-accumulates that float64 counts exactly. */
function requireCountable(shape: ConvolutionShape, { text, place }: Cell): ConvolutionShape {
  const { input, output, kernel } = shape;
  const operations =
    output.height * output.width * output.channels * input.channels * kernel[0] * kernel[1];
  if (operations <= Number.MAX_SAFE_INTEGER) return shape;
  throw new InputError(
    `${place}: "${excerpt(text)}" has more than 2^53 multiply-accumulates, expected a smaller layer.`,
  );
}
