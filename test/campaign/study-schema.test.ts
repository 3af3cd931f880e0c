import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { STUDY_FIELDS, studyJsonSchema } from '../../campaign/index.js';
import { packageRoot } from '../../core/index.js';

const file = join(packageRoot(), 'campaign', 'study.schema.json');

/** What editors read. After a change of the schema, write `JSON.stringify(studyJsonSchema())` there and format it. */
const shipped = JSON.parse(readFileSync(file, 'utf8'));

test('the shipped schema is that of the code', () => {
  expect(shipped).toEqual(JSON.parse(JSON.stringify(studyJsonSchema())));
});

test('the schema knows the fields that a study file may have', () => {
  const { properties } = studyJsonSchema() as { properties: object };
  expect(Object.keys(properties).sort()).toEqual([...STUDY_FIELDS].sort());
});

/** A validator that is made from the JSON Schema alone. */
const schema = z.fromJSONSchema(shipped);

test.each([
  ['model: vgg16\nrates: [0, 1e-3]', true],
  ['models: [vgg16, alexnet]\nformat: int8\nrate: 1e-3\nscopes: [all, "layer:*", "bit:7"]', true],
  ['thresholds: a.json', true],
  ['thresholds: {vgg16: a.json}', true],
  ['rates: [2]', false],
  ['rate: many', false],
  ['scope: bit:x', false],
  ['formats: [int4]', false],
  ['precision: 0', false],
  ['within: 0.5\nyield: 0.95', true],
  ['within: 0', false],
  ['yield: 1.1', false],
  ['maps: 0', false],
  ['modle: vgg16', false],
])('the schema judges %j as the code does', (text, valid) => {
  expect(schema.safeParse(parse(text)).success).toBe(valid);
});
