export * from './errors.js';
export * from './package-root.js';
export * from './progress.js';
export * from './shapes.js';
