import { expect, test } from 'vitest';
import { CLIP_USES, describeParts, MECHANISMS, parseMitigation } from '../../mitigation/index.js';

test('every kind of part is described, from the cells to the activation', () => {
  expect(describeParts().map(({ use }) => use)).toEqual([...Object.keys(MECHANISMS), ...CLIP_USES]);
});

function defaultsOf(use: string): object {
  return use in MECHANISMS ? (MECHANISMS[use as keyof typeof MECHANISMS].defaults ?? {}) : {};
}

test.each(describeParts())(
  'of $use every parameter is explained, and takes what it says',
  (part) => {
    const { use, summary, parameters } = part;
    expect(summary).not.toBe('');
    for (const { name, values, description } of parameters) {
      expect(description, name).not.toBe('');
      for (const value of values ?? []) {
        const [read] = parseMitigation(`${use}:${name}=${value}`).parts;
        // What is as by default is left away.
        expect(String(Reflect.get({ ...defaultsOf(use), ...read }, name))).toBe(value);
      }
    }
  },
);

test('what stands in an order of values is shown as it is written', () => {
  const of = (use: string, name: string) =>
    describeParts()
      .find((part) => part.use === use)
      ?.parameters.find((parameter) => parameter.name === name)?.values;
  expect(of('bch-dec', 'dataBits')).toEqual(['8', '16', '32', '64', '128']);
  expect(of('parity', 'interleaved')).toEqual(['false', 'true']);
  expect(of('parity', 'bits')).toBeNull();
  expect(of('harden', 'bits')).toBeNull();
});
