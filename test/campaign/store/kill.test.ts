import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkContent, lastNumber, newFolder, startWriter } from './writer-process.js';

/** So many processes are killed; by default as many as fit into a time. */
const KILLS = Number(process.env.BITCELL_TEST_KILLS ?? 0);
const SECONDS = 20;
const LEAST_KILLS = 5;

/** Longest wait, in milliseconds, between a moment of the process and its end. */
const LONGEST_WAIT = 120;

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
    // Every fifth one is killed while it starts, creates or opens the store, the others while they write.
    if (kills % 5 !== 0) await writer.line('found');
    const wait = Math.random() * LONGEST_WAIT * (kills % 5 === 0 ? 10 : 1);
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
