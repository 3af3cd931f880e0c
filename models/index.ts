export {
  CIFAR10_IMAGE_LENGTH,
  type Cifar10Options,
  type ImageSet,
  loadCifar10,
  normalize,
  normalizedPixels,
  unpackCifar10,
} from './cifar10/cifar10.js';
export type {
  AccumulatorClip,
  Clip,
  Int8LayerClip,
  RequantizedClip,
} from './export/clipped-layer.js';
export {
  type ClipNames,
  type Float32Clips,
  writeFloat32,
  writeFloat32Exposed,
} from './export/float32.js';
export { writeQdq } from './export/qdq.js';
export { writeClipped, writeQOperator } from './export/qoperator.js';
export type { Form } from './graph/form.js';
export type { GraphResult, GraphScope, ImportGraph, TensorType } from './graph/graph.js';
export type { GraphBuilder, GraphOutput } from './graph/graph-builder.js';
export type { DataShape, InputSizes } from './graph/prepare/sample.js';
export type { ConstantQuantization } from './graph/quantization.js';
export type { QuantizationNames, WeightNames } from './graph/quantized-graph.js';
export {
  type QuantizedGraph,
  type QuantizedWriteOptions,
  quantizedName,
} from './graph/quantized-graph.js';
export type { ImportedGraph, StoredValue } from './import/import.js';
export * from './network.js';
export * from './onnx/index.js';
export type {
  Activation,
  ArrayParts,
  ConstantOperand,
  Float32Place,
  JoinableLayer,
  LayerParts,
  LayerPlace,
  LayerShapes,
  Operation,
  OperatorDefinition,
  OperatorReader,
  QuantizedArrayParts,
  QuantizedPlace,
  ReadValues,
  TensorPlace,
  WeightOperand,
  Without,
} from './operators/definition.js';
export { definitionOf, isMoving, OPERATORS, shapesOf } from './operators/index.js';
export { type ActivationRange, quantizeRange } from './quantization/affine.js';
export {
  type ChannelMeans,
  correctBiases,
  correctedLayers,
  createChannelMeans,
} from './quantization/bias-correction.js';
export * from './quantization/calibration.js';
export { dequantize, dequantizeWords } from './quantization/dequantize.js';
export { ACTIVATION_TYPES, type ActivationType } from './quantization/graph/graph-edit.js';
export {
  type Float32Graph,
  type GraphQuantization,
  quantizeGraph,
  readQuantized,
} from './quantization/graph/quantize-graph.js';
export {
  observedTensors,
  type QuantizedPart,
  quantizedPart,
} from './quantization/graph/quantized-part.js';
export { type Bin, createHistogram, type Histogram } from './quantization/histogram.js';
export * from './quantization/noise.js';
export {
  quantizeNetwork,
  WEIGHT_GRANULARITIES,
  type WeightGranularity,
} from './quantization/quantize.js';
export { leastSquaresRange, squaredError } from './quantization/range-search.js';
export { type NetworkGraph, type ReadOptions, readGraph, readNetwork } from './read-network.js';
export { shareEqualWeights, type WeightSource } from './weights/shared-weights.js';
export * from './weights/stored-words.js';
export { transpose } from './weights/transpose.js';
export { loadNetwork, modelFile, resolveModel, ZOO, zooThresholds } from './zoo.js';
