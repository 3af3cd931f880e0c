import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { InputError, parseJson, placeInJson } from '../../core/index.js';

/** What JSON.parse makes of a text; undefined where it is no JSON. */
function native(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe('parseJson', () => {
  property.prop([fc.json({ maxDepth: 5 }), fc.nat(), fc.string({ maxLength: 3 })])(
    'takes what JSON.parse takes, and refuses what it refuses',
    (json, at, inserted) => {
      fc.pre(!json.includes('__proto__'));
      const position = at % (json.length + 1);
      for (const text of [json, json.slice(0, position) + inserted + json.slice(position)]) {
        const value = native(text);
        if (value === undefined) {
          expect(() => parseJson(text, 'a.json')).toThrow(/^a\.json:\d+:\d+: .*\.$/s);
        } else {
          expect(parseJson(text, 'a.json')).toEqual(value);
        }
      }
    },
  );

  property.prop([fc.stringMatching(/^[-+0-9.eE]{1,8}$/)])('knows numbers', (text) => {
    const value = native(text);
    if (value === undefined) expect(() => parseJson(text, 'a.json')).toThrow(InputError);
    else expect(parseJson(text, 'a.json')).toBe(value);
  });

  test.each([
    [
      '{"a": 1,\n "b": {"c": 1, "\\u0063": 2}}',
      '2:16: the key "c" a second time; expected it once',
    ],
    ['{"a": 1,\n "__proto__": {}}', '2:2: the key __proto__ is not allowed; remove it'],
    ['{"\\u005f_proto__": {}}', '1:2: the key __proto__ is not allowed; remove it'],
    ['{"a": 1', '1:8: found the end, which is not valid JSON there'],
    ['["\\x"]', '1:3: found "\\x"]", which is not valid JSON there'],
    ['', '1:1: found the end, which is not valid JSON there'],
    ['[\n1\n', '3:1: found the end, which is not valid JSON there'],
  ])('refuses %j', (text, message) => {
    expect(() => parseJson(text, 'a.json')).toThrow(new InputError(`a.json:${message}.`));
  });

  test('refuses what is nested without end', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(() => parseJson(nested(100), 'a.json')).not.toThrow();
    for (const levels of [101, 200_000]) {
      expect(() => parseJson(nested(levels), 'a.json')).toThrow(
        new InputError('a.json:1:101: lists and objects are nested more than 100 levels deep.'),
      );
    }
  });

  test('takes a number and a text of a million characters', () => {
    const [number, text] = ['1'.repeat(1e6), '\\n'.repeat(1e6)];
    expect(parseJson(`[${number}, "${text}"]`, 'a.json')).toEqual([Infinity, '\n'.repeat(1e6)]);
  });
});

describe('placeInJson', () => {
  const text = '{"a": [1,\n {"b": 2}],\n"c": {}}';
  test.each([
    [[], 1, 1],
    [['a'], 1, 7],
    [['a', 1, 'b'], 2, 8],
    [['c'], 3, 6],
    [['c', 'd'], 3, 6],
  ])('%j', (path, line, column) => {
    expect(placeInJson(text, path)).toEqual({ line, column });
  });
});
