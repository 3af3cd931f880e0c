export * from './activation-side.js';
export * from './activations/clip.js';
export * from './memory/index.js';
export {
  type ActivationPart,
  activationKeyOf,
  activationPartOf,
  type Mitigation,
  type MitigationPart,
  memoryPartsOf,
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
