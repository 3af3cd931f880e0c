import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  InputError,
  inChunks,
  makeFolders,
  readFileChecked,
  readTextChecked,
  requireSafeOutputs,
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

describe('what is there stays what it is', () => {
  test.each([0o600, 0o640, 0o755])('the mode %o', (mode) => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    chmodSync(path, mode);
    writeFileAtomic(path, 'new');
    expect(statSync(path).mode & 0o7777).toBe(mode);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  test('a read-only file, for root, too', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    chmodSync(path, 0o444);
    expect(() => writeFileAtomic(path, 'new')).toThrow(
      new InputError(`Cannot write ${path}: it is read-only.`),
    );
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  test('symbolic links, through which the target is replaced in its folder', () => {
    mkdirSync(join(folder, 'far'));
    writeFileSync(join(folder, 'far', 'target'), 'old');
    symlinkSync(join('far', 'target'), join(folder, 'second'));
    symlinkSync('second', join(folder, 'first'));
    writeFileAtomic(join(folder, 'first'), 'new');
    expect(readlinkSync(join(folder, 'first'))).toBe('second');
    expect(readlinkSync(join(folder, 'second'))).toBe(join('far', 'target'));
    expect(readFileSync(join(folder, 'far', 'target'), 'utf8')).toBe('new');
    expect(readdirSync(join(folder, 'far'))).toEqual(['target']);
    expect(readdirSync(folder)).toEqual(['far', 'first', 'second']);
  });

  test('a symbolic link to nothing, whose target is made, and one to a folder above another', () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    symlinkSync(join('a', 'b'), join(folder, 'link'));
    symlinkSync(join('..', 'made'), join(folder, 'a', 'b', 'dangling'));
    writeFileAtomic(join(folder, 'link', 'dangling'), 'new');
    expect(readFileSync(join(folder, 'a', 'made'), 'utf8')).toBe('new');
    writeFileAtomic(`${folder}/link/../beside`, 'new');
    expect(readdirSync(join(folder, 'a'))).toEqual(['b', 'beside', 'made']);
  });

  test('symbolic links that lead to themselves are named', () => {
    symlinkSync('loop', join(folder, 'loop'));
    expect(() => writeFileAtomic(join(folder, 'loop'), 'x')).toThrow(
      `Cannot write ${join(folder, 'loop')}: too many symbolic links follow one another.`,
    );
  });

  test('a FIFO, whose reader gets the content', async () => {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    reader.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const content = 'x'.repeat(200_000);
    writeFileAtomic(path, content);
    await once(reader, 'close');
    expect(Buffer.concat(chunks).toString()).toBe(content);
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(['fifo']);
  });

  test('an open file, which is written on where it stands', () => {
    const path = join(folder, 'file');
    const descriptor = openSync(path, 'w');
    writeSync(descriptor, 'before ');
    writeFileAtomic(`/dev/fd/${descriptor}`, 'after');
    closeSync(descriptor);
    expect(readFileSync(path, 'utf8')).toBe('before after');
  });

  test('a device', () => {
    const link = join(folder, 'null');
    symlinkSync('/dev/null', link);
    writeFileAtomic(link, 'x');
    writePartsAtomic('/dev/null', ['x', 'y']);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test.each(['new/', 'new/.', '.', ''])('no folder is made of the path "%s"', (path) => {
    const wrong = path === '' ? path : `${folder}/${path}`;
    expect(() => writeFileAtomic(wrong, 'x')).toThrow(InputError);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('/proc and /sys, where no file can be made', () => {
    for (const path of ['/proc/x', '/proc/x/y/z', '/sys/x']) {
      expect(() => writeFileAtomic(path, 'x')).toThrow(`Cannot write ${path}: `);
    }
    expect(() => makeFolders('/proc/x/y')).toThrow('no folder can be made in /proc');
  });

  test('a name as long as names can be', () => {
    const path = join(folder, 'n'.repeat(255));
    writeFileAtomic(path, 'x');
    expect(readFileSync(path, 'utf8')).toBe('x');
  });
});

describe('temporary files', () => {
  test('of this process, of running ones and of other machines stay; other files, too', () => {
    const path = join(folder, 'file');
    let own = '';
    function* parts(): Generator<string> {
      [own] = readdirSync(folder);
      yield 'x';
    }
    writePartsAtomic(path, parts());
    expect(own).toMatch(/^\.bitcell-.*\.tmp$/);
    const fields = own.split('-');
    const named = (host: string, pid: number, start = fields[3]) =>
      [fields[0], host, pid, start, fields[4], fields[5]].join('-');
    // The number above the largest that Linux gives to a process.
    const dead = 2 ** 22 + 1;
    const stay = [
      named(fields[1], process.pid),
      named(fields[1], process.ppid),
      named('00000000', dead),
      '.bitcell-notes.tmp',
    ];
    const go = [named(fields[1], dead), named(fields[1], process.pid, 'earlier')];
    mkdirSync(join(folder, 'next'));
    for (const name of [...stay, ...go]) writeFileSync(join(folder, 'next', name), '');
    writeFileAtomic(join(folder, 'next', 'file'), 'x');
    expect(readdirSync(join(folder, 'next')).sort()).toEqual([...stay, 'file'].sort());
  });
});

describe('requireSafeOutputs', () => {
  const safe = (output: string, ...inputs: (string | undefined)[]) =>
    requireSafeOutputs([['--output', output]], inputs);

  test('an output is no input by any path or link', () => {
    const input = join(folder, 'input');
    writeFileSync(input, 'x');
    symlinkSync('input', join(folder, 'symbolic'));
    linkSync(input, join(folder, 'hard'));
    for (const output of [
      input,
      `${folder}/./input`,
      join(folder, 'symbolic'),
      join(folder, 'hard'),
    ]) {
      expect(() => safe(output, undefined, input)).toThrow(
        new InputError(
          `--output ${output} is an input of this command, which would be lost; choose another file.`,
        ),
      );
      expect(() => safe(input, output)).toThrow(InputError);
    }
  });

  test('other outputs are safe, whether they are there or not', () => {
    const [input, output] = ['input', 'output'].map((name) => join(folder, name));
    writeFileSync(input, 'x');
    safe(output, input, join(folder, 'missing'));
    writeFileSync(output, 'x');
    safe(output, input);
    safe('/dev/null', input);
  });

  test('outputs differ', () => {
    const outputs = [['--output', join(folder, 'a')] as const, ['--png', `${folder}/./a`] as const];
    expect(() => requireSafeOutputs(outputs, [])).toThrow(
      new InputError(`--png ${folder}/./a is the file of --output, too; choose another file.`),
    );
  });

  test('what cannot be written is told before any work', () => {
    expect(() => safe(folder)).toThrow(new InputError(`Cannot write ${folder}: it is a folder.`));
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

  test('reads a pipe to its end, and files of /proc', () => {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    const content = 'x'.repeat(150_000);
    writeFileSync(join(folder, 'content'), content);
    spawn('sh', ['-c', 'cat content > fifo'], { cwd: folder, stdio: 'ignore' });
    expect(Buffer.from(readFileChecked(path)).toString()).toBe(content);
    expect(readFileChecked('/proc/self/status').length).toBeGreaterThan(0);
  });

  test('reads no more of a pipe than it may', () => {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    spawn('sh', ['-c', 'cat /dev/zero > fifo'], { cwd: folder, stdio: 'ignore' });
    expect(() => readFileChecked(path, 100_000)).toThrow(
      `Cannot read ${path}: more than 100000 bytes come through it`,
    );
  });

  test.each(['/dev/zero', '/dev/null'])('refuses %s', (device) => {
    expect(() => readFileChecked(device)).toThrow(
      new InputError(`Cannot read ${device}: it is a device; give a file or a pipe.`),
    );
  });

  test('refuses a file that is larger than it may be, without reading it', () => {
    const path = join(folder, 'sparse');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    expect(() => readFileChecked(path)).toThrow(
      `Cannot read ${path}: it has ${2 ** 40} bytes, but must have at most ${2 ** 31 - 1}.`,
    );
    expect(() => readTextChecked(path)).toThrow(`at most ${0x1fffffe8}.`);
    truncateSync(path, 11);
    expect(() => readFileChecked(path, 10)).toThrow('it has 11 bytes, but must have at most 10.');
    expect(readFileChecked(path, 11).length).toBe(11);
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
