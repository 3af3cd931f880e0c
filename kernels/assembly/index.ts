/**
 * The WebAssembly SIMD kernels. A convolution is a matrix product: `gather*` copies the windows of a block
 * of output positions into the rows of a matrix (im2col), `multiply*` multiplies one tile of it by one
 * panel of packed weights, and `requantize` or `finishFloat32Rows` turns accumulators into stored outputs.
 * Every function handles one tile and returns: V8 replaces its baseline code by optimised code only
 * between two calls.
 */
export { deltaConvolution, deltaMaxPool } from './delta';
export { addFaultySumsFloat32, addFaultySumsInt16 } from './faulty-sums/add';
export {
  collectFaultySums,
  packFaultySumsFloat32,
  packFaultySumsInt16,
} from './faulty-sums/copy';
export {
  gatherChannels,
  gatherPositionsFloat32,
  gatherPositionsUint8,
} from './faulty-sums/gather';
export { requantize } from './finish';
export {
  collectFloat32Channels,
  exceedsFloat32,
  scatterFloat32Channels,
} from './float32/channels';
export { finishFloat32Rows } from './float32/finish';
export { addFloat32Groups } from './float32/groups';
export { multiplyFloat32Panels } from './float32/multiply';
export { transformFloat32Kernels } from './float32/weights';
export { transformFloat32Inputs, transformFloat32Outputs } from './float32/winograd';
export { gatherFloat32, gatherUint8 } from './gather';
export { accumulateDepthwise } from './int8/depthwise';
export { multiplyInt8Weights, subtractZeroPoints } from './int8/fully-connected';
export { invertPacked, invertStored, listInverted } from './int8/invert';
export { multiplyElements } from './int8/multiply';
export { transformInputs2x2 } from './int8/small-map';
export { accumulateTiles, finishTiles, requantizeTiles } from './int8/tiles';
export { transformBlocks, transformWeights } from './int8/weights';
export { transformInputs4x4 } from './int8/winograd';
export { multiplyInt16 } from './multiply';
export { maxPoolFloat32, maxPoolUint8 } from './pooling';
