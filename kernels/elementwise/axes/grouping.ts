/**
 * A tensor's values in groups that are reduced, sought through or normalised together. Value `member` of group
 * `group` is the one at `starts[group] + members[member]`; groups, and the values in one, are in the tensor's order.
 */
export interface Grouping {
  readonly starts: Int32Array;
  readonly members: Int32Array;
}

/**
 * Values that differ in their place along `axes` alone form a group.
 * @param dims of the tensor, row-major
 */
export function groupingAlong(dims: readonly number[], axes: readonly number[]): Grouping {
  const steps = rowMajorSteps(dims);
  const along = (chosen: (axis: number) => boolean) => {
    const kept = [...dims.keys()].filter(chosen);
    return placesOf(
      kept.map((axis) => dims[axis]),
      kept.map((axis) => steps[axis]),
    );
  };
  return {
    starts: along((axis) => !axes.includes(axis)),
    members: along((axis) => axes.includes(axis)),
  };
}

/** How many values further the next along each dimension lies. */
export function rowMajorSteps(dims: readonly number[]): number[] {
  return dims.map((_, axis) => dims.slice(axis + 1).reduce((product, size) => product * size, 1));
}

/** The places that a row-major loop over `dims` comes to, with a step for each dimension. */
export function placesOf(dims: readonly number[], steps: readonly number[]): Int32Array {
  let places: Int32Array = Int32Array.of(0);
  for (const [axis, size] of dims.entries()) places = spread(places, size, steps[axis]);
  return places;
}

/** Each place followed by those that lie 1…size − 1 steps behind it. */
function spread(places: Int32Array, size: number, step: number): Int32Array {
  const result = new Int32Array(places.length * size);
  for (const [index, place] of places.entries()) {
    for (let count = 0; count < size; count++) result[index * size + count] = place + count * step;
  }
  return result;
}
