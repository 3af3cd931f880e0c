/**
 * Axis k of the output is axis order[k] of the input; both row-major.
 *
 * @param dims sizes of the input's axes
 */
export function permuteAxes(
  dims: readonly number[],
  order: readonly number[],
  input: Uint8Array | Float32Array,
  output: Uint8Array | Float32Array,
): void {
  const strides = dims.map((_, axis) =>
    dims.slice(axis + 1).reduce((product, size) => product * size, 1),
  );
  const sizes = order.map((axis) => dims[axis]);
  const steps = order.map((axis) => strides[axis]);
  const last = sizes.length - 1;
  const count = sizes.reduce((product, size) => product * size, 1);
  const [innerSize, innerStep] = last < 0 ? [1, 0] : [sizes[last], steps[last]];
  const places = sizes.map(() => 0);
  let source = 0;
  for (let target = 0; target < count; ) {
    for (let place = 0, from = source; place < innerSize; place += 1, from += innerStep) {
      output[target] = input[from];
      target += 1;
    }
    for (let axis = last - 1; axis >= 0; axis -= 1) {
      places[axis] += 1;
      source += steps[axis];
      if (places[axis] < sizes[axis]) break;
      source -= places[axis] * steps[axis];
      places[axis] = 0;
    }
  }
}
