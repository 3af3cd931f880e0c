import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { InputError, parseYaml } from '../../core/index.js';

describe('parseYaml', () => {
  property.prop([fc.jsonValue()])('reads every JSON value', (value) => {
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
    ['a: 1\na: 2', /^a\.yaml:2:1: Map keys must be unique$/],
    ['a: "', /^a\.yaml:1:\d+: /],
    ['--- 1\n--- 2', /^a\.yaml:2:1: /],
  ])('names the place of the mistake in %j', (text, message) => {
    expect(() => parseYaml(text, 'a.yaml')).toThrow(InputError);
    expect(() => parseYaml(text, 'a.yaml')).toThrow(message);
  });

  test('does not expand aliases without end', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(9)}]`,
    );
    expect(() => parseYaml(['l0: &l0 x', ...levels].join('\n'), 'a.yaml')).toThrow(
      new InputError('a.yaml:2:10: Excessive alias count indicates a resource exhaustion attack.'),
    );
  });
});
