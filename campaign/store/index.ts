export type { PointCounts } from './counts.js';
export { requireReadable } from './duckdb/probe.js';
export type { StudyRemainder, UnfinishedPoint } from './remaining.js';
export {
  type AddedColumns,
  openResults,
  RESULT_TABLES,
  type ResultFilter,
  type ResultRows,
  type ResultTable,
  type StoredResults,
} from './results.js';
export { type SalvagedRows, salvageRows } from './salvage.js';
export {
  type OtherIslands,
  type OtherSaver,
  openStore,
  type StoreOptions,
  type StudyStore,
  storeFiles,
} from './study-store.js';
export type { CellValue } from './tables.js';
