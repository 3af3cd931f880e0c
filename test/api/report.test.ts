import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { entries } from './entries.js';
import { readSurface } from './report.js';

const surface = readSurface(entries());
const folder = join(packageRoot(), 'docs', 'api');

/** Changed on purpose? `npm run build && npx vitest run test/api -u` prints the pages anew: say in the commit why. */
describe('the public surface', () => {
  const named = entries().map((entry) => [entry.name, entry] as const);

  test.each(named)('of %s is the one that its page in docs/api shows', async (_, entry) => {
    await expect(surface.pageOf(entry)).toMatchFileSnapshot(join(folder, `${entry.name}.md`));
  });

  test('has a page an entry and no other', () => {
    expect(existsSync(folder)).toBe(true);
    const pages = entries().map(({ name }) => `${name}.md`);
    expect(readdirSync(folder).sort()).toEqual(pages.sort());
  });

  test('exports every type that it speaks of', () => {
    expect(surface.hidden()).toEqual([]);
  });

  test('of the package itself is a facade', () => {
    const facade = entries().find(({ name }) => name === 'bitcell');
    const names = facade && surface.pageOf(facade).match(/^## /gm);
    expect(names?.length).toBeLessThanOrEqual(15);
  });
});
