export * from './clip.js';
export * from './distribution.js';
export * from './granularity.js';
export * from './layer-threshold.js';
export * from './profile.js';
export * from './search/index.js';
export * from './thresholds.js';
export * from './tuning-record.js';
