import type { Float32ConvolutionKernel, Float32ConvolutionSpecification } from '../backend.js';
import { float32ConvolutionsOn } from '../wasm/float32/convolution.js';
import type { Float32Functions } from '../wasm/float32/functions.js';
import type { NativeWorkspace } from './workspace.js';

/**
 * A function that makes float32 convolutions in a workspace. Layout, blocks and limits are those of WebAssembly; each
 * block is computed by compiled C.
 */
export function float32ConvolutionsNative(
  workspace: NativeWorkspace,
): (specification: Float32ConvolutionSpecification) => Float32ConvolutionKernel {
  return float32ConvolutionsOn({ ...workspace, functions: boundFunctions(workspace) });
}

/** The functions of the library on one memory and instruction set. */
function boundFunctions({ buffer, functions, instructionSet }: NativeWorkspace): Float32Functions {
  return {
    gatherFloat32: (...rest) => functions.gatherFloat32(buffer, instructionSet, ...rest),
    multiplyFloat32Panels: (...rest) =>
      functions.multiplyFloat32Panels(buffer, instructionSet, ...rest),
    finishFloat32Rows: (...rest) => functions.finishFloat32Rows(buffer, instructionSet, ...rest),
    scatterFloat32Channels: (...rest) =>
      functions.scatterFloat32Channels(buffer, instructionSet, ...rest),
    collectFloat32Channels: (...rest) =>
      functions.collectFloat32Channels(buffer, instructionSet, ...rest),
    addFloat32Groups: (...rest) => functions.addFloat32Groups(buffer, instructionSet, ...rest),
    exceedsFloat32: (...rest) => functions.exceedsFloat32(buffer, instructionSet, ...rest),
    transformFloat32Kernels: (...rest) =>
      functions.transformFloat32Kernels(buffer, instructionSet, ...rest),
    transformFloat32Inputs: (...rest) =>
      functions.transformFloat32Inputs(buffer, instructionSet, ...rest),
    transformFloat32Outputs: (...rest) =>
      functions.transformFloat32Outputs(buffer, instructionSet, ...rest),
  };
}
