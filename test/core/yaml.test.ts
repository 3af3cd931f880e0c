import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { InputError, parseYaml } from '../../core/index.js';

describe('parseYaml', () => {
  property.prop([fc.jsonValue()])('reads every JSON value', (value) => {
    fc.pre(!JSON.stringify(value).includes('"__proto__"'));
    const text = JSON.stringify(value, null, 2);
    expect(parseYaml(text, 'a.json').value).toEqual(JSON.parse(text));
  });

  const yaml = parseYaml(
    'a: 1\nb:\n  - x\n  - c: y\nd: &anchor { e: 2 }\nf: *anchor\ng:\n',
    'a.yaml',
  );

  test.each([
    [[], '1:1', '1:1'],
    [['a'], '1:4', '1:1'],
    [['b', 0], '3:5', '3:5'],
    [['b', 1, 'c'], '4:8', '4:5'],
    // Through an alias: where the value was written.
    [['f', 'e'], '5:17', '5:14'],
    // Without a value: behind its colon.
    [['g'], '7:3', '7:1'],
    // What is not there: the nearest part around it.
    [['b', 7], '3:3', '2:1'],
    [['z'], '1:1', '1:1'],
  ])('knows the places of %j', (path, value, key) => {
    expect(yaml.placeOf(path)).toBe(`a.yaml:${value}`);
    expect(yaml.placeOfKey(path)).toBe(`a.yaml:${key}`);
  });

  test.each([
    ['a: [', /^a\.yaml:1:5: /],
    ['a: 1\na: 2', /^a\.yaml:2:1: the key "a" a second time; expected it once\.$/],
    ['{a: 1, "a": 2}', /^a\.yaml:1:8: the key "a" a second time/],
    [
      'a: 1\nb: {__proto__: {c: 1}}',
      /^a\.yaml:2:5: the key __proto__ is not allowed; remove it\.$/,
    ],
    ['[a]: 1', /^a\.yaml:1:1: a key must be a text\.$/],
    ['a: *b', /^a\.yaml:1:4: \*b has no anchor before it\.$/],
    ['a: "', /^a\.yaml:1:\d+: /],
    ['--- 1\n--- 2', /^a\.yaml:2:1: /],
  ])('names the place of the mistake in %j', (text, message) => {
    expect(() => parseYaml(text, 'a.yaml')).toThrow(InputError);
    expect(() => parseYaml(text, 'a.yaml')).toThrow(message);
  });

  test('does not expand aliases without end', () => {
    const levels = Array.from(
      { length: 11 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`,
    );
    expect(() => parseYaml(['l0: &l0 x', ...levels].join('\n'), 'a.yaml')).toThrow(
      new InputError(
        'a.yaml:2:10: aliases of aliases that multiply the file; expected the values themselves.',
      ),
    );
  });

  // Each of these took minutes, gigabytes or the process.
  test.each([
    ['flow lists', '['.repeat(50_000), /^a\.yaml:1:\d+: more than 100 lists and mappings/],
    ['block lists', '- '.repeat(50_000), /^a\.yaml:1:\d+: more than 100 lists and mappings/],
    ['explicit keys', '? '.repeat(50_000), /^a\.yaml:1:\d+: more than 100 lists and mappings/],
    ['aliases', `a: &a 1\nb:\n${'- *a\n'.repeat(20_000)}`, /^a\.yaml:103:3: more than 100 aliases/],
    ['characters', 'a'.repeat(2_000_001), /^a\.yaml: 2000001 characters, expected .* at most/],
  ])('refuses many %s', (_, text, message) => {
    expect(() => parseYaml(text, 'a.yaml')).toThrow(message);
  });

  test('reads many keys', () => {
    const keys = Array.from({ length: 20_000 }, (_, key) => `k${key}: ${key}\n`);
    expect(Object.keys(Object(parseYaml(keys.join(''), 'a.yaml').value))).toHaveLength(20_000);
  });
});
