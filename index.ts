export * from './campaign/index.js';
export * from './core/index.js';
export * from './fault/index.js';
export * from './kernels/index.js';
export * from './mitigation/index.js';
export * from './models/index.js';
export * from './sim/index.js';
