import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import {
  DEFAULT_STUDY,
  parseStudy,
  parseStudyFields,
  readStudyFile,
  type StudyInput,
  studyInputOf,
} from '../../campaign/index.js';
import { packageRoot } from '../../core/index.js';
import { faultModels } from '../../testing/index.js';

const file = join(mkdtempSync(join(tmpdir(), 'bitcell-')), 'study.yaml');

function read(text: string, overrides: Record<string, unknown> = {}) {
  writeFileSync(file, text);
  return readStudyFile(file, overrides);
}

const names = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
const several = <T>(values: fc.Arbitrary<T>) =>
  fc.uniqueArray(values, {
    minLength: 1,
    maxLength: 3,
    selector: (value) => JSON.stringify(value),
  });
// JSON has no −0.
const rates = fc.double({ min: 0, max: 1, noNaN: true }).map((rate) => rate + 0);

const networks: fc.Arbitrary<StudyInput> = fc.oneof(
  fc.constant({}),
  fc.record({ model: names, thresholds: names }),
  several(names).chain((models) =>
    fc.record({
      models: fc.constant(models),
      thresholds: fc
        .subarray(models)
        .map((given) => Object.fromEntries(given.map((model) => [model, `${model}.json`]))),
    }),
  ),
);

const words: fc.Arbitrary<StudyInput> = fc.oneof(
  fc.constant({ format: 'int8', clipPosition: 'requantised' } as const),
  fc.record(
    { formats: fc.subarray<'int8' | 'float32'>(['int8', 'float32'], { minLength: 1 }) },
    { requiredKeys: [] },
  ),
);

const drawnMaps: fc.Arbitrary<StudyInput> = fc
  .tuple(
    fc.oneof(
      fc.constant({}),
      fc.record({ rates: several(rates) }),
      fc.record({ rate: rates }),
      fc.record({ voltages: several(fc.constantFrom(0.55, 0.56, 1)) }),
      fc.record({ faultCount: fc.nat() }),
    ),
    fc.oneof(
      fc.constant({}),
      fc.record({
        maps: fc.integer({ min: 1, max: 1000 }),
        images: fc.integer({ min: 1, max: 10_000 }),
        imageChoice: fc.constantFrom('drawn', 'fixed'),
      }),
      fc.record({ precision: fc.integer({ min: 1, max: 50 }) }),
    ),
  )
  .map(([levels, sizes]) => ({ ...levels, ...sizes }));

const others: fc.Arbitrary<StudyInput> = fc.record(
  {
    accelerators: several(names),
    faults: several(
      fc.oneof(fc.constantFrom('flip', 'stuck-at', 'kc705-b@0.55V', 'rows.yaml'), faultModels()),
    ),
    storages: several(fc.constantFrom('weights', 'activations', 'multipliers')),
    scopes: several(fc.constantFrom('all', 'layer:*', 'layer:a b', 'bit:7')),
    placement: fc.constantFrom('resident', 'streamed'),
    mitigations: fc.constantFrom<StudyInput['mitigations']>(
      ['none', 'clip', 'clamp'],
      ['clip:granularity=neuron', 'clip-tuned:layers=a%2Cb'],
      [{ use: 'clamp', layers: ['a,b'] }],
      ['none', { name: 'mine', parts: [{ use: 'clip', thresholds: 't.json' }] }],
      [{ name: 'twice', parts: ['clip:position=accumulator'] }, 'clip'],
    ),
    granularity: fc.constantFrom('layer', 'channel', 'neuron'),
    within: fc.constantFrom(0.5, 2, 100),
    yield: fc.constantFrom(0.5, 0.9, 1),
    seed: fc.nat(),
  },
  { requiredKeys: [] },
);

const studies: fc.Arbitrary<StudyInput> = fc
  .tuple(networks, words, fc.oneof(drawnMaps, fc.record({ faultMaps: several(names) })), others)
  .map(([network, word, maps, other]) => ({ ...network, ...word, ...maps, ...other }));

property.prop([studies])('a resolved study reads back to itself from its JSON', (input) => {
  const study = parseStudy(input);
  const text = JSON.stringify(study, null, 2);
  for (const again of [parseStudy(study), parseStudyFields(JSON.parse(text)), read(text)]) {
    expect(again).toEqual(study);
    // Fault models are named by their text.
    expect(JSON.stringify(again, null, 2)).toBe(text);
  }
  // As a dry run prints it.
  expect(read(JSON.stringify(studyInputOf(study)))).toEqual(study);
});

describe('readStudyFile', () => {
  property.prop([studies])('gives the same study as the same fields as options', (options) => {
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
    [
      'seed: 1\nstorages: [weights, multiplier]',
      ':2:11: study: storages.1 = "multiplier": expected weights, ',
    ],
    ['seed: 1\nscope: bit:x', ':2:8: study: scopes.0 = "bit:x": expected all, layer:NAME, '],
  ])('names the place of what is wrong in %j', (text, message) => {
    expect(() => read(text)).toThrow(`${file}${message}`);
  });
});
