export * from './activation-side.js';
export * from './activations/clip.js';
export { bitCost, type WeightBits, wrongBitsCost } from './memory/bit-costs.js';
export * from './memory/closest-value.js';
export * from './memory/invert.js';
export * from './memory/reorder.js';
export * from './memory/rotate.js';
export * from './memory/spares.js';
export type { WordFaults } from './memory/word-faults.js';
export * from './memory/word-masking.js';
export {
  type ActivationPart,
  type Mitigation,
  type MitigationPart,
  mitigationInput,
  NO_MITIGATION,
  type PartDefaults,
  UNPROTECTED,
  withoutDefaults,
} from './mitigation.js';
export { mitigationInputSchema, mitigationSchema, parseMitigation } from './parse.js';
export * from './search/index.js';
export * from './thresholds/distribution.js';
export * from './thresholds/granularity.js';
export * from './thresholds/layer-threshold.js';
export * from './thresholds/profile.js';
export * from './thresholds/thresholds.js';
export * from './thresholds/tuning-record.js';
