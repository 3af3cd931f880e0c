export {
  migratedValues,
  migrateTables,
  type PlannedRows,
  presentRows,
  requiredTables,
  STORE_VERSION,
  STORE_VERSIONS,
  type StoreVersion,
  tablesOf,
} from './migrations.js';
