import { didYouMean, excerpt, InputError } from '../../../core/index.js';

/** One cell of a file, with its place for messages. */
export interface Cell {
  readonly text: string;
  readonly place: string;
}

/** What a topology lists: convolutions, or products of an M × K and a K × N matrix. */
export type TopologyKind = 'convolution' | 'product';

/** What a column says that not every topology has. A column without a heading may be several of them. */
export type FurtherColumn = 'Stride Width' | 'Sparsity' | 'Batch' | 'Groups' | 'Target' | 'unnamed';

/** Columns that every topology of a kind has, in this order, and how their headings begin. */
const LEADING_COLUMNS: Readonly<Record<TopologyKind, readonly (readonly [string, RegExp])[]>> = {
  convolution: [
    ['Layer name', /^layer/],
    ['IFMAP Height', /^(ifmap|input)h/],
    ['IFMAP Width', /^(ifmap|input)w/],
    ['Filter Height', /^(filter|kernel)h/],
    ['Filter Width', /^(filter|kernel)w/],
    ['Channels', /^(num|numberof)?(input)?channels?$/],
    ['Num Filter', /^(num|numberof)?filters?$/],
    ['Strides', /^strides?/],
  ],
  product: [
    ['Layer', /^layer/],
    ['M', /^m$/],
    ['N', /^n$/],
    ['K', /^k$/],
  ],
};

const FURTHER_COLUMNS: readonly (readonly [FurtherColumn, RegExp])[] = [
  ['Stride Width', /stride/],
  ['Sparsity', /spars/],
  ['Batch', /batch/],
  ['Groups', /^(num|numberof)?groups?$/],
  ['Target', /^target$/],
];

/** Those that may stand behind the leading ones. */
const FURTHER_NAMES: Readonly<Record<TopologyKind, readonly FurtherColumn[]>> = {
  convolution: ['Stride Width', 'Sparsity', 'Batch', 'Groups', 'Target'],
  product: ['Sparsity', 'Batch', 'Target'],
};

/** Columns of other tools. In the place of a leading column they are not one of its many spellings. */
const FOREIGN_COLUMN = /^(pad|dilat)/;

/** How a topology's columns are to be read. */
export interface Columns {
  readonly kind: TopologyKind;
  /** Number of the first column that not every topology has. */
  readonly firstFurther: number;
  /** What each column from there on says. */
  readonly further: readonly FurtherColumn[];
}

/**
 * The columns that a line of headings names. SCALE-Sim goes by their places and skips that line, so the leading
 * columns may be spelt in any way, but a name that belongs elsewhere is refused, and so is a further column that is
 * not known.
 *
 * @throws InputError naming the column, and those that are possible
 */
export function columnsOf(headings: readonly Cell[]): Columns {
  const kind = kindOf(headings);
  const leading = LEADING_COLUMNS[kind];
  requireInPlace(headings, kind);
  const further = headings.slice(leading.length).map((heading) => furtherColumn(heading, kind));
  for (const [index, column] of further.entries()) {
    const { text, place } = headings[leading.length + index];
    if (column === 'unnamed' || further.indexOf(column) === index) continue;
    throw new InputError(`${place}: "${excerpt(text)}", expected each column once.`);
  }
  return { kind, firstFurther: leading.length, further };
}

function kindOf(headings: readonly Cell[]): TopologyKind {
  const names = headings.slice(1, 4).map(({ text }) => letters(text));
  return ['k', 'm', 'n'].every((name) => names.includes(name)) ? 'product' : 'convolution';
}

/** Where a leading column stands in another's place, the first heading that is not what is expected there. */
function requireInPlace(headings: readonly Cell[], kind: TopologyKind): void {
  const leading = LEADING_COLUMNS[kind];
  const others = [...leading, ...FURTHER_COLUMNS].map(([, pattern]) => pattern);
  const strange = headings
    .slice(1, leading.length)
    .map((heading, index) => ({ ...heading, expected: leading[index + 1] }))
    .filter(({ text, expected: [, pattern] }) => !pattern.test(letters(text)));
  const isNamedElsewhere = ({ text }: Cell) =>
    [...others, FOREIGN_COLUMN].some((pattern) => pattern.test(letters(text)));
  if (!strange.some(isNamedElsewhere)) return;
  const [{ text, place, expected }] = strange;
  throw new InputError(
    `${place}: column "${excerpt(text)}", expected ${expected[0]}: columns are read in the order ${leading.map(([name]) => name).join(', ')}.`,
  );
}

function furtherColumn({ text, place }: Cell, kind: TopologyKind): FurtherColumn {
  if (text === '') return 'unnamed';
  const [column] = FURTHER_COLUMNS.find(([, pattern]) => pattern.test(letters(text))) ?? [];
  const possible = FURTHER_NAMES[kind];
  if (column !== undefined && possible.includes(column)) return column;
  const last = LEADING_COLUMNS[kind].at(-1)?.[0];
  throw new InputError(
    `${place}: column "${excerpt(text)}" is not read${didYouMean(text, possible)}, expected ${possible.join(', ')} or nothing after ${last}.`,
  );
}

/** A heading without case, blanks and marks. */
function letters(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}
