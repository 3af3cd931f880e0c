export { loadNetwork } from '../models/index.js';
export type { PointRow } from './execute/collector.js';
export { continueCommand, replayCommand } from './execute/command-line.js';
export type { RestartListener } from './execute/worker-thread.js';
export * from './inference/compare-answers.js';
export * from './inference/distributions.js';
export * from './inference/infer.js';
export { cifar10Inputs, type NetworkInputs, workloadSamples } from './inference/network-inputs.js';
export {
  clipOf,
  type FaultedNetwork,
  faultedNetwork,
  type ProtectedNetwork,
} from './inference/protected-network.js';
export * from './inference/quantize.js';
export { requireCifar10Network } from './inputs/cifar10-network.js';
export type { DieLabels, PlacedDie, PlacedDies, PlacedLevel } from './inputs/dies/index.js';
export type { MeasuredMapOptions } from './inputs/measured-map.js';
export {
  dataShapesOf,
  type InputArray,
  joinSamples,
  readSamples,
  type Samples,
} from './inputs/samples.js';
export type { SharedNetwork } from './inputs/shared-network.js';
export { type TaskOptions, taskOf } from './inputs/tasks.js';
export {
  loadThresholds,
  PROFILE_IMAGES,
  type ProfileData,
  profileThresholds,
} from './inputs/thresholds.js';
export {
  cifar10Workload,
  type DataOptions,
  givenWorkload,
  loadSamples,
  type StudySamples,
} from './inputs/workload.js';
export {
  type Candidate,
  type CandidateCounts,
  type CandidatePrice,
  type Decision,
  decideCheapest,
} from './points/decision.js';
export type { StudyDesign } from './points/design.js';
export { type DieOutcome, type DieRow, judgeDie } from './points/dies/die-row.js';
export {
  type DieDesign,
  type DieVmin,
  type DieYield,
  dieVmins,
  dieYields,
} from './points/dies/die-summary.js';
export {
  PRICE_UNITS,
  type PricedPoint,
  type PriceUnit,
  type StudyPrices,
  withPrices,
} from './points/mitigation-prices.js';
export * from './points/pareto-front.js';
export {
  type CostFactors,
  costsOf,
  createPilot,
  type Pilot,
  type PilotResult,
} from './points/pilot.js';
export {
  type PointYield,
  pointYield,
  type Share,
  type StudyPoint,
  type YieldCounts,
} from './points/point.js';
export * from './points/point-sets.js';
export { type SampleSize, singleFaultSamples } from './points/sample-size.js';
export * from './points/stopping.js';
export * from './run/cheapest.js';
export * from './run/estimate.js';
export { type PreparedStudy, prepareStudy } from './run/prepare.js';
export { priceColumns } from './run/price-columns.js';
export { type ChangedWeight, type ReplayedTrial, replayTrial } from './run/replay-trial.js';
export * from './run/run-study.js';
export { type MeasuredDie, type StudyDies, studyDies } from './run/study-dies.js';
export { preparedEnergies, savedEnergiesOrReasons } from './run/study-energy.js';
export { preparedPrices, savedPrices, savedPricesOrReasons } from './run/study-prices.js';
export * from './run/vmin-energy.js';
export * from './statistics/index.js';
export * from './store/index.js';
export {
  type Axis,
  type AxisColumn,
  type AxisDefinition,
  type AxisName,
  type OptionValues,
  STUDY_AXES,
  type ValuesOption,
} from './study/axes.js';
export {
  type ColumnName,
  POINT_COLUMNS,
  type PointColumn,
  type PointKey,
  pointKey,
} from './study/columns.js';
export {
  type Condition,
  type PlacedNetwork,
  type PlacedStorages,
  type PlanOptions,
  planConditions,
} from './study/conditions.js';
export { DIE_STOPS, type Dies } from './study/dies.js';
export type {
  FaultSource,
  FaultState,
  ModelSource,
  TransientSource,
} from './study/fault-source.js';
export * from './study/scope.js';
export { createStorageScope, expandStorageScope } from './study/storage-scope.js';
export { storagesOf, WEIGHTS_ALONE } from './study/storages.js';
export * from './study/study.js';
export * from './study/study-file.js';
export { type EndOfDies, looksOfDies } from './trial/die-end.js';
export type {
  DeltaRunners,
  Engine,
  TransientFaults,
  TrialNetwork,
} from './trial/engines.js';
export { knownMapsOfFile } from './trial/known-maps.js';
export type { GoldenPredictions } from './trial/recorded-samples.js';
export type { SideResult, StorageMap, StorageSide } from './trial/storage-side.js';
export type { StudyData, StudyNetwork } from './trial/study-data.js';
export {
  type FaultyStorage,
  type Outcome,
  runTrial,
  type TransientContext,
  type Trial,
  type TrialContext,
  type TrialResult,
} from './trial/trial.js';
export { trialImages } from './trial/trial-images.js';
export { createTrialRunner, type ThreadOptions } from './trial/trial-runner.js';
export * from './tune/index.js';
