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

/** What v3 has besides: every feature is off. */
const VERSION_3 = [
  'UseRamulatorTrace: False',
  '[layout]',
  'IfmapCustomLayout: False',
  'IfmapSRAMBankBandwidth: 20',
  'IfmapSRAMBankNum: 10',
  'IfmapSRAMBankPort: 2',
  'FilterCustomLayout: False',
  'FilterSRAMBankBandwidth: 30',
  'FilterSRAMBankNum: 10',
  'FilterSRAMBankPort: 2',
  '[sparsity]',
  'SparsitySupport : false',
  'SparseRep : ellpack_block',
  'OptimizedMapping : true',
  'BlockSize : 8',
  'RandomNumberGeneratorSeed : 40',
];

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
      sparsityIsOff: false,
      warnings: [],
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
      'a.cfg:5:1: expected each key once, found "ArrayHeight" again.',
    ],
    [[...LINES, '[general]'], 'a.cfg:15:1: expected each section once, found "[general]" again.'],
  ])('refuses %#', (lines, message) => {
    expect(() => parse(lines)).toThrow(new InputError(message));
  });

  describe('of v3', () => {
    const lines = [...LINES, ...VERSION_3];
    const without = (...starts: readonly string[]) =>
      lines.filter((line) => !starts.some((start) => line.startsWith(start)));
    const layout = VERSION_3.filter((line) => /Ifmap|Filter|layout/.test(line));

    test('inputs and weights move at the bandwidths of their banks, outputs at the first Bandwidth', () => {
      expect(parse(lines)).toEqual({
        ...parse(LINES),
        bandwidth: { input: 20, weights: 30, output: 10 },
        sparsityIsOff: true,
      });
    });

    test('without a section [layout], inputs and weights move at 10 words a cycle', () => {
      const bandwidth = { input: 10, weights: 10, output: 7 };
      const narrow = without(...layout).map((line) =>
        line.startsWith('Bandwidth') ? 'Bandwidth: 7, 8' : line,
      );
      expect(parse(narrow)).toMatchObject({ bandwidth });
      expect(parse(narrow.slice(0, LINES.length + 1))).toMatchObject({ bandwidth });
    });

    test.prop([fc.constantFrom('CALC', 'USER'), fc.nat(99), fc.nat(9)])(
      'numbers of banks and ports change nothing',
      (mode, banks, ports) => {
        const changed = (bankLines: readonly string[]) =>
          parse(
            bankLines.map((line) =>
              line
                .replace('USER', mode)
                .replace(/(BankNum:) .*/, `$1 ${banks}`)
                .replace(/(BankPort:) .*/, `$1 ${ports}`),
            ),
          );
        expect(changed(lines)).toEqual(parse(lines.map((line) => line.replace('USER', mode))));
      },
    );

    test.each([
      ['SparsitySupport', 'true', 'sparsity is not simulated.'],
      ['SparsitySupport', 'TRUE', 'sparsity is not simulated.'],
      ['IfmapCustomLayout', 'True', 'custom layouts are not simulated.'],
      ['FilterCustomLayout', 'yes', 'custom layouts are not simulated.'],
      ['UseRamulatorTrace', 'True', 'memory traces of Ramulator are not simulated.'],
    ])('%s: %s is refused in every mode', (key, value, reason) => {
      const changed = lines.map((line) => (line.startsWith(key) ? `${key}: ${value}` : line));
      const place = `a.cfg:${changed.indexOf(`${key}: ${value}`) + 1}:${key.length + 3}`;
      const message = `${place}: ${key} is "${value}", expected False: ${reason}`;
      expect(() => parse(changed)).toThrow(new InputError(message));
      const calc = changed.map((line) => line.replace('USER', 'CALC'));
      expect(() => parse(calc)).toThrow(new InputError(message));
    });

    test('a switch that is neither on nor off, or not there, is refused', () => {
      const unclear = lines.map((line) =>
        line.replace('SparsitySupport : false', 'SparsitySupport: 2:4'),
      );
      expect(() => parse(unclear)).toThrow('SparsitySupport is "2:4", expected False or True.');
      expect(() => parse(without('FilterCustom'))).toThrow(
        'a.cfg: expected the key FilterCustomLayout in [layout].',
      );
      expect(() => parse(without('IfmapSRAMBankBandwidth'))).toThrow(
        'a.cfg: expected the key IfmapSRAMBankBandwidth in [layout].',
      );
    });

    test('microseconds and unknown keys are warned about by name', () => {
      const more = [...LINES, 'TimeLinearModel: TPUv4', 'Turbo: on', '[energy]', 'Model: x'];
      expect(parse(more).warnings).toEqual([
        'a.cfg:15:18: TimeLinearModel "TPUv4" is not simulated: there are cycles, but no microseconds.',
        'a.cfg:16:1: Turbo in [run_presets] is no key of SCALE-Sim v2 or v3 and is not simulated.',
        'a.cfg:18:1: Model in [energy] is no key of SCALE-Sim v2 or v3 and is not simulated.',
      ]);
      expect(parse([...LINES, 'TimeLinearModel: None']).warnings).toEqual([]);
    });
  });

  const pieces = fc.constantFrom(
    ...LINES,
    ...VERSION_3,
    '[',
    ']',
    '=',
    ':',
    '__proto__: 1',
    '\u0000',
  );
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
