export {
  CIFAR10_IMAGE_LENGTH,
  type Cifar10Options,
  type ImageSet,
  loadCifar10,
  normalize,
  unpackCifar10,
} from './cifar10.js';
export { writeFloat32 } from './export/float32.js';
export { writeQdq } from './export/qdq.js';
export {
  type AccumulatorClip,
  writeClipped,
  writeQOperator,
} from './export/qoperator.js';
export { type QuantizedWriteOptions, quantizedName } from './export/quantized.js';
export * from './network.js';
export * from './onnx/index.js';
export * from './quantization/calibration.js';
export { dequantize } from './quantization/dequantize.js';
export { quantizeNetwork } from './quantization/quantize.js';
export { readNetwork } from './read-network.js';
export { resolveModel, ZOO, zooThresholds } from './zoo.js';
