export type { StudyData } from './context.js';
export * from './infer.js';
export * from './load-network.js';
export { cifar10Inputs, type NetworkInputs } from './network-inputs.js';
export * from './quantize-model.js';
export * from './result.js';
export * from './run-study.js';
export * from './statistics/index.js';
export * from './study.js';
export * from './study-file.js';
export {
  type Outcome,
  runTrial,
  type Trial,
  type TrialContext,
  type TrialResult,
  top1,
} from './trial.js';
