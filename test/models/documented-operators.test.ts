import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { OPERATORS } from '../../models/operators/index.js';

test('every operator that is read stands in the table of simulated operators', () => {
  const page = readFileSync(join(packageRoot(), 'docs', 'networks-as-they-come.md'), 'utf8');
  const [, table] = /\n## Operators that are simulated\n(.*?)\n## /s.exec(page) ?? [];
  const named = new Set(table.match(/\w+/g));
  const read = Object.values(OPERATORS).flatMap(({ readers }) =>
    readers.map(({ opType }) => opType),
  );
  expect(read.length).toBeGreaterThan(20);
  expect(read.filter((opType) => !named.has(opType))).toEqual([]);
});
