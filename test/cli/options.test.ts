import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { faultSourceOf } from '../../campaign/study/fault-source.js';
import { applySwitches } from '../../cli/input/environment.js';
import {
  once,
  option,
  percentagePoints,
  rate,
  rateList,
  voltage,
  voltageList,
  wholeNumber,
} from '../../cli/input/options.js';

describe('numbers are decimal', () => {
  test.each([rate, rateList, voltage, voltageList, percentagePoints, wholeNumber(0)])(
    'in $name',
    (parse) => {
      expect([parse('1')].flat()).toEqual([1]);
      for (const text of ['0x1', '0b1', '0o1', '1_0', 'Infinity', '', ' ', '1e-1e', '+', '0x1V']) {
        expect(() => parse(text), text).toThrow();
      }
    },
  );

  test.each(['kc705-b@0x1V', 'kc705-b@1.2.3V', 'kc705-b@V', 'stutz-chip-1@0x0'])(
    'in the state of a preset: %s',
    (name) => {
      expect(() => faultSourceOf(name)).toThrow(`study: faults: ${name}: expected a voltage`);
    },
  );
});

test('a second input does not replace the first', () => {
  expect(once('a.npy')).toBe('a.npy');
  expect(() => once('b.npy', 'a.npy')).toThrow('"a.npy" was given already; give one.');
});

describe('switches of the environment', () => {
  /** Whether --json is on. */
  function isOn(value: string | undefined, ...args: string[]): boolean {
    const child = new Command('child').addOption(option('--json', '')).action(() => undefined);
    const program = new Command().addCommand(child);
    const environment = { ...(value !== undefined && { BITCELL_JSON: value }), BITCELL_SEED: '0' };
    const before = process.env.BITCELL_JSON;
    applySwitches(program, environment);
    expect(environment.BITCELL_SEED).toBe('0');
    try {
      delete process.env.BITCELL_JSON;
      Object.assign(process.env, environment);
      program.parse(['child', ...args], { from: 'user' });
    } finally {
      delete process.env.BITCELL_JSON;
      delete process.env.BITCELL_SEED;
      if (before !== undefined) process.env.BITCELL_JSON = before;
    }
    return child.opts().json ?? false;
  }

  test.each(['true', 'TRUE', '1', 'yes', 'Yes'])('"%s" is on', (value) => {
    expect(isOn(value)).toBe(true);
  });

  test.each(['false', 'False', '0', 'no', 'NO', '', undefined])('"%s" is off', (value) => {
    expect(isOn(value)).toBe(false);
    expect(isOn(value, '--json')).toBe(true);
  });

  test.each(['maybe', '2', 'on', 'y'])('"%s" is refused', (value) => {
    expect(() => isOn(value)).toThrow(
      `BITCELL_JSON is "${value}"; expected true, 1 or yes, or false, 0, no or nothing.`,
    );
  });
});
