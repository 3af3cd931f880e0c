import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDecimal, parseFrequency, parseYaml, rateText } from '../../core/index.js';

const OTHERS = ['0x1', '0X1f', '0b1', '0o7', '1_0', '1e', 'e1', '.', '-', '', ' ', '1,5', '١'];
const TOO_LARGE = ['Infinity', '-Infinity', 'NaN', '1e999', '.inf'];

describe('parseDecimal', () => {
  test('reads what JavaScript writes of finite numbers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseDecimal(String(value))).toBe(value === 0 ? 0 : value);
        expect(parseDecimal(value.toExponential())).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  test.each([
    ['+1', 1],
    ['.5', 0.5],
    ['5.', 5],
    ['010', 10],
    [' 1E-3 ', 0.001],
  ])('reads "%s"', (text, value) => {
    expect(parseDecimal(text)).toBe(value);
  });

  test.each([...OTHERS, ...TOO_LARGE])('reads no number from "%s"', (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  });
});

test.each(['0x1', '0b1', '1_0', 'Infinity', '', '.'])('%sGHz is no frequency', (number) => {
  expect(() => parseFrequency(`${number}GHz`)).toThrow('is not a frequency');
});

describe('YAML', () => {
  test.each(['0x10', '0o17', '.inf', '-.Inf', '.nan', '1e999'])(
    'refuses %s with its place',
    (text) => {
      expect(() => parseYaml(`a: 1\nb:\n  - ${text}\n`, 'x.yaml')).toThrow(
        `x.yaml:3:5: found ${text}; expected a finite number in decimal digits.`,
      );
    },
  );

  test('keeps texts, keys and decimal numbers', () => {
    const { value } = parseYaml('"0x1": "0x1"\nb: 010\nc: -1.5e-3\n', 'x.yaml');
    expect(value).toEqual({ '0x1': '0x1', b: 10, c: -0.0015 });
  });
});

test.each([
  [0, '0'],
  [1e-5, '1e-5'],
  [0.000123456, '1.23e-4'],
  [0.0199999, '2e-2'],
])('the fault rate %d is written %s', (rate, text) => {
  expect(rateText(rate)).toBe(text);
});
