import { multiplyTile } from '../multiply';

/** Bytes of one row of a packed panel: 16 columns. */
const PANEL_ROW: usize = 64;

/** Laid out as in kernels/layouts.ts. */
@unmanaged
class ProductDescriptor {
  /** Bytes from one row of A to the next. */
  rowBytes: i32;
  /** Bytes from one panel of B to the next. */
  panelBytes: i32;
  panels: i32;
  /** Bytes from one row of C to the next. */
  sumBytes: i32;
}

/**
 * C = A·B in float32: `rows` rows times panels [depth][16 columns]. Products and sums are rounded
 * separately and added in ascending k. The sums start at `start` (one row of C), or, when it is 0, at what
 * C holds.
 */
export function multiplyFloat32Panels(
  d: ProductDescriptor,
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  depth: i32,
  start: usize,
): void {
  for (let panel = 0; panel < d.panels; panel++) {
    multiplyTile<f32>(a, d.rowBytes, b, c, d.sumBytes, rows, depth, start);
    b += d.panelBytes;
    c += PANEL_ROW;
    if (start) start += PANEL_ROW;
  }
}
