export * from './fault-map.js';
export * from './geometry.js';
export * from './json.js';
export * from './summary.js';
export * from './uniform.js';
