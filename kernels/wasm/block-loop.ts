import type { ConvolutionPlaces } from './memory.js';
import type { KernelFunctions } from './module.js';
import { type ConvolutionPlan, PANEL_COLUMNS } from './plan.js';
import type { Workspace } from './workspace.js';

const ACCUMULATOR_BYTES = 4;

/** A convolution laid out in the memory of its workspace, and the kernels of its format. */
export interface PlacedConvolution {
  readonly workspace: Workspace;
  readonly plan: ConvolutionPlan;
  readonly places: ConvolutionPlaces;
  readonly gather: KernelFunctions['gatherUint8'];
  readonly multiply: KernelFunctions['multiplyInt16'];
  readonly finish: KernelFunctions['requantize'];
  /** Bytes of a stored activation. */
  readonly activationBytes: number;
}

/**
 * Runs a convolution block by block of output positions: gather windows, multiply, observe, finish.
 * @param input address of the input tensor
 * @param output address of the output tensor
 * @param observe called when the accumulators of a block are complete
 */
export function runBlocks(
  convolution: PlacedConvolution,
  input: number,
  output: number,
  images: number,
  observe: ((firstRow: number, rows: number) => void) | undefined,
): void {
  const { plan, places, workspace, gather, finish, activationBytes } = convolution;
  const { windows, accumulators } = workspace.places;
  const { channels, height, width } = plan.shape.output;
  const total = images * height * width;
  for (let firstRow = 0; firstRow < total; firstRow += plan.blockRows) {
    const rows = Math.min(plan.blockRows, total - firstRow);
    for (let group = 0; group < plan.groups; group++) {
      gather(places.gatherDescriptor, input, windows, firstRow, rows, group);
      multiplyGroup(convolution, group, rows);
    }
    observe?.(firstRow, rows);
    const target = output + firstRow * channels * activationBytes;
    finish(places.finishDescriptor, accumulators, target, firstRow, rows);
  }
}

/** Tiles along K outermost: the windows of a tile stay in the cache while all panels pass. */
function multiplyGroup(convolution: PlacedConvolution, group: number, rows: number): void {
  const { plan, places, workspace, multiply } = convolution;
  const { windows, accumulators } = workspace.places;
  const { paddedWindow, elementBytes, depth, panelsPerGroup } = plan;
  const windowBytes = paddedWindow * elementBytes;
  const strideBytes = plan.rowStride * ACCUMULATOR_BYTES;
  const firstPanel = places.weights + group * panelsPerGroup * PANEL_COLUMNS * windowBytes;
  for (let k = 0; k < paddedWindow; k += plan.tileWindow) {
    const length = Math.min(plan.tileWindow, paddedWindow - k);
    for (let panel = 0; panel < panelsPerGroup; panel++) {
      const channel = group * plan.groupOutputs + panel * PANEL_COLUMNS;
      const columnBytes = channel * ACCUMULATOR_BYTES;
      multiply(
        windows + k * elementBytes,
        windowBytes,
        firstPanel + (panel * windowBytes + k * elementBytes) * PANEL_COLUMNS,
        accumulators + columnBytes,
        strideBytes,
        rows,
        length / depth,
        k === 0 ? places.bias + columnBytes : 0,
      );
    }
  }
}
