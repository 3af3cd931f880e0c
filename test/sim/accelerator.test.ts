import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InputError } from '../../core/index.js';
import {
  ACCELERATOR_PRESETS,
  DEFAULT_ACCELERATOR,
  loadAccelerator,
  parseAccelerator,
  slotCount,
} from '../../sim/index.js';

const SCRATCHPAD = { banks: 4, rows: 4096, wordBits: 128, columnMux: 1 };
const VALID = {
  name: 'mine',
  array: { rows: 8, columns: 32, dataflow: 'output-stationary' },
  clock: '200MHz',
  weightMemory: SCRATCHPAD,
};

const folder = mkdtempSync(join(tmpdir(), 'bitcell-accelerator-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('presets', () => {
  test.each(ACCELERATOR_PRESETS)('$name is a valid configuration', (preset) => {
    expect(loadAccelerator(preset.name)).toBe(preset);
    expect(parseAccelerator(JSON.stringify(preset), 'preset.json')).toEqual(preset);
  });

  test('the default is a 16×16 weight-stationary array with a memory that fits the network', () => {
    expect(loadAccelerator(DEFAULT_ACCELERATOR)).toEqual({
      name: 'edge-16x16',
      array: { rows: 16, columns: 16, dataflow: 'weight-stationary' },
      weightMemory: 'fits-network',
    });
  });

  test("Gemmini's scratchpad holds 256 KiB", () => {
    const { weightMemory } = loadAccelerator('gemmini-16x16');
    expect(weightMemory).toEqual(SCRATCHPAD);
    expect(slotCount(SCRATCHPAD, 8)).toBe(256 * 1024);
  });

  test('an unknown name is an error with the known ones', () => {
    expect(() => loadAccelerator('gemini-16x16')).toThrow(
      new InputError(
        'Unknown accelerator "gemini-16x16" (did you mean "gemmini-16x16"?): give one of edge-16x16, gemmini-16x16 or a .json file.',
      ),
    );
    expect(() => loadAccelerator('tpu')).toThrow(
      new InputError(
        'Unknown accelerator "tpu": give one of edge-16x16, gemmini-16x16 or a .json file.',
      ),
    );
  });
});

describe('configuration files', () => {
  test('are read with their units', () => {
    const file = join(folder, 'mine.json');
    writeFileSync(file, JSON.stringify(VALID));
    expect(loadAccelerator(file)).toEqual({ ...VALID, clock: 200e6 });
  });

  test('may leave the clock out and fit the memory to the network', () => {
    const { clock: _, ...unclocked } = { ...VALID, weightMemory: 'fits-network' };
    expect(parseAccelerator(JSON.stringify(unclocked), 'a.json')).toEqual(unclocked);
  });

  test('that are missing are an error', () => {
    const file = join(folder, 'absent.json');
    expect(() => loadAccelerator(file)).toThrow(
      new InputError(`Cannot read ${file}: no such file or folder.`),
    );
  });

  test('that are not JSON are an error', () => {
    expect(() => parseAccelerator('{"name": }', 'a.json')).toThrow(InputError);
    expect(() => parseAccelerator('{"name": }', 'a.json')).toThrow(/^a\.json is not valid JSON: /);
  });

  test.each([
    [{ cloc: '1GHz' }, 'a.json: unknown key "cloc" (did you mean "clock"?).'],
    [{ colour: 'red' }, 'a.json: unknown key "colour".'],
    [
      { array: { ...VALID.array, colums: 3 } },
      'a.json: unknown key "colums" in array (did you mean "columns"?).',
    ],
    [
      { array: { ...VALID.array, rows: '16' } },
      'a.json: array.rows: Invalid input: expected number, received string.',
    ],
    [
      { array: { ...VALID.array, rows: 0 } },
      'a.json: array.rows: Too small: expected number to be >0.',
    ],
    [
      { array: { ...VALID.array, dataflow: 'row-stationary' } },
      'a.json: array.dataflow: Invalid option: expected one of "weight-stationary"|"output-stationary"|"input-stationary".',
    ],
    [
      { weightMemory: { ...SCRATCHPAD, wordbits: 8 } },
      'a.json: unknown key "wordbits" in weightMemory (did you mean "wordBits"?).',
    ],
    [
      { weightMemory: { ...SCRATCHPAD, banks: undefined } },
      'a.json: weightMemory.banks: Invalid input: expected number, received undefined.',
    ],
    [
      { weightMemory: '64KiB' },
      'a.json: weightMemory: expected "fits-network" or an object with banks, rows, wordBits and columnMux.',
    ],
    [
      { weightMemory: { ...SCRATCHPAD, wordBits: 100 } },
      'a.json: Weight memory: wordBits must be a multiple of 32 to hold whole weights, not 100.',
    ],
    [
      { clock: '1 parsec' },
      'a.json: "1 parsec" is not a frequency: write a number and a unit (Hz, kHz, MHz, GHz), for example 1GHz.',
    ],
  ])('with %o are an error that names the place', (change, message) => {
    expect(() => parseAccelerator(JSON.stringify({ ...VALID, ...change }), 'a.json')).toThrow(
      new InputError(message),
    );
  });

  test('that hold no object are an error', () => {
    expect(() => parseAccelerator('[]', 'a.json')).toThrow(
      new InputError('a.json: Invalid input: expected object, received array.'),
    );
  });
});
