export * from './activations/clip.js';
export * from './search/index.js';
export * from './thresholds/distribution.js';
export * from './thresholds/granularity.js';
export * from './thresholds/layer-threshold.js';
export * from './thresholds/profile.js';
export * from './thresholds/thresholds.js';
export * from './thresholds/tuning-record.js';
