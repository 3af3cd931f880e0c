export * from './area.js';
export * from './interval-search.js';
export * from './network-search.js';
