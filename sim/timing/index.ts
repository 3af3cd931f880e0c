export * from './configuration.js';
export type * from './result.js';
export * from './timing.js';
