export * from './accelerator/index.js';
export type { AccessCounts } from './access-counts.js';
export * from './datapath.js';
export {
  canFollowChanges,
  createDeltaRunner,
  type DeltaRunner,
  deltaRunnerBytes,
} from './delta-run.js';
export {
  applyFaultMap,
  createPatchBuffers,
  type PatchBuffers,
  type StoredWords,
} from './effective-faults.js';
export * from './energy/index.js';
export * from './inference.js';
export * from './interfaces.js';
export * from './memory.js';
export * from './network.js';
export * from './patches-per-image.js';
export { cellsOfWeight, type StoredBit, weightsOfCell } from './placement.js';
export * from './placement-resident.js';
export * from './placement-streamed.js';
export * from './processing-elements/index.js';
export {
  createRecording,
  type LayerRange,
  patchedLayers,
  type Recording,
  type RestartPoint,
  recordRun,
  restartPoints,
  runFrom,
} from './recorded-run.js';
export * from './shared-prefix.js';
export * from './systolic-array.js';
export * from './timing/index.js';
export * from './weight-hits.js';
export * from './weight-position.js';
export * from './weight-stream.js';
export * from './weight-words.js';
