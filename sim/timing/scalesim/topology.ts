import {
  type ConvolutionShape,
  excerpt,
  InputError,
  multiplyAccumulates,
  requireMemory,
} from '../../../core/index.js';
import { type Cell, type Columns, columnsOf, type FurtherColumn } from './topology-columns.js';

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

/** What the configuration beside a topology says of it. */
export interface TopologyOptions {
  /** Sparsity is off: every layer is dense, whatever ratio its line has. */
  readonly sparsityIsOff?: boolean | undefined;
}

/**
 * The layers of a SCALE-Sim topology file. After a line of headings, each line is a layer, in one of two forms:
 * - `Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,`, input sizes
 *   with the padding;
 * - `Layer, M, N, K,`: the product of an M × K and a K × N matrix.
 *
 * Further columns go by their headings: the horizontal stride (`Stride Width`), groups of a convolution (`Groups`), a
 * sparsity ratio (only `1:1`, unless sparsity is off), a batch size (only 1), `Target` (skipped). Behind `Strides`, a
 * number without a heading is the horizontal stride, as in v2, and a ratio is that of the sparsity, as in v3.
 *
 * As in SCALE-Sim, output sizes are rounded up, and a layer with `DP` in its name is depth-wise: a layer of one
 * channel for each channel. Empty cells at the end, a comment (#…) after them and empty lines, with or without commas,
 * may be left out or stand. Sources: `topology_utils.py` and `topologies/` of
 * https://github.com/scalesim-project/SCALE-Sim.
 *
 * @param file the name to use in messages
 * @throws InputError naming file, line, column, value and what was expected
 */
export function parseTopology(
  text: string,
  file: string,
  options: TopologyOptions = {},
): TopologyLayer[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const [headings, ...rows] = lines
    .map((line, index) => cellsOf(line, file, index + 1))
    .filter((cells) => cells.length > 0);
  if (headings === undefined) throw new InputError(`${file}: empty, expected a line of headings.`);
  requireHeadings(headings);
  const columns = columnsOf(headings);
  let layerCount = 0;
  const layers = rows.flatMap((row) => {
    const further = furtherValues(row, columns, options);
    const found = columns.kind === 'product' ? productLayer(row) : convolution(row, further);
    layerCount += found.count;
    requireMemory(layerCount * BYTES_PER_LAYER, `${file}: ${layerCount} layers`, text.length);
    return found.layers();
  });
  if (layers.length === 0) {
    throw new InputError(`${file}: no layer, expected one on each line after the headings.`);
  }
  return layers;
}

/** The cells of a line, without a comment and what is empty before it. */
function cellsOf(line: string, file: string, number: number): Cell[] {
  let start = 1;
  const cells = line.split(',').map((part) => {
    const blanks = part.length - part.trimStart().length;
    const cell = { text: part.trim(), place: `${file}:${number}:${start + blanks}` };
    start += part.length + 1;
    return cell;
  });
  const comment = cells.findIndex(({ text }) => text.startsWith('#'));
  const values = comment < 0 ? cells : cells.slice(0, comment);
  return values.slice(0, values.findLastIndex(({ text }) => text !== '') + 1);
}

/** SCALE-Sim skips the first line whatever it holds, and so would lose a layer there. */
function requireHeadings([, second]: readonly Cell[]): void {
  if (second !== undefined && /^\d+$/.test(second.text)) {
    throw new InputError(
      `${second.place}: "${excerpt(second.text)}" is a number, expected a line of headings before the layers.`,
    );
  }
}

function productLayer(row: readonly Cell[]): Line {
  const name = nameIn(row);
  const m = numberIn(row, 1, 'M');
  const n = numberIn(row, 2, 'N');
  const k = numberIn(row, 3, 'K');
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

function convolution(row: readonly Cell[], { strideWidth, groups }: FurtherValues): Line {
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
  const strideX = strideWidth ?? strideY;
  const depthwise = name.includes('DP');
  if (groups) requireDividing(groups, { channels, filters, depthwise });
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
    groups: groups?.count ?? 1,
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

/** What the columns say that not every topology has. */
interface FurtherValues {
  readonly strideWidth?: number;
  readonly groups?: Groups;
}

interface Groups {
  readonly count: number;
  readonly cell: Cell;
}

/** The further columns of a line; those that ask for what is not simulated are refused. */
function furtherValues(
  row: readonly Cell[],
  columns: Columns,
  { sparsityIsOff = false }: TopologyOptions,
): FurtherValues {
  let values: FurtherValues = {};
  for (const [index, cell] of row.slice(columns.firstFurther).entries()) {
    const { text, place } = cell;
    if (text === '') continue;
    const number = columns.firstFurther + index;
    switch (furtherColumnOf(cell, index, columns)) {
      case 'Stride Width':
        values = { ...values, strideWidth: numberIn(row, number, 'horizontal stride') };
        break;
      case 'Groups':
        values = { ...values, groups: { count: numberIn(row, number, 'number of groups'), cell } };
        break;
      case 'Sparsity':
        requireDense(cell, sparsityIsOff);
        break;
      case 'Batch':
        if (text === '1') break;
        throw new InputError(
          `${place}: "${excerpt(text)}", expected 1: layers are timed for one image.`,
        );
      case 'Target':
        break;
      case 'unnamed':
        throw new InputError(
          `${place}: "${excerpt(text)}" stands in a column without a heading, expected a heading above it.`,
        );
    }
  }
  return values;
}

/** What a cell behind the leading columns says: without a heading, what it can be. */
function furtherColumnOf({ text }: Cell, index: number, { kind, further }: Columns): FurtherColumn {
  const column = further[index] ?? 'unnamed';
  if (column !== 'unnamed') return column;
  if (text.includes(':')) return 'Sparsity';
  const isNumber = /^[\d.+-]+$/.test(text);
  if (isNumber && index === 0) return kind === 'product' ? 'Batch' : 'Stride Width';
  // Upstream's heads have "Strides,, Target", their lines the target right behind the stride.
  return !isNumber && further.includes('Target') ? 'Target' : 'unnamed';
}

function requireDense({ text, place }: Cell, sparsityIsOff: boolean): void {
  if (text === '1:1' || (sparsityIsOff && /^\d+:\d+$/.test(text))) return;
  throw new InputError(`${place}: "${excerpt(text)}", expected 1:1: sparsity is not simulated.`);
}

function requireDividing(
  { count, cell: { text, place } }: Groups,
  layer: { readonly channels: number; readonly filters: number; readonly depthwise: boolean },
): void {
  const { channels, filters, depthwise } = layer;
  if (depthwise && count !== 1) {
    throw new InputError(
      `${place}: "${excerpt(text)}", expected 1 group: DP in the name of the layer makes each channel a layer already.`,
    );
  }
  if (channels % count === 0 && filters % count === 0) return;
  throw new InputError(
    `${place}: "${excerpt(text)}", expected a number of groups that divides ${channels} channels and ${filters} filters.`,
  );
}

/** Multiply-accumulates that float64 counts exactly. */
function requireCountable(shape: ConvolutionShape, { text, place }: Cell): ConvolutionShape {
  const operations = multiplyAccumulates(shape);
  if (operations <= Number.MAX_SAFE_INTEGER) return shape;
  throw new InputError(
    `${place}: "${excerpt(text)}" has more than 2^53 multiply-accumulates, expected a smaller layer.`,
  );
}
