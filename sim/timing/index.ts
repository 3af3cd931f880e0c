export * from './configuration.js';
export { layerTiming, networkTiming } from './ideal.js';
export type * from './result.js';
