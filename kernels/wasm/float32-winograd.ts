import { type ImageRun, multiplyTiles, type PlacedFloat32Convolution } from './float32-direct.js';
import type { Float32Functions } from './float32-functions.js';
import type { FastPlaces, WinogradLayout } from './float32-memory.js';

/** The transforms of one tile size. */
export interface WinogradFunctions {
  readonly transformKernel: Float32Functions['transformFloat32Kernel4x4'];
  readonly transformInputs: Float32Functions['transformFloat32Inputs4x4'];
  readonly transformOutputs: Float32Functions['transformFloat32Outputs4x4'];
}

export function winogradFunctions(functions: Float32Functions, outputs: 2 | 4): WinogradFunctions {
  return outputs === 2
    ? {
        transformKernel: functions.transformFloat32Kernel2x2,
        transformInputs: functions.transformFloat32Inputs2x2,
        transformOutputs: functions.transformFloat32Outputs2x2,
      }
    : {
        transformKernel: functions.transformFloat32Kernel4x4,
        transformInputs: functions.transformFloat32Inputs4x4,
        transformOutputs: functions.transformFloat32Outputs4x4,
      };
}

/** Computes all channels by Winograd, block by block of tiles: transform, multiply, transform back. */
export function runWinograd(
  convolution: PlacedFloat32Convolution,
  fast: FastPlaces,
  layout: WinogradLayout,
  { transformInputs, transformOutputs }: WinogradFunctions,
  run: ImageRun,
): void {
  const { elements, rows, columns, tileBlock, inputPlane, outputPlane, weightPlane } = layout;
  const { shared, product, winogradDescriptor, transformedWeights } = fast;
  const { channels } = convolution.layout.plan.shape.input;
  const total = run.images * rows * columns;
  for (let first = 0; first < total; first += tileBlock) {
    const tiles = Math.min(tileBlock, total - first);
    transformInputs(winogradDescriptor, run.input, shared.inputs, first, tiles);
    for (let element = 0; element < elements; element++) {
      const operands = {
        a: shared.inputs + element * inputPlane,
        b: transformedWeights + element * weightPlane,
        c: shared.products + element * outputPlane,
      };
      multiplyTiles(convolution, product, operands, tiles, channels, shared.zeros);
    }
    transformOutputs(winogradDescriptor, run.finish, shared.products, run.output, first, tiles);
  }
}
