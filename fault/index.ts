export * from './fault-map.js';
