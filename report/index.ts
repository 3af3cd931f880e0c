export * from './accuracy-by-rate.js';
export * from './accuracy-by-scope.js';
export * from './accuracy-over-maps.js';
export * from './activation-distributions.js';
export * from './area-by-threshold.js';
export type { Chart } from './chart.js';
export { dieGrid } from './dies/die-grid.js';
export { waferMap } from './dies/wafer-map.js';
export * from './price-and-loss.js';
export type {
  AccuracyRow,
  ActivationRow,
  DieChartRow,
  MapSpreadRow,
  PriceAndLossRow,
  StorageOfRow,
  ThresholdRow,
} from './rows.js';
export * from './svg.js';
