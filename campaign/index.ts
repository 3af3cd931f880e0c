export { createTrialRunner, type StudyData } from './context.js';
export * from './distributions.js';
export * from './estimate.js';
export type { FaultSource } from './fault-source.js';
export * from './infer.js';
export * from './load-network.js';
export { cifar10Inputs, type NetworkInputs } from './network-inputs.js';
export { type CostFactors, costsOf, createPilot, type Pilot, type PilotResult } from './pilot.js';
export {
  type Condition,
  type PlacedNetwork,
  type PointKey,
  planConditions,
  pointKey,
} from './plan.js';
export type { PointYield, Share, StudyPoint } from './point.js';
export * from './point-sets.js';
export { type Engine, type TrialNetwork, top1 } from './predict.js';
export { type PreparedStudy, prepareStudy } from './prepare-study.js';
export * from './quantize-model.js';
export * from './run-study.js';
export { type SampleSize, singleFaultSamples } from './sample-size.js';
export * from './scope.js';
export * from './statistics/index.js';
export * from './stopping.js';
export * from './store/index.js';
export * from './study.js';
export * from './study-file.js';
export {
  type Outcome,
  runTrial,
  type Trial,
  type TrialContext,
  type TrialResult,
  trialImages,
} from './trial.js';
export * from './tune/index.js';
