/** Rows × columns values to columns × rows. */
export function transpose<
  T extends Float32Array | Int8Array | Int32Array | Uint8Array | Uint32Array,
>(values: T, rows: number): T {
  const columns = values.length / rows;
  const result = values.slice() as T;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      result[column * rows + row] = values[row * columns + column];
    }
  }
  return result;
}
