import type { AccumulatorObserver, Int8ConvolutionSpecification } from '../../backend.js';
import type { TransformPlaces } from '../memory.js';
import { PANEL_COLUMNS, planConvolution } from '../plan.js';
import { type Workspace, writeDescriptor } from '../workspace.js';
import { transformFields } from './descriptors.js';
import { SIDE_CHANNELS, type TransformPlan } from './plan.js';
import { transformedWeights } from './transformed-weights.js';

/** The part of an int8 kernel that depends on its algorithm; addresses, not tensors. */
export interface Int8Computation {
  setWeight(index: number, value: number): void;
  /** In ascending order; undefined: one by one is as fast. */
  setWeights?(indices: Uint32Array, values: Int8Array): void;
  invertBits(bits: Uint8Array): void;
  getWeight(index: number): number;
  run(
    input: number,
    output: number,
    images: number,
    observe?: AccumulatorObserver<Int32Array>,
  ): void;
}

/** A 3×3 convolution by transformed tiles, or directly while too many of its channels lack a proof. */
export function transformedConvolution(
  workspace: Workspace,
  plan: TransformPlan,
  specification: Int8ConvolutionSpecification,
  places: TransformPlaces,
  direct: Int8Computation['run'],
): Int8Computation {
  const { buffer, functions, places: shared } = workspace;
  const { shape, side, elements } = plan;
  const { channels, height, width } = shape.output;
  const { finishDescriptor, transformDescriptor: descriptor } = places;
  new Uint8Array(buffer, places.padding, shape.input.channels).fill(specification.inputZeroPoint);
  const fields = transformFields(plan, specification, places, shared);
  writeDescriptor(workspace, descriptor, 'TransformDescriptor', fields);
  const weights = transformedWeights(workspace, plan, specification, places);
  const transformInputs = side === 4 ? functions.transformInputs4x4 : functions.transformInputs2x2;
  const tilesPerImage = plan.tilesY * plan.tilesX;
  const rowValues = plan.accumulatorRow / 4;
  const kept = new Int32Array(
    buffer,
    shared.accumulators,
    plan.keptTiles * side * side * rowValues,
  );
  const sideAccumulators = new Int32Array(buffer, shared.sideAccumulators, side * SIDE_CHANNELS);
  const windowPlan = planConvolution(shape, 'int8');
  const windowBytes = windowPlan.paddedWindow * windowPlan.elementBytes;

  /** Products of a block of tiles, some panels at a time; `finish` turns them into accumulators. */
  function multiplyBlock(
    input: number,
    firstTile: number,
    tiles: number,
    finish: (firstChannel: number, count: number) => void,
  ): void {
    transformInputs(descriptor, input, firstTile, tiles);
    for (let panel = 0; panel < plan.panels; panel += plan.blockPanels) {
      const panels = Math.min(plan.blockPanels, plan.panels - panel);
      functions.multiplyElements(descriptor, elements, tiles, panel, panels);
      const firstChannel = panel * PANEL_COLUMNS;
      finish(firstChannel, Math.min(panels * PANEL_COLUMNS, channels - firstChannel));
    }
  }

  function runFused(input: number, output: number, images: number): void {
    const total = images * tilesPerImage;
    for (let firstTile = 0; firstTile < total; firstTile += plan.blockTiles) {
      const tiles = Math.min(plan.blockTiles, total - firstTile);
      multiplyBlock(input, firstTile, tiles, (firstChannel, count) => {
        functions.finishTiles(
          descriptor,
          finishDescriptor,
          side,
          output,
          firstTile,
          tiles,
          firstChannel,
          count,
          shared.accumulators,
        );
      });
    }
  }

  /** Keeps the accumulators of all channels of a block of tiles, to correct or to show them. */
  function runKept(
    input: number,
    output: number,
    images: number,
    unproven: readonly number[],
    observe?: AccumulatorObserver<Int32Array>,
  ): void {
    const total = images * tilesPerImage;
    for (let firstTile = 0; firstTile < total; firstTile += plan.keptTiles) {
      const tiles = Math.min(plan.keptTiles, total - firstTile);
      multiplyBlock(input, firstTile, tiles, (firstChannel, count) => {
        const target = shared.accumulators + firstChannel * 4;
        functions.accumulateTiles(descriptor, side, tiles, firstChannel, count, target);
      });
      forEachTileRow(firstTile, tiles, (start, firstRow, rows) => {
        if (unproven.length > 0) replaceUnproven(input, unproven, start, firstRow, rows);
        observe?.(
          kept.subarray(start * rowValues, (start + rows) * rowValues),
          firstRow,
          rows,
          rowValues,
        );
      });
      functions.requantizeTiles(
        descriptor,
        finishDescriptor,
        side,
        output,
        firstTile,
        tiles,
        shared.accumulators,
      );
    }
  }

  /** `start` is a position among the kept accumulators; `firstRow` counts image-major output positions. */
  function forEachTileRow(
    firstTile: number,
    tiles: number,
    visit: (start: number, firstRow: number, rows: number) => void,
  ): void {
    for (let tile = 0; tile < tiles; tile++) {
      const inImage = (firstTile + tile) % tilesPerImage;
      const image = (firstTile + tile - inImage) / tilesPerImage;
      const x = (inImage % plan.tilesX) * side;
      const firstY = Math.floor(inImage / plan.tilesX) * side;
      const lines = Math.min(side, height - firstY);
      for (let line = 0; line < lines; line++) {
        const firstRow = (image * height + firstY + line) * width + x;
        visit((tile * side + line) * side, firstRow, Math.min(side, width - x));
      }
    }
  }

  function replaceUnproven(
    input: number,
    unproven: readonly number[],
    start: number,
    firstRow: number,
    rows: number,
  ): void {
    functions.gatherUint8(places.gatherDescriptor, input, shared.windows, firstRow, rows, 0);
    functions.multiplyInt16(
      shared.windows,
      windowBytes,
      places.sideWeights,
      shared.sideAccumulators,
      SIDE_CHANNELS * 4,
      rows,
      windowPlan.paddedWindow / windowPlan.depth,
      places.sideBias,
    );
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < unproven.length; column++) {
        kept[(start + row) * rowValues + unproven[column]] =
          sideAccumulators[row * SIDE_CHANNELS + column];
      }
    }
  }

  return {
    setWeight: weights.set,
    setWeights: weights.setAll,
    invertBits: weights.invert,
    getWeight: weights.get,
    run(input, output, images, observe) {
      const { algorithm, side: unproven } = weights.update();
      if (algorithm === 'direct') direct(input, output, images, observe);
      else if (observe || unproven.length > 0) runKept(input, output, images, unproven, observe);
      else runFused(input, output, images);
    },
  };
}
