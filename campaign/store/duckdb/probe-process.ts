import { openResults, RESULT_TABLES } from '../results.js';

/** Reads the store of a folder, the only argument: `requireReadable` sees whether that ends, not how. */
const [, , folder] = process.argv;
// A store that a killed command's probe still reads could not be continued.
process.stdin.once('end', () => process.exit()).resume();
try {
  const stored = await openResults(folder);
  for (const table of RESULT_TABLES) await stored.rows(table, {});
  stored.close();
} catch {
  process.exitCode = 1;
}
process.stdin.destroy();
