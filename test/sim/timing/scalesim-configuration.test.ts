import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { InputError } from '../../../core/index.js';
import { parseScaleSimConfiguration } from '../../../sim/index.js';

const LINES = [
  '[general]',
  'run_name = a_run',
  '[architecture_presets]',
  'ArrayHeight:    12',
  'ArrayWidth:     14',
  'IfmapSramSzkB:    36',
  'FilterSramSzkB:   72',
  'OfmapSramSzkB:    108',
  'IfmapOffset:    0',
  'Dataflow : ws',
  'Bandwidth : 10',
  'MemoryBanks: 1',
  '[run_presets]',
  'InterfaceBandwidth: USER',
];

function parse(lines: readonly string[]) {
  return parseScaleSimConfiguration(lines.join('\n'), 'a.cfg');
}

/** The lines with the one that begins with a key replaced. */
function replaced(start: string, ...lines: readonly string[]): string[] {
  return LINES.flatMap((line) => (line.startsWith(start) ? lines : [line]));
}

describe('parseScaleSimConfiguration', () => {
  test('reads array, buffers in units of 1024 bytes, and the bandwidth of each operand', () => {
    expect(parse(LINES)).toEqual({
      name: 'a_run',
      array: { rows: 12, columns: 14, dataflow: 'weight-stationary' },
      buffers: { input: 36 * 1024, weights: 72 * 1024, output: 108 * 1024 },
      bandwidth: { input: 10, weights: 10, output: 10 },
    });
  });

  test('has ideal bandwidth in CALC mode, whatever Bandwidth says', () => {
    const calc = parse(replaced('Interface', 'InterfaceBandwidth: CALC'));
    expect(calc).not.toHaveProperty('bandwidth');
  });

  test.each([
    ['os', 'output-stationary'],
    ['ws', 'weight-stationary'],
    ['is', 'input-stationary'],
  ])('reads the dataflow %s', (short, dataflow) => {
    expect(parse(replaced('Dataflow', `Dataflow: ${short}`)).array.dataflow).toBe(dataflow);
  });

  test('takes keys in any case, comments, blanks, = for : and the first of several bandwidths', () => {
    const lines = replaced('Bandwidth', '  BANDWIDTH = 4, 8,16').flatMap((line) => [
      '',
      '# a comment: x',
      '; another',
      line.replace('ArrayHeight', 'arrayheight'),
    ]);
    expect(parse(lines)).toMatchObject({ array: { rows: 12 }, bandwidth: { output: 4 } });
  });

  test.each([
    [
      replaced('ArrayHeight', 'ArrayHeight:  12x'),
      'a.cfg:4:15: "12x", expected a whole number from 1 to 2147483647.',
    ],
    [
      replaced('Ofmap', 'OfmapSramSzkB: 0'),
      'a.cfg:8:16: "0", expected a whole number from 1 to 2147483647.',
    ],
    [replaced('Dataflow', 'Dataflow: rs'), 'a.cfg:10:11: "rs", expected a dataflow: os, ws or is.'],
    [
      replaced('Interface', 'InterfaceBandwidth: user'),
      'a.cfg:14:21: "user", expected CALC or USER.',
    ],
    [replaced('ArrayWidth'), 'a.cfg: expected the key ArrayWidth in [architecture_presets].'],
    [replaced('[run_presets]'), 'a.cfg: expected a section [run_presets].'],
    [['ArrayWidth: 4', ...LINES], 'a.cfg:1:1: "ArrayWidth: 4", expected a [section] before it.'],
    [
      replaced('ArrayWidth', ' ArrayWidth 4'),
      'a.cfg:5:2: "ArrayWidth 4", expected [section], key = value or key: value.',
    ],
    [
      replaced('ArrayWidth', 'ArrayHeight: 4'),
      'a.cfg:5:1: expected each key once, found "arrayheight" again.',
    ],
    [[...LINES, '[general]'], 'a.cfg:15:1: expected each section once, found "[general]" again.'],
  ])('refuses %#', (lines, message) => {
    expect(() => parse(lines)).toThrow(new InputError(message));
  });

  const pieces = fc.constantFrom(...LINES, '[', ']', '=', ':', '__proto__: 1', '\u0000');
  test.prop([
    fc.oneof(
      fc.string(),
      fc.array(pieces).map((parts) => parts.join('\n')),
      fc.shuffledSubarray(LINES).map((parts) => parts.join('\n')),
    ),
  ])('any text is read, or refused with a reason', (text) => {
    try {
      expect(parseScaleSimConfiguration(text, 'a.cfg').array.rows).toBe(12);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).message).toMatch(/^a\.cfg(:\d+:\d+)?: .*expected/);
    }
  });
});
