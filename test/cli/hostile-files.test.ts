import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../core/index.js';
import { bitcell, newFolder, refusal } from './command.js';
import { writeTinyNetwork } from './tiny-network.js';

const folder = newFolder();
const { int8: model, float32, thresholds } = writeTinyNetwork(folder);
const images = join(folder, 'images.npy');
writeNpy(images, { shape: [1, 3, 32, 32], data: new Float32Array(3072) });

const table = join(folder, 'table.csv');
writeFileSync(table, 'bank,row,column,kind\n0,0,0,flip\n');
const memory = ['--geometry', '2x64x64'];

function linked(link: (target: string, path: string) => void, target: string): string {
  const path = join(newFolder(), 'link');
  link(target, path);
  return path;
}

describe.concurrent('no output replaces an input', () => {
  const softTable = `${linked(symlinkSync, table)}`;
  const namedTable = join(newFolder(), 'link.csv');
  linkSync(table, namedTable);
  const hardImages = linked(linkSync, images);
  test.each([
    { input: table, args: ['map', 'import', table, ...memory, '-o', table] },
    { input: table, args: ['map', 'import', softTable, ...memory, '-o', namedTable] },
    { input: table, args: ['map', 'show', table, ...memory, '--png', namedTable] },
    { input: float32, args: ['quantize', float32, '-o', float32] },
    {
      input: images,
      args: ['infer', model, '--input', images, '--output', hardImages, '--quiet'],
    },
    {
      input: thresholds,
      args: ['export', '--model', model, '--thresholds', thresholds, '--output', thresholds],
    },
  ])('$args', async ({ input, args }) => {
    const before = readFileSync(input);
    expect(await refusal(args)).toMatch(/ is an input of this command, which would be lost; /);
    expect(readFileSync(input)).toEqual(before);
  });
});

describe.concurrent('input files', () => {
  test('that never end are refused', async () => {
    expect(await refusal(['map', 'import', '/dev/zero', ...memory, '-o', 'map.json'])).toBe(
      'Cannot read /dev/zero: it is a device; give a file or a pipe.',
    );
  });

  test('with control sequences in a cell', async () => {
    const path = join(folder, 'escapes.csv');
    writeFileSync(path, 'bank,row,column,kind\n0,0,0,\x1b]0;owned\x07\x1b[31mred\n');
    expect(await refusal(['map', 'show', path, ...memory])).toBe(
      `${path}:2:7: found "\\x1b]0;owned\\x07\\x1b[31mred"; expected one of stuck-at-0, stuck-at-1, flip (SA0, SA1).`,
    );
  });

  test('that do not say which memory they are of', async () => {
    expect(await refusal(['map', 'hits', table])).toBe(
      `${table} is a CSV table, which does not say how large the memory is: give its banks, rows and columns (--geometry BxRxC), or name the network or accelerator that it is of.`,
    );
    const { stdout } = await bitcell(['map', 'hits', table, '--model', model]);
    expect(stdout).toMatch(
      /^\S*\.onnx with int8 words, resident on edge-16x16: 1 banks × 1024 rows × 256 columns\n\n/,
    );
  });

  test('a second one of infer', async () => {
    const args = ['infer', model, '--input', images, '--input', images, '--output', 'out.npy'];
    expect(await refusal(args)).toMatch(/takes one input, "images", but 2 files are given for it/);
  });

  test('with values that are not finite', async () => {
    const input = join(folder, 'not-finite.npy');
    const data = new Float32Array(3072);
    data.set([Number.NaN, 1, Number.POSITIVE_INFINITY]);
    writeNpy(input, { shape: [1, 3, 32, 32], data });
    const args = ['infer', model, '--input', input, '--output', 'out.npy', '--json', '--quiet'];
    const { status, stdout, stderr } = await bitcell(args);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `bitcell: warning: ${input} holds 2 of 3,072 values as NaN or infinity; outputs of their images may mean nothing.\n`,
    });
    expect(JSON.parse(stdout)).toMatchObject({ nonFiniteInputs: 2 });
  });
});

describe.concurrent('output files', () => {
  test('below /proc', async () => {
    const study = ['run', '--model', model, '--format', 'int8', '--mitigations', 'none'];
    expect(await refusal([...study, '--out', '/proc/x'])).toBe(
      'Cannot write /proc/x/study.duckdb: no folder can be made in /proc; choose another place.',
    );
  });

  test('of odd names', async () => {
    const cwd = join(newFolder(), "a b\nit's üß😀 %d $(x)");
    mkdirSync(cwd);
    copyFileSync(table, join(cwd, '-t.csv'));
    const args = ['map', 'import', ...memory, '--output=-ü.json', '--', '-t.csv'];
    expect(await bitcell(args, { cwd })).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(cwd).sort()).toEqual(['-t.csv', '-ü.json']);
  });
});

test('a switch of the environment that is off', async () => {
  const args = ['map', 'show', table, ...memory];
  const { stdout } = await bitcell(args, { env: { BITCELL_JSON: '0' } });
  expect(stdout).toContain('1 faults');
  expect(await refusal(args, { env: { BITCELL_JSON: 'maybe' } })).toBe(
    'BITCELL_JSON is "maybe"; expected true, 1 or yes, or false, 0, no or nothing.',
  );
});
