import { requireMemory } from '../../../core/index.js';

/**
 * An operand as SCALE-Sim fetches it: a matrix whose columns lie along one dimension of the array and whose rows are
 * the steps of its folds, one fold below the other. Stationary operands are fetched row by row, streamed ones
 * along anti-diagonals, the larger row first. A blank entry has no address and is skipped.
 */
export interface FetchMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly order: 'row-major' | 'diagonal';
  isBlank(row: number, column: number): boolean;
  /** Whether blanks are only where the last fold does not fill the array; then the next three hold. */
  readonly regular: boolean;
  /** Rows of one fold. */
  readonly foldRows: number;
  /** Columns of the last fold that hold entries. */
  readonly lastFoldColumns: number;
  /**
   * Whether the address at an entry occurs at a second entry whose place in the order fulfils `holds`. Undefined where
   * every address occurs once.
   */
  readonly occursElsewhere?: (
    row: number,
    column: number,
    holds: (place: number) => boolean,
  ) => boolean;
}

/** Place of an entry in the order of fetching; blanks take places, too. */
export function placeOf(matrix: FetchMatrix, row: number, column: number): number {
  if (matrix.order === 'row-major') return row * matrix.columns + column;
  const diagonal = row + column;
  const firstColumn = Math.max(0, diagonal - matrix.rows + 1);
  return entriesBeforeDiagonal(matrix, diagonal) + column - firstColumn;
}

/** Entries (row, column) of the matrix with row + column < diagonal. */
function entriesBeforeDiagonal({ rows, columns }: FetchMatrix, diagonal: number): number {
  return (
    triangle(diagonal) -
    triangle(diagonal - rows) -
    triangle(diagonal - columns) +
    triangle(diagonal - rows - columns)
  );
}

function triangle(side: number): number {
  return side > 0 ? (side * (side + 1)) / 2 : 0;
}

export interface Sets {
  /** The places at which the sets begin, and the end. */
  readonly boundaries: Float64Array;
  /** Entries in all of them. */
  readonly entries: number;
}

/** The number, and its copy. */
const BYTES_PER_SET = 16;

/**
 * Cut the entries, in the order of fetching, into sets of so many. As in SCALE-Sim, a set that ends with the last entry
 * is followed by an empty one.
 */
export function setsOf(matrix: FetchMatrix, entriesPerSet: number): Sets {
  const entriesAtMost = matrix.rows * matrix.columns;
  requireMemory(
    (entriesAtMost / entriesPerSet) * BYTES_PER_SET,
    `An operand of ${entriesAtMost} words in a buffer of SCALE-Sim with ${entriesPerSet} words a set`,
  );
  const boundaries = [0];
  const diagonal = matrix.order === 'diagonal';
  const lines = diagonal ? matrix.rows + matrix.columns - 1 : matrix.rows;
  let place = 0;
  let inSet = 0;
  for (let line = 0; line < lines; line++) {
    const firstColumn = diagonal ? Math.max(0, line - matrix.rows + 1) : 0;
    const endColumn = diagonal ? Math.min(matrix.columns, line + 1) : matrix.columns;
    const length = endColumn - firstColumn;
    // No set ends in this line, whatever of it is blank, or few enough of its entries exist.
    if (inSet + length < entriesPerSet && matrix.regular) {
      inSet += length - blanksInLine(matrix, line, firstColumn, endColumn);
      place += length;
      continue;
    }
    for (let column = firstColumn; column < endColumn; column++) {
      place++;
      if (matrix.isBlank(diagonal ? line - column : line, column)) continue;
      if (++inSet < entriesPerSet) continue;
      boundaries.push(place);
      inSet = 0;
    }
  }
  boundaries.push(place);
  const entries = (boundaries.length - 2) * entriesPerSet + inSet;
  return { boundaries: Float64Array.from(boundaries), entries };
}

/** Blanks of a regular matrix in the columns firstColumn … endColumn − 1 of a row or diagonal. */
function blanksInLine(
  matrix: FetchMatrix,
  line: number,
  firstColumn: number,
  endColumn: number,
): number {
  const lastFold = matrix.rows - matrix.foldRows;
  // The columns of the line that lie in the last fold end here: row = line − column ≥ lastFold on a diagonal.
  const end = matrix.order === 'diagonal' ? Math.min(endColumn, line - lastFold + 1) : endColumn;
  if (matrix.order === 'row-major' && line < lastFold) return 0;
  return Math.max(0, end - Math.max(firstColumn, matrix.lastFoldColumns));
}
