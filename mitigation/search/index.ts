export * from './area.js';
export * from './interval-search.js';
export * from './joint-search.js';
export * from './network-search.js';
export * from './race.js';
