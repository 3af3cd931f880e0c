export {
  accuracyInterval,
  type ImagesOfMaps,
  imagesOfMap,
  mean,
  pairedDifference,
} from './accuracy.js';
export { boundedMeanInterval } from './bounded-mean.js';
export * from './crossed.js';
export * from './images-per-map.js';
export type { Estimate, Interval } from './interval.js';
export { type NestedCounts, type NestedVariances, nestedVariances } from './nested.js';
export * from './precision.js';
export * from './proportion.js';
export * from './quantile.js';
export * from './requirement/index.js';
export {
  betaQuantile,
  normalQuantile,
  regularizedBeta,
  studentQuantile,
} from './special-functions.js';
