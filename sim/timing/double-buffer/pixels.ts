import type { ConvolutionShape } from '../../../core/index.js';

/** Which rows (or columns) of an input lie under the windows of its output rows (or columns), padding left out. */
interface Axis {
  /** Distinct input rows under output rows 0 … n − 1, for each n. */
  readonly before: Int32Array;
  /** Distinct input rows under output rows from … to − 1. */
  under(from: number, to: number): number;
}

function axisOf(shape: ConvolutionShape, dimension: 0 | 1): Axis {
  const inputs = dimension === 0 ? shape.input.height : shape.input.width;
  const outputs = dimension === 0 ? shape.output.height : shape.output.width;
  const [kernel, stride, dilation, pad] = [
    shape.kernel[dimension],
    shape.strides[dimension],
    shape.dilations[dimension],
    shape.pads[dimension],
  ];
  const seen = new Int32Array(inputs);
  let pass = 0;
  /** Input rows under one output row that this pass has not seen. */
  const visit = (output: number) => {
    let fresh = 0;
    for (let tap = 0; tap < kernel; tap++) {
      const at = output * stride + tap * dilation - pad;
      if (at < 0 || at >= inputs || seen[at] === pass) continue;
      seen[at] = pass;
      fresh++;
    }
    return fresh;
  };
  const before = new Int32Array(outputs + 1);
  pass++;
  for (let output = 0; output < outputs; output++)
    before[output + 1] = before[output] + visit(output);
  return {
    before,
    under(from, to) {
      pass++;
      let count = 0;
      for (let output = from; output < to; output++) count += visit(output);
      return count;
    },
  };
}

/** Distinct pixels of one input channel under the windows of output positions (in raster order). */
export interface Pixels {
  /** Under all of them. */
  readonly all: number;
  /** Under positions from … to − 1 and not under any before. */
  fresh(from: number, to: number): number;
  /**
   * Under positions from … to − 1, where no pixel is kept from one output row to the next; those under the positions
   * before in the same output row are left out if `keptInRow`.
   */
  tile(from: number, to: number, keptInRow: boolean): number;
  /** In the input rows that `positions` positions in succession need at once. */
  rowWindow(positions: number): number;
}

export function pixelsOf(shape: ConvolutionShape): Pixels {
  const { height, width } = shape.output;
  const rows = axisOf(shape, 0);
  const columns = axisOf(shape, 1);
  const rowPixels = columns.before[width];
  const upTo = (position: number) => {
    const row = Math.floor(position / width);
    const inRow = columns.before[position - row * width];
    const freshRows = row < height ? rows.before[row + 1] - rows.before[row] : 0;
    return rows.before[row] * rowPixels + freshRows * inRow;
  };
  return {
    all: upTo(height * width),
    fresh: (from, to) => upTo(to) - upTo(from),
    tile(from, to, keptInRow) {
      let count = 0;
      for (let position = from; position < to; ) {
        const row = Math.floor(position / width);
        const end = Math.min(to, (row + 1) * width);
        const [left, right] = [position - row * width, end - row * width];
        const inRow = keptInRow
          ? columns.before[right] - columns.before[left]
          : columns.under(left, right);
        count += rows.under(row, row + 1) * inRow;
        position = end;
      }
      return count;
    },
    rowWindow(positions) {
      // So many positions in succession touch at most this many output rows.
      const outputRows = Math.min(height, Math.ceil((positions - 1) / width) + 1);
      const extent =
        (outputRows - 1) * shape.strides[0] + (shape.kernel[0] - 1) * shape.dilations[0] + 1;
      return Math.min(extent, shape.input.height) * rowPixels;
    },
  };
}
