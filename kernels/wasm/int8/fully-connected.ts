import { windowSize } from '../../../core/index.js';
import type { Int8ConvolutionSpecification } from '../../backend.js';
import type { FullyConnectedPlaces } from '../memory.js';
import { type ConvolutionPlan, PANEL_COLUMNS } from '../plan.js';
import type { Workspace } from '../workspace.js';
import type { Int8Computation } from './transformed.js';

const ACCUMULATOR_BYTES = 4;

/** Most images that pass a panel together without its being cut into tiles: their sums stay in registers. */
const UNCUT_ROWS = 2;

/**
 * Products of a convolution of one output position with weights packed as stored, in int8. Panels are outermost: of few
 * images the time is that of reading the weights, and so they are read once and in order.
 */
export function fullyConnectedRun(
  workspace: Workspace,
  plan: ConvolutionPlan,
  { weightZeroPoints }: Int8ConvolutionSpecification,
  places: FullyConnectedPlaces,
): Int8Computation['run'] {
  const { buffer, functions } = workspace;
  const { windows, accumulators, transformedInputs: widened } = workspace.places;
  const { paddedWindow, elementBytes, depth, panelsPerGroup, tileWindow, blockRows } = plan;
  const { channels } = plan.shape.output;
  const windowBytes = paddedWindow * elementBytes;
  const rowBytes = plan.rowStride * ACCUMULATOR_BYTES;
  const hasZeroPoints = weightZeroPoints.some((zeroPoint) => zeroPoint !== 0);
  new Int32Array(buffer, places.weightZeroPoints).set(weightZeroPoints);

  function multiplyPanel(panel: number, rows: number): void {
    const weights = places.weights + panel * paddedWindow * PANEL_COLUMNS;
    const columnBytes = panel * PANEL_COLUMNS * ACCUMULATOR_BYTES;
    const tile = rows > UNCUT_ROWS ? tileWindow : paddedWindow;
    for (let k = 0; k < paddedWindow; k += tile) {
      functions.multiplyInt8Weights(
        windows + k * elementBytes,
        windowBytes,
        weights + k * PANEL_COLUMNS,
        accumulators + columnBytes,
        rowBytes,
        rows,
        Math.min(tile, paddedWindow - k) / depth,
        k === 0 ? places.bias + columnBytes : 0,
        widened,
      );
    }
  }

  return (input, output, images, observe) => {
    for (let firstRow = 0; firstRow < images; firstRow += blockRows) {
      const rows = Math.min(blockRows, images - firstRow);
      functions.gatherUint8(places.gatherDescriptor, input, windows, firstRow, rows, 0);
      for (let panel = 0; panel < panelsPerGroup; panel++) multiplyPanel(panel, rows);
      if (hasZeroPoints) {
        functions.subtractZeroPoints(
          windows,
          windowBytes,
          windowSize(plan.shape),
          accumulators,
          rowBytes,
          rows,
          places.weightZeroPoints,
          channels,
        );
      }
      observe?.(
        new Int32Array(buffer, accumulators, rows * plan.rowStride),
        firstRow,
        rows,
        plan.rowStride,
      );
      const target = output + firstRow * channels;
      functions.requantize(places.finishDescriptor, accumulators, target, firstRow, rows);
    }
  };
}
