import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  formatBandwidth,
  formatBytes,
  formatFrequency,
  InputError,
  parseArea,
  parseBandwidth,
  parseBytes,
  parseEnergy,
  parseFrequency,
  parsePower,
  parseVoltage,
} from '../../core/index.js';

const positive = fc.double({ min: 0, minExcluded: true, noNaN: true, noDefaultInfinity: true });

describe('parse(format(x)) is x', () => {
  test.prop([
    fc.oneof(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 1, max: 999 }).map((count) => count * 2 ** 20),
    ),
  ])('for bytes', (bytes) => {
    expect(parseBytes(formatBytes(bytes))).toBe(bytes);
  });

  test.prop([positive])('for hertz', (hertz) => {
    expect(parseFrequency(formatFrequency(hertz))).toBe(hertz);
  });

  test.prop([positive])('for bytes per second', (bandwidth) => {
    expect(parseBandwidth(formatBandwidth(bandwidth))).toBe(bandwidth);
  });
});

describe('parse', () => {
  test.each([
    ['256KiB', 262_144],
    ['24 MiB', 25_165_824],
    ['108kB', 108_000],
    ['1.5KiB', 1536],
    ['2TB', 2e12],
    ['1e3B', 1000],
  ])('size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  test.each([
    ['1GHz', 1e9],
    ['200MHz', 2e8],
    ['1.001kHz', 1001],
    ['0.1Hz', 0.1],
  ])('frequency %s', (text, hertz) => expect(parseFrequency(text)).toBe(hertz));

  test.each([
    ['10GB/s', 1e10],
    ['8GiB/s', 2 ** 33],
    ['0.5B/s', 0.5],
  ])('bandwidth %s', (text, value) => expect(parseBandwidth(text)).toBe(value));
});

test.each([
  [parseEnergy, '18.2pJ', 18.2e-12],
  [parseEnergy, '1fJ', 1e-15],
  [parseEnergy, '2 uJ', 2e-6],
  [parsePower, '5mW', 5e-3],
  [parseVoltage, '0.85V', 0.85],
  [parseVoltage, '850mV', 0.85],
  [parsePower, '1.5e3nW', 1.5e-6],
  [parseArea, '0.25mm2', 0.25e-6],
  [parseArea, '100um2', 100e-12],
  [parseArea, '1cm2', 1e-4],
])('%o reads %s', (parse, text, value) => {
  expect(parse(text)).toBe(value);
});

describe('format takes the shortest unit', () => {
  test.each([
    [262_144, '256KiB'],
    [108_000, '108kB'],
    [12_345, '12345B'],
    [1, '1B'],
  ])('%d bytes as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test('hertz and bytes per second', () => {
    expect(formatFrequency(1.5e9)).toBe('1.5GHz');
    expect(formatBandwidth(1e10)).toBe('10GB/s');
  });
});

describe('bad text', () => {
  const units = 'B, kB, KiB, MB, MiB, GB, GiB, TB, TiB';

  test.each(['256', 'KiB', '256KB', '256kib', '-1KiB', '1GHz', ''])(
    '"%s" is not a size',
    (text) => {
      expect(() => parseBytes(text)).toThrow(
        new InputError(
          `"${text}" is not a size: write a number and a unit (${units}), for example 256KiB.`,
        ),
      );
    },
  );

  test('a size is a whole, positive number of bytes', () => {
    expect(() => parseBytes('0.3B')).toThrow(
      new InputError('"0.3B" is not a size: it must be a whole number of bytes below 2^53.'),
    );
    expect(() => parseBytes('0KiB')).toThrow(
      new InputError('"0KiB" is not a size: it must be above zero and finite.'),
    );
  });

  test('frequencies and bandwidths name their units', () => {
    expect(() => parseFrequency('1 parsec')).toThrow(
      new InputError(
        '"1 parsec" is not a frequency: write a number and a unit (Hz, kHz, MHz, GHz), for example 1GHz.',
      ),
    );
    expect(() => parseFrequency('1e999Hz')).toThrow(
      new InputError('"1e999Hz" is not a frequency: it must be above zero and finite.'),
    );
    expect(() => parseBandwidth('10GB')).toThrow(
      new InputError(
        '"10GB" is not a bandwidth: write a number and a unit (B/s, kB/s, KiB/s, MB/s, MiB/s, GB/s, GiB/s, TB/s, TiB/s), for example 10GB/s.',
      ),
    );
  });
});
