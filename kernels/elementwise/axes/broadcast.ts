/**
 * Where two operands lie for each value of an output: a row-major loop over `dims`, with a step in values for each
 * dimension and operand, 0 where it is broadcast.
 */
export interface Broadcast {
  readonly dims: readonly number[];
  readonly steps: readonly [a: readonly number[], b: readonly number[]];
}

/** `length` outputs in a row: their first, and for both operands the first value and the step to the next. */
type Run = (
  output: number,
  length: number,
  a: number,
  stepA: number,
  b: number,
  stepB: number,
) => void;

interface Axis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
}

/** Joins dimensions through which both operands go on with one step, and drops those of one value. */
function joined({ dims, steps: [a, b] }: Broadcast): readonly Axis[] {
  const axes: Axis[] = [];
  for (const [index, size] of dims.entries()) {
    if (size === 1) continue;
    const last = axes.at(-1);
    const next = { size, a: a[index], b: b[index] };
    if (last && last.a === next.a * size && last.b === next.b * size) {
      axes[axes.length - 1] = { ...next, size: last.size * size };
    } else {
      axes.push(next);
    }
  }
  return axes.length === 0 ? [{ size: 1, a: 0, b: 0 }] : axes;
}

/** Calls `visit` for rows of outputs that together are all of them, in order. */
export function createBroadcastWalk(broadcast: Broadcast): (visit: Run) => void {
  const axes = joined(broadcast);
  const inner = axes[axes.length - 1];
  const outer = axes.slice(0, -1);
  const rows = outer.reduce((product, { size }) => product * size, 1);
  return (visit) => {
    const counters = outer.map(() => 0);
    let a = 0;
    let b = 0;
    for (let row = 0; row < rows; row++) {
      visit(row * inner.size, inner.size, a, inner.a, b, inner.b);
      for (let axis = outer.length - 1; axis >= 0; axis--) {
        a += outer[axis].a;
        b += outer[axis].b;
        if (++counters[axis] < outer[axis].size) break;
        counters[axis] = 0;
        a -= outer[axis].a * outer[axis].size;
        b -= outer[axis].b * outer[axis].size;
      }
    }
  };
}

/**
 * Calls `combine` for each output of so many images, with the places of the output and of both operands.
 * @param lengths values of an image in both operands; 0 for a constant, which all images share
 */
export function overImages(
  broadcast: Broadcast,
  lengths: readonly [a: number, b: number],
): (images: number, visit: Run) => void {
  const walk = createBroadcastWalk(broadcast);
  const length = broadcast.dims.reduce((product, size) => product * size, 1);
  return (images, visit) => {
    for (let image = 0; image < images; image++) {
      walk((output, count, a, stepA, b, stepB) =>
        visit(
          image * length + output,
          count,
          image * lengths[0] + a,
          stepA,
          image * lengths[1] + b,
          stepB,
        ),
      );
    }
  };
}
