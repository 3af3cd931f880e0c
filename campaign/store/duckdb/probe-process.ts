import { openResults, RESULT_TABLES } from '../results.js';

/** Reads the store of a folder, the only argument: `requireReadable` sees whether that ends, not how. */
const [, , folder] = process.argv;
try {
  const stored = await openResults(folder);
  for (const table of RESULT_TABLES) await stored.rows(table, {});
  stored.close();
} catch {
  process.exitCode = 1;
}
