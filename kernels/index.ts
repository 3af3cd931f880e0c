export * from './backend.js';
export {
  addWithTable,
  type QuantizedAddSpecification,
  quantizedAddTable,
  realAddTable,
} from './elementwise/add.js';
export {
  type AveragePoolSpecification,
  averagePool,
  globalAveragePool,
} from './elementwise/average-pool.js';
export type { Broadcast } from './elementwise/axes/broadcast.js';
export {
  type Grouping,
  groupingAlong,
  placesOf,
  rowMajorSteps,
} from './elementwise/axes/grouping.js';
export { permuteAxes } from './elementwise/axes/permute.js';
export {
  type BinaryOperand,
  createTableBinary,
  type QuantizedOperands,
  quantizedMultiplyTable,
  realBinaryTable,
  storedReals,
} from './elementwise/binary.js';
export { type ConcatPart, concatChannels } from './elementwise/concat.js';
export { dilatedMaxPool } from './elementwise/dilated-max-pool.js';
export { fusedMultiplyAdd } from './elementwise/fused-multiply-add.js';
export { type IntegerGrid, quantizeToGrid } from './elementwise/grid.js';
export {
  activationTable,
  applyTable,
  type BatchNormalization,
  batchNormalizationTable,
  clipTable,
  leakyReluTable,
  requantizationTable,
} from './elementwise/lookup.js';
export {
  dequantizeStored,
  mergedQuantization,
  type StoredQuantization,
  storageOffset,
} from './elementwise/quantization.js';
export { createQuantizedSoftmax } from './elementwise/quantized-softmax.js';
export { type PoolingOrder, realAveragePool } from './elementwise/real-average-pool.js';
export type {
  FaultySumsKernel,
  FaultySumsSpecification,
  SumGroup,
  SumPart,
  SumSteps,
  WordMasks,
} from './faulty-sums.js';
export {
  BINARY_OPERATIONS,
  type BinaryOperation,
  createBinary,
  createBinaryByConstant,
} from './float32/binary.js';
export * from './float32/elementwise.js';
export {
  applyFunction,
  FUNCTIONS,
  type FunctionName,
  type NamedFunction,
  type RealFunction,
  realFunction,
} from './float32/functions.js';
export * from './float32/normalization.js';
export * from './float32/plan.js';
export {
  placeOfExtreme,
  REDUCTIONS,
  type ReductionName,
  reduceGroups,
  softmaxGroups,
} from './float32/reduce.js';
export {
  createBackend,
  createDeltaKernels,
  KERNEL_PROVIDERS,
  type KernelCode,
  type KernelNeeds,
  type KernelProvider,
  type KernelProviderName,
  type KernelsInUse,
  kernelsInUse,
  loadKernels,
  PROVIDERS,
  setKernelProvider,
} from './providers/provider.js';
export { SELF_TEST_NEEDS, type SelfTest, testKernels } from './providers/self-test.js';
export { quantizeImages, quantizeUint8, requantize } from './quantize.js';
export { createReferenceBackend } from './reference/backend.js';
export { referenceFaultySums } from './reference/faulty-sums.js';
export { flatten } from './reference/flatten.js';
export { int8Finish, type OutputPlace } from './reference/int8-convolution.js';
export { createWasmBackend } from './wasm/backend.js';
export {
  type ChangeList,
  changeValue,
  type DeltaConvolution,
  type DeltaKernels,
  type DeltaLayer,
  type DeltaLimits,
  type DeltaNeeds,
  type DeltaTensors,
  deltaBytesNeeded,
  deltaRowChannels,
  type UpdateConvolution,
  undoChanges,
  type WeightChange,
} from './wasm/delta.js';
export { createFaultySumsRunner, type FaultySumsRunner } from './wasm/faulty-sums/runner.js';
export {
  type Int8Algorithm,
  type Int8Plan,
  planInt8Convolution,
  type TransformPlan,
} from './wasm/int8/plan.js';
export { type WasmMemoryNeeds, wasmBytesNeeded } from './wasm/memory.js';
export { compileKernels, type KernelModule } from './wasm/module.js';
export type { KernelFormat } from './wasm/plan.js';
