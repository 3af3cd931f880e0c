import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DEFAULT_STUDY, parseStudy, readStudyFile } from '../../campaign/index.js';
import { packageRoot } from '../../core/index.js';

const file = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'study.yaml');

function read(text: string, overrides: Record<string, unknown> = {}) {
  writeFileSync(file, text);
  return readStudyFile(file, overrides);
}

describe('readStudyFile', () => {
  property.prop([
    fc.record(
      {
        formats: fc.subarray(['int8', 'float32'], { minLength: 1 }),
        rates: fc.uniqueArray(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
        faults: fc.constantFrom('flip', 'stuck-at', 'stuck-at-0', 'stuck-at-1'),
        mitigations: fc.subarray(['none', 'clip', 'clamp'], { minLength: 1 }),
        maps: fc.integer({ min: 1, max: 1000 }),
        images: fc.integer({ min: 1, max: 10_000 }),
        seed: fc.nat(),
      },
      { requiredKeys: [] },
    ),
  ])('gives the same study as the same fields as options', (fields) => {
    const rates = fields.rates?.map((rate) => rate + 0);
    const options = { ...fields, ...(rates && { rates }) };
    expect(read(stringify(options))).toEqual(parseStudy(options));
  });

  test('lets options stand above the file', () => {
    expect(read('maps: 3\nimages: 7', { maps: 5 })).toEqual({
      ...DEFAULT_STUDY,
      maps: 5,
      images: 7,
    });
  });

  test('lets options stand above the file under either name of an axis', () => {
    expect(read('models: [vgg16]\nrates: [0.5]', { model: 'alexnet', rate: 0.1 })).toEqual({
      ...DEFAULT_STUDY,
      rates: [0.1],
    });
  });

  test('reads the shipped example as the study without options', () => {
    expect(readStudyFile(join(packageRoot(), 'examples', 'study.yaml'), {})).toEqual(
      parseStudy({}),
    );
  });

  test.each([
    ['maps: 3\nratess: [0.1]', ':2:1: unknown field "ratess" (did you mean "rates"?)'],
    ['maps: 3\nimages:   many', ':2:11: study: images = "many": '],
    ['maps: [', ':1:'],
    ['- maps', ': expected a mapping of model, models, '],
    ['', ': expected a mapping of model, models, '],
    ['maps: 3\nmaps: 4', ':2:1: the key "maps" a second time'],
    ['seed: 1\nscope: bit:x', ':2:8: study: scopes.0 = "bit:x": expected all, layer:NAME, '],
  ])('names the place of what is wrong in %j', (text, message) => {
    expect(() => read(text)).toThrow(`${file}${message}`);
  });
});
