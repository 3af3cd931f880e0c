import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readStudyFile } from '../../campaign/index.js';
import { packageRoot } from '../../core/index.js';

const EXAMPLE = join(packageRoot(), 'examples', 'mitigation-study');
const DOCS = join(packageRoot(), 'docs');

const root = mkdtempSync(join(tmpdir(), 'bitcell-mitigation-study-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A module of the example; they are plain JavaScript. */
const load = (name: string) => import(pathToFileURL(join(EXAMPLE, name)).href);

const { STUDIES } = await load('run.mjs');
const { writeReport } = await load('report.mjs');

test.each(STUDIES as string[])('study %s is valid, and of one kind of words', (name) => {
  const study = readStudyFile(join(EXAMPLE, `${name}.yaml`), {});
  expect(study.formats).toHaveLength(1);
  expect(name).toContain(study.formats[0]);
});

test('the page and its charts follow from the decisions', async () => {
  await writeReport(join(EXAMPLE, 'decisions'), root);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(md|svg)$/.test(name),
  );
  expect(files).toHaveLength(5);
  for (const name of files) {
    expect(readFileSync(join(root, name), 'utf8')).toBe(readFileSync(join(DOCS, name), 'utf8'));
  }
});
