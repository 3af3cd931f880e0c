import { featureCount } from '../../../core/index.js';
import type { WorkspacePlaces } from '../memory.js';
import { PANEL_COLUMNS } from '../plan.js';
import type { Workspace } from '../workspace.js';
import type { Float32Functions } from './functions.js';
import type { FastPlaces, Float32Layout, Float32Places } from './memory.js';

const FLOAT32_BYTES = 4;
const PANEL_ROW_BYTES = PANEL_COLUMNS * FLOAT32_BYTES;

/** What float32 convolutions use of a workspace: that of WebAssembly, or of another provider of the same functions. */
export interface Float32Workspace extends Pick<Workspace, 'buffer' | 'allocate'> {
  readonly functions: Float32Functions;
  readonly places: Pick<WorkspacePlaces, 'windows' | 'accumulators'>;
}

/** A float32 convolution laid out in the memory of its workspace. */
export interface PlacedFloat32Convolution {
  readonly workspace: Float32Workspace;
  readonly layout: Float32Layout;
  readonly places: Float32Places;
}

/** Neighbouring images of a run: addresses of their input and output, and the finish descriptor to use. */
export interface ImageRun {
  readonly input: number;
  readonly output: number;
  readonly images: number;
  readonly finish: number;
}

/** Computes all channels by `direct`, block by block of output positions: gather, multiply, finish. */
export function runDirect(convolution: PlacedFloat32Convolution, run: ImageRun): void {
  const { workspace, layout, places } = convolution;
  const { functions } = workspace;
  const { windows, accumulators } = workspace.places;
  const { shape, rowStride, blockRows, groupOutputs, panelsPerGroup } = layout.direct;
  const { channels, height, width } = shape.output;
  const positions = height * width;
  const total = run.images * positions;
  const outputBytes = channels * FLOAT32_BYTES;
  const groupBytes = panelsPerGroup * layout.direct.paddedWindow * PANEL_ROW_BYTES;
  for (let firstRow = 0; firstRow < total; firstRow += blockRows) {
    const rows = Math.min(blockRows, total - firstRow);
    for (let group = 0; group < shape.groups; group++) {
      functions.gatherFloat32(places.gatherDescriptor, run.input, windows, firstRow, rows, group);
      const columnBytes = group * groupOutputs * FLOAT32_BYTES;
      multiplyTiles(
        convolution,
        places.directProduct,
        { a: windows, b: places.weights + group * groupBytes, c: accumulators + columnBytes },
        rows,
        layout.direct.paddedWindow,
        places.bias + columnBytes,
      );
    }
    const target = run.output + firstRow * outputBytes;
    const sumBytes = rowStride * FLOAT32_BYTES;
    functions.finishFloat32Rows(
      run.finish,
      accumulators,
      sumBytes,
      target,
      outputBytes,
      rows,
      firstRow % positions,
      1,
    );
  }
}

/** Computes some channels of a convolution of one group by `direct`, 16 at a time, over what is stored. */
export function runDirectChannels(
  convolution: PlacedFloat32Convolution,
  fast: FastPlaces,
  run: ImageRun,
  channels: readonly number[],
): void {
  const { workspace, layout, places } = convolution;
  const { buffer, functions } = workspace;
  const { windows, accumulators } = workspace.places;
  const { shape, paddedWindow, blockRows } = layout.direct;
  const { inputs: panel, channelList, channelBias } = fast.shared;
  const list = new Int32Array(buffer, channelList, PANEL_COLUMNS);
  const listBias = new Float32Array(buffer, channelBias, PANEL_COLUMNS);
  const bias = new Float32Array(buffer, places.bias, shape.output.channels);
  const positions = shape.output.height * shape.output.width;
  const total = run.images * positions;
  const outputBytes = shape.output.channels * FLOAT32_BYTES;
  for (let first = 0; first < channels.length; first += PANEL_COLUMNS) {
    const count = Math.min(PANEL_COLUMNS, channels.length - first);
    for (let column = 0; column < count; column++) {
      list[column] = channels[first + column];
      listBias[column] = bias[channels[first + column]];
    }
    functions.collectFloat32Channels(panel, places.weights, paddedWindow, channelList, count);
    for (let firstRow = 0; firstRow < total; firstRow += blockRows) {
      const rows = Math.min(blockRows, total - firstRow);
      functions.gatherFloat32(places.gatherDescriptor, run.input, windows, firstRow, rows, 0);
      const product = { a: windows, b: panel, c: accumulators };
      multiplyTiles(convolution, fast.channelProduct, product, rows, paddedWindow, channelBias);
      const target = run.output + firstRow * outputBytes;
      functions.scatterFloat32Channels(
        run.finish,
        accumulators,
        target,
        rows,
        channelList,
        count,
        firstRow % positions,
      );
    }
  }
}

/**
 * Multiplies windows by panels, tiles along K outermost: those windows stay in the cache while all panels
 * pass. The sums start at `start`, or, when it is 0, at what they hold; a `depth` of 0 just starts them.
 */
export function multiplyTiles(
  { workspace, layout }: PlacedFloat32Convolution,
  product: number,
  { a, b, c }: { readonly a: number; readonly b: number; readonly c: number },
  rows: number,
  depth: number,
  start: number,
): void {
  const { tileWindow } = layout.direct;
  let k = 0;
  do {
    workspace.functions.multiplyFloat32Panels(
      product,
      a + k * FLOAT32_BYTES,
      b + k * PANEL_ROW_BYTES,
      c,
      rows,
      Math.min(tileWindow, depth - k),
      k === 0 ? start : 0,
    );
    k += tileWindow;
  } while (k < depth);
}

/** The part of a run from image `first` to before image `end`. */
export function imagesOf(
  { layout }: PlacedFloat32Convolution,
  run: ImageRun,
  first: number,
  end: number,
): ImageRun {
  const { input, output } = layout.plan.shape;
  return {
    ...run,
    input: run.input + first * featureCount(input) * FLOAT32_BYTES,
    output: run.output + first * featureCount(output) * FLOAT32_BYTES,
    images: end - first,
  };
}
