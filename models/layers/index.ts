export * from './base.js';
export * from './computed.js';
export * from './elementwise.js';
export * from './island.js';
export * from './moving.js';
export * from './weighted.js';
export * from './words.js';
