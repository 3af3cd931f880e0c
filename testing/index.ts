export * from './fault-arbitraries.js';
export * from './network-arbitraries.js';
export * from './sim-arbitraries.js';
