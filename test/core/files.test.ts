import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  InputError,
  inChunks,
  readFileChecked,
  writeFileAtomic,
  writePartsAtomic,
} from '../../core/index.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bitcell-files-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  test('writes text and bytes, creating parent folders', () => {
    const path = join(folder, 'a', 'b', 'file');
    writeFileAtomic(path, 'naïve\n');
    expect(readFileSync(path, 'utf8')).toBe('naïve\n');
    writeFileAtomic(path, Uint8Array.of(0, 255));
    expect([...readFileSync(path)]).toEqual([0, 255]);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['file']);
  });

  test('leaves nothing behind when the target is a folder', () => {
    const path = join(folder, 'taken');
    mkdirSync(path);
    expect(() => writeFileAtomic(path, 'x')).toThrow(
      new InputError(`Cannot write ${path}: it is a folder.`),
    );
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('names the path when a parent is a file', () => {
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'below');
    expect(() => writeFileAtomic(path, 'x')).toThrow(
      new InputError(`Cannot write ${path}: a part of the path is a file, not a folder.`),
    );
  });
});

describe('writePartsAtomic', () => {
  test('writes what the parts make together', () => {
    const path = join(folder, 'a', 'file');
    const parts = Array.from({ length: 30_000 }, (_, index) => `${index},`);
    writePartsAtomic(path, parts);
    expect(readFileSync(path, 'utf8')).toBe(parts.join(''));
    expect(readdirSync(join(folder, 'a'))).toEqual(['file']);
  });

  test('leaves the old file and passes the error on when a part fails', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    function* failing(): Generator<string> {
      yield 'new';
      throw new InputError('The map is wrong.');
    }
    expect(() => writePartsAtomic(path, failing())).toThrow(new InputError('The map is wrong.'));
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('names a target that cannot be written', () => {
    expect(() => writePartsAtomic(folder, ['x'])).toThrow(
      new InputError(`Cannot write ${folder}: it is a folder.`),
    );
  });
});

describe('inChunks', () => {
  test('keeps the text and makes at most one short chunk', () => {
    const parts = Array.from({ length: 5000 }, (_, index) => 'x'.repeat(index % 97));
    const chunks = [...inChunks(parts)];
    expect(chunks.join('')).toBe(parts.join(''));
    expect(chunks.length).toBeGreaterThan(1);
    for (const chunk of chunks.slice(0, -1)) expect(chunk.length).toBeGreaterThanOrEqual(65_536);
    expect([...inChunks([])]).toEqual([]);
  });
});

describe('readFileChecked', () => {
  test('reads what was written', () => {
    const path = join(folder, 'file');
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    expect([...readFileChecked(path)]).toEqual([1, 2, 3]);
  });

  test('names a missing file and a folder', () => {
    const path = join(folder, 'missing');
    expect(() => readFileChecked(path)).toThrow(
      new InputError(`Cannot read ${path}: no such file or folder.`),
    );
    expect(() => readFileChecked(folder)).toThrow(
      new InputError(`Cannot read ${folder}: it is a folder.`),
    );
  });
});
