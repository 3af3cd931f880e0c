import { type ConvolutionShape, featureCount } from '../../../core/index.js';
import { tapsInside } from '../../float32/plan.js';
import { PANEL_COLUMNS } from '../plan.js';
import { type ImageRun, multiplyTiles, type PlacedFloat32Convolution } from './direct.js';

const FLOAT32_BYTES = 4;
const PANEL_ROW_BYTES = PANEL_COLUMNS * FLOAT32_BYTES;

/** Neighbouring taps of one output position that lie in neighbouring pixels of one line of the input. */
interface TapRun {
  /** First value along K. */
  readonly k: number;
  readonly length: number;
  /** First value of the input. */
  readonly input: number;
}

/** The taps inside the input of each output position, in ascending order of K. */
export function tapRuns(shape: ConvolutionShape): TapRun[][] {
  const { input, output, kernel, strides, pads, dilations } = shape;
  const positions: TapRun[][] = [];
  for (let y = 0; y < output.height; y++) {
    const [firstY, endY] = tapsInside(shape, 0, y);
    for (let x = 0; x < output.width; x++) {
      const [firstX, endX] = tapsInside(shape, 1, x);
      const runs: TapRun[] = [];
      for (let ky = firstY; ky < endY && firstX < endX; ky++) {
        const inputY = y * strides[0] - pads[0] + ky * dilations[0];
        const inputX = x * strides[1] - pads[1] + firstX;
        runs.push({
          k: (ky * kernel[1] + firstX) * input.channels,
          length: (endX - firstX) * input.channels,
          input: (inputY * input.width + inputX) * input.channels,
        });
      }
      // A window of padding only: its sum is the bias.
      if (runs.length === 0) runs.push({ k: 0, length: 0, input: 0 });
      positions.push(runs);
    }
  }
  return positions;
}

/** Computes all channels by `direct-inside`: for each output position a product whose rows are images. */
export function runInside(
  convolution: PlacedFloat32Convolution,
  product: number,
  positions: readonly (readonly TapRun[])[],
  run: ImageRun,
): void {
  const { workspace, layout, places } = convolution;
  const { accumulators } = workspace.places;
  const { shape, rowStride, blockRows } = layout.direct;
  const inputBytes = featureCount(shape.input) * FLOAT32_BYTES;
  const outputBytes = featureCount(shape.output) * FLOAT32_BYTES;
  for (let image = 0; image < run.images; image += blockRows) {
    const rows = Math.min(blockRows, run.images - image);
    const input = run.input + image * inputBytes;
    for (const [position, taps] of positions.entries()) {
      let start = places.bias;
      for (const tap of taps) {
        const a = input + tap.input * FLOAT32_BYTES;
        const b = places.weights + tap.k * PANEL_ROW_BYTES;
        multiplyTiles(convolution, product, { a, b, c: accumulators }, rows, tap.length, start);
        start = 0;
      }
      workspace.functions.finishFloat32Rows(
        run.finish,
        accumulators,
        rowStride * FLOAT32_BYTES,
        run.output + image * outputBytes + position * shape.output.channels * FLOAT32_BYTES,
        outputBytes,
        rows,
        position,
        0,
      );
    }
  }
}
