export * from './accuracy-by-rate.js';
export * from './accuracy-by-scope.js';
export * from './accuracy-over-maps.js';
export * from './activation-distributions.js';
export * from './area-by-threshold.js';
export type { Chart } from './chart.js';
export * from './price-and-loss.js';
export type {
  AccuracyRow,
  ActivationRow,
  MapSpreadRow,
  PriceAndLossRow,
  ThresholdRow,
} from './rows.js';
export * from './svg.js';
