import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkContent, lastNumber, newFolder, startWriter } from './writer-process.js';

/** So many processes are killed; by default as many as fit into a time. */
const KILLS = Number(process.env.BITCELL_TEST_KILLS ?? 0);
const SECONDS = 20;
const LEAST_KILLS = 5;

/** Transactions, and milliseconds after the last of them, that a process is at most given. */
const MOST_TRANSACTIONS = 15;
const LONGEST_WAIT = 40;

/** How long a process that is killed before it says anything may run, in milliseconds. */
const LONGEST_START = 1000;

test('nothing saved is lost and nothing is there twice after kill -9 at random moments', async () => {
  const folder = newFolder();
  const started = performance.now();
  let saved = 0;
  let kills = 0;
  const enough = () =>
    KILLS > 0
      ? kills >= KILLS
      : kills >= LEAST_KILLS && performance.now() - started > SECONDS * 1000;
  while (!enough()) {
    const writer = startWriter(folder);
    const starting = kills % 5 === 4;
    // Every fifth one is killed while it starts, opens or creates the store, the others while they write.
    if (!starting) await writer.said('saved', Math.floor(Math.random() * MOST_TRANSACTIONS));
    const wait = Math.random() * (starting ? LONGEST_START : LONGEST_WAIT);
    await new Promise((resolve) => setTimeout(resolve, wait));
    writer.child.kill('SIGKILL');
    await writer.ended;
    kills += 1;
    const context = `kill ${kills} after ${wait} ms: ${writer.lines.slice(-3).join(', ')}`;
    expect(
      writer.lines.find((line) => line.startsWith('error')),
      context,
    ).toBeUndefined();
    const found = lastNumber(writer.lines, 'found');
    // What was saved before is there; one transaction of up to four trials may have been saved and not told.
    if (found >= 0) {
      expect(found, context).toBeGreaterThanOrEqual(saved);
      expect(found, context).toBeLessThanOrEqual(saved + 4);
    }
    saved = Math.max(saved, found, lastNumber(writer.lines, 'saved'));
    if (existsSync(folder) && found >= 0) {
      const count = await checkContent(folder);
      expect(count, context).toBeGreaterThanOrEqual(saved);
      expect(count, context).toBeLessThanOrEqual(saved + 4);
      saved = count;
    }
  }
  expect(saved).toBeGreaterThan(0);
}, 3_600_000);
