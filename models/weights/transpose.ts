/** Side of the squares that are transposed one by one: both lie in a level-1 cache. */
const SQUARE = 32;

/**
 * Rows × columns values to columns × rows. Whole rows would write to as many places in memory as there are columns: for
 * 4096 × 4096 values that takes five times as long.
 */
export function transpose<
  T extends Float32Array | Int8Array | Int32Array | Uint8Array | Uint32Array,
>(values: T, rows: number): T {
  const columns = values.length / rows;
  const result = values.slice() as T;
  for (let firstRow = 0; firstRow < rows; firstRow += SQUARE) {
    const lastRow = Math.min(firstRow + SQUARE, rows);
    for (let firstColumn = 0; firstColumn < columns; firstColumn += SQUARE) {
      const lastColumn = Math.min(firstColumn + SQUARE, columns);
      for (let column = firstColumn; column < lastColumn; column += 1) {
        for (let row = firstRow; row < lastRow; row += 1) {
          result[column * rows + row] = values[row * columns + column];
        }
      }
    }
  }
  return result;
}
