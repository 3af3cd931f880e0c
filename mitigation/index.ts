export * from './clip.js';
export * from './profile.js';
export * from './thresholds.js';
