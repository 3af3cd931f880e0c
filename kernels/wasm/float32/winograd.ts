import { type ImageRun, multiplyTiles, type PlacedFloat32Convolution } from './direct.js';
import type { FastPlaces, WinogradLayout } from './memory.js';

/** Computes all channels by Winograd, block by block of tiles: transform, multiply, transform back. */
export function runWinograd(
  convolution: PlacedFloat32Convolution,
  fast: FastPlaces,
  layout: WinogradLayout,
  run: ImageRun,
): void {
  const { elements, rows, columns, tileBlock, inputPlane, outputPlane, weightPlane } = layout;
  const { shared, product, winogradDescriptor, transformedWeights } = fast;
  const { functions } = convolution.workspace;
  const { channels } = convolution.layout.plan.shape.input;
  const total = run.images * rows * columns;
  for (let first = 0; first < total; first += tileBlock) {
    const tiles = Math.min(tileBlock, total - first);
    functions.transformFloat32Inputs(winogradDescriptor, run.input, shared.inputs, first, tiles);
    for (let element = 0; element < elements; element++) {
      const operands = {
        a: shared.inputs + element * inputPlane,
        b: transformedWeights + element * weightPlane,
        c: shared.products + element * outputPlane,
      };
      multiplyTiles(convolution, product, operands, tiles, channels, shared.zeros);
    }
    functions.transformFloat32Outputs(
      winogradDescriptor,
      run.finish,
      shared.products,
      run.output,
      first,
      tiles,
    );
  }
}
