export * from './accelerator/index.js';
export * from './cost.js';
export * from './datapath/activation-unit.js';
export * from './datapath/datapath.js';
export { int8Specification } from './datapath/layer-kernels.js';
export * from './datapath/network-datapath.js';
export { outputLength, sampleLength } from './datapath/samples.js';
export * from './datapath/stored-words.js';
export { disturbedSums } from './disturbance/array/disturbed-sums.js';
export { registerPatches } from './disturbance/array/register-patches.js';
export type {
  ArrayWeights,
  Float32ArrayWeights,
  Int8ArrayWeights,
} from './disturbance/array/window-weights.js';
export type { AccumulatorMemoryFaults, ArrayFaults } from './disturbance/array-faults.js';
export type { RoomForWords, StoredWords } from './disturbance/dense-patches.js';
export { type Disturbance, isOfWeightsAlone, type ReadThrough } from './disturbance/disturbance.js';
export {
  applyFaultMap,
  createPatchBuffers,
  createWordChanges,
  type PatchBuffers,
  type WeightPatches,
  type WordChanges,
} from './disturbance/patches.js';
export * from './disturbance/stored-values.js';
export {
  dataLanes,
  forEachStruckWord,
  laneBitOf,
  type WordFaults,
  wordLanes,
} from './disturbance/struck-words.js';
export {
  type TransientFault,
  type TransientOperation,
  type TransientValue,
  type TransientWeight,
  transientDisturbance,
  transientSums,
} from './disturbance/transients.js';
export {
  countFaultyCells,
  type FaultyCells,
  type WeightHit,
  weightHits,
} from './disturbance/weight-hits.js';
export * from './energy/index.js';
export type { AccessCounts } from './hardware/access-counts.js';
export * from './hardware/storages.js';
export * from './hardware/systolic-array.js';
export * from './islands/index.js';
export * from './memory/array-registers.js';
export * from './memory/feature-maps.js';
export {
  cellsOfWeight,
  type Placement,
  type StoredBit,
  weightsOfCell,
} from './memory/placement.js';
export * from './memory/resident.js';
export { networkWeights } from './memory/shared-slots.js';
export * from './memory/streamed.js';
export * from './memory/weight-memory.js';
export * from './memory/weight-position.js';
export * from './memory/weight-stream.js';
export * from './processing-elements/index.js';
export {
  type ChangeStruck,
  canFollowChanges,
  createDeltaRunner,
  type DeltaRunner,
  deltaRunnerBytes,
  type FollowedFaults,
} from './runs/delta-run.js';
export * from './runs/per-image.js';
export {
  createRecording,
  differingLayers,
  type LayerRange,
  type RecordedPoint,
  type Recording,
  type RestartPoint,
  recordRun,
  restartPoints,
  runFrom,
} from './runs/recorded-run.js';
export * from './runs/shared-prefix.js';
export { runTransients, type TransientRun } from './runs/transient-run.js';
export {
  type ArrayElement,
  type ArrayHit,
  type ArrayLayer,
  arrayHits,
  type Passing,
} from './storage/array-hits.js';
export { type BrokenStorages, disturbanceOf } from './storage/disturb.js';
export { countStorageCells } from './storage/faulty-cells.js';
export * from './storage/placed-storage.js';
export { arrayFaultsOf } from './storage/register-faults.js';
export { isSameMemory, storageSeed } from './storage/storage-seed.js';
export { type SiteScope, type TransientSites, transientSites } from './storage/transient-sites.js';
export * from './timing/index.js';
