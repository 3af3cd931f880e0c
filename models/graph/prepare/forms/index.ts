export * from './integers.js';
export * from './moving.js';
export * from './reductions.js';
export * from './resize.js';
export * from './windows.js';
