import { featureCount } from '../../../core/index.js';
import { PANEL_COLUMNS } from '../plan.js';
import { writeDescriptor } from '../workspace.js';
import { winogradFields } from './descriptors.js';
import type { ImageRun, PlacedFloat32Convolution } from './direct.js';
import { runInside, tapRuns } from './inside.js';
import type { FastPlaces, WinogradLayout } from './memory.js';
import { runWinograd } from './winograd.js';

const FLOAT32_BYTES = 4;
const PANEL_ROW_BYTES = PANEL_COLUMNS * FLOAT32_BYTES;

/** An algorithm other than `direct`, laid out in memory. */
export interface FastAlgorithm {
  readonly places: FastPlaces;
  /** Computes all channels of images within the plan's limits. */
  readonly run: (run: ImageRun) => void;
  /** Brings what is kept of a kernel (one output and one input channel) up to date with its weights. */
  readonly updateKernel: (output: number, input: number) => void;
}

/** The algorithm of the plan, its descriptors written; undefined for `direct`. */
export function createFastAlgorithm(
  convolution: PlacedFloat32Convolution,
): FastAlgorithm | undefined {
  const { workspace, layout, places } = convolution;
  const { fast } = places;
  if (!fast) return undefined;
  const { paddedWindow } = layout.direct;
  writeDescriptor(workspace, fast.channelProduct, 'ProductDescriptor', {
    rowBytes: paddedWindow * FLOAT32_BYTES,
    panelBytes: 0,
    panels: 1,
    sumBytes: PANEL_ROW_BYTES,
  });
  return layout.winograd
    ? createWinograd(convolution, fast, layout.winograd)
    : createInside(convolution, fast);
}

function createInside(convolution: PlacedFloat32Convolution, fast: FastPlaces): FastAlgorithm {
  const { workspace, layout } = convolution;
  const { shape, paddedWindow, panelsPerGroup, rowStride } = layout.direct;
  writeDescriptor(workspace, fast.product, 'ProductDescriptor', {
    rowBytes: featureCount(shape.input) * FLOAT32_BYTES,
    panelBytes: paddedWindow * PANEL_ROW_BYTES,
    panels: panelsPerGroup,
    sumBytes: rowStride * FLOAT32_BYTES,
  });
  const positions = tapRuns(shape);
  return {
    places: fast,
    run: (run) => runInside(convolution, fast.product, positions, run),
    updateKernel: () => {},
  };
}

function createWinograd(
  convolution: PlacedFloat32Convolution,
  fast: FastPlaces,
  tiles: WinogradLayout,
): FastAlgorithm {
  const { workspace, layout, places } = convolution;
  const { input, output } = layout.plan.shape;
  writeDescriptor(workspace, fast.product, 'ProductDescriptor', {
    rowBytes: input.channels * FLOAT32_BYTES,
    panelBytes: input.channels * PANEL_ROW_BYTES,
    panels: output.channels / PANEL_COLUMNS,
    sumBytes: output.channels * FLOAT32_BYTES,
  });
  const fields = winogradFields(layout, tiles, places, fast);
  writeDescriptor(workspace, fast.winogradDescriptor, 'WinogradDescriptor', fields);
  const update = (outputChannel: number, inputChannel: number, count: number): void =>
    workspace.functions.transformFloat32Kernels(
      fast.winogradDescriptor,
      outputChannel,
      inputChannel,
      count,
    );
  for (let panel = 0; panel < output.channels; panel += PANEL_COLUMNS) {
    for (let inputChannel = 0; inputChannel < input.channels; inputChannel++) {
      // Neighbours in memory.
      update(panel, inputChannel, PANEL_COLUMNS);
    }
  }
  return {
    places: fast,
    run: (run) => runWinograd(convolution, fast, tiles, run),
    updateKernel: (outputChannel, inputChannel) => update(outputChannel, inputChannel, 1),
  };
}
