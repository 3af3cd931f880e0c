import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { openState } from '../../campaign/tune/state.js';
import {
  BitcellError,
  beginReplacement,
  InputError,
  packageRoot,
  writeFileAtomic,
  writeNpy,
  writePartsAtomic,
} from '../../core/index.js';
import { type FaultMap, writeFaultMap } from '../../fault/index.js';
import { writeThresholds } from '../../mitigation/index.js';
import { tinyThresholds } from '../cli/tiny-network.js';
import { failAt } from './failing-file-system.js';

const root = mkdtempSync(join(tmpdir(), 'bitcell-failing-'));

afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

const newFolder = () => mkdtempSync(join(root, 'folder-'));

const MAP: FaultMap = {
  geometry: { banks: 1, rows: 4, columns: 8 },
  cells: Float64Array.of(3, 17),
  kinds: Uint8Array.of(0, 1),
  provenance: { source: 'file', file: 'measured' },
};

const LONG = Array.from({ length: 50_000 }, (_, index) => `${index},`);

/** Everything that writes a file of a format of its own, with the name of the file in its folder. */
const WRITERS: readonly {
  readonly file: string;
  readonly write: (path: string, folder: string) => void;
}[] = [
  { file: 'text', write: (path) => writeFileAtomic(path, 'new') },
  { file: 'parts.csv', write: (path) => writePartsAtomic(path, LONG) },
  { file: 'a.npy', write: (path) => writeNpy(path, { shape: [1], data: Float32Array.of(2) }) },
  { file: 'thresholds.json', write: (path) => writeThresholds(path, tinyThresholds()) },
  ...['map.json', 'map.bfm', 'map.csv'].map((file) => ({
    file,
    write: (path: string) => writeFaultMap(path, MAP),
  })),
  { file: 'tuning.json', write: (_, folder) => openState(folder, { seed: 1 }, false).close() },
  {
    file: 'by-another.parquet',
    write(path) {
      const replacement = beginReplacement(path);
      writeFileSync(replacement.temporary, 'new');
      replacement.commit();
    },
  },
];

const OLD = 'old';

/** What the writer writes when nothing fails. */
function written({ file, write }: (typeof WRITERS)[number]): Buffer {
  const folder = newFolder();
  write(join(folder, file), folder);
  return readFileSync(join(folder, file));
}

describe.each(WRITERS)('the n-th system call fails while $file is written', (writer) => {
  const expected = written(writer);

  test.each([
    // A search refuses to begin where another one has been.
    ...(writer.file === 'tuning.json' ? [] : [{ before: OLD, code: 'ENOSPC' }]),
    { before: undefined, code: 'EIO' },
  ])('$code, with $before content before', ({ before, code }) => {
    for (let n = 1; ; n += 1) {
      const folder = newFolder();
      const path = join(folder, writer.file);
      if (before !== undefined) writeFileSync(path, before);
      const system = failAt(n, code, { mostBytes: Math.ceil(expected.length / 3) });
      let error: unknown;
      try {
        writer.write(path, folder);
      } catch (caught) {
        error = caught;
      }
      system.restore();
      const names = readdirSync(folder);
      if (!system.failed()) {
        expect(n).toBeGreaterThan(7);
        expect(error).toBeUndefined();
        expect(names).toEqual([writer.file]);
        expect(readFileSync(path)).toEqual(expected);
        return;
      }
      expect(error).toBeInstanceOf(BitcellError);
      expect(error).not.toBeInstanceOf(InputError);
      expect(String(error)).toContain(`Cannot write ${path}: `);
      const contents = names.map((name) => readFileSync(join(folder, name)));
      const possible = [before === undefined ? [] : [Buffer.from(before)], [expected]];
      expect(possible).toContainEqual(contents);
    }
  });
});

test('a new folder that cannot be made or synchronised', () => {
  for (let n = 1; ; n += 1) {
    const folder = newFolder();
    const path = join(folder, 'a', 'b', 'file');
    const system = failAt(n, 'EIO');
    if (n > 100) throw new Error('something fails for ever');
    const work = () => writeFileAtomic(path, 'new');
    try {
      work();
    } catch (error) {
      expect(String(error)).toContain(`Cannot write ${path}: `);
    }
    system.restore();
    if (!system.failed()) {
      expect(readFileSync(path, 'utf8')).toBe('new');
      return;
    }
    const files = readdirSync(folder, { recursive: true }).map(String);
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }
});

test('a temporary file that could not be removed does not stand in the way', () => {
  const folder = newFolder();
  const path = join(folder, 'file');
  writeFileSync(path, OLD);
  const system = failAt(2, 'ENOSPC', { keepsFiles: true });
  expect(() => writeFileAtomic(path, 'new')).toThrow(
    `Cannot write ${path}: no space left on the device.`,
  );
  system.restore();
  expect(readFileSync(path, 'utf8')).toBe(OLD);
  writeFileAtomic(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
});

/** A process that writes half of what it should in its n-th system call, and is killed. */
const KILLED = `
const [system, writer, path, n] = process.argv.slice(1);
const { fileSystem } = await import(system);
const { writeFileAtomic } = await import(writer);
let calls = 0;
for (const [name, real] of Object.entries(fileSystem)) {
  fileSystem[name] = (...args) => {
    calls += 1;
    if (calls !== Number(n)) return real(...args);
    if (name === 'writeSync') real(args[0], args[1], args[2], args[3] >> 1);
    process.kill(process.pid, 'SIGKILL');
  };
}
writeFileAtomic(path, 'brand new');
`;

test('a process is killed at its n-th system call: the next one finds old or new, and cleans up', () => {
  const [system, writer] = ['file-system.js', 'write-files.js'].map(
    (name) => pathToFileURL(join(packageRoot(), 'dist', 'core', name)).href,
  );
  let leftOvers = 0;
  for (let n = 1; ; n += 1) {
    const folder = newFolder();
    const path = join(folder, 'file');
    writeFileSync(path, OLD);
    const { signal, status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', KILLED, system, writer, path, String(n)],
      { encoding: 'utf8' },
    );
    if (signal === null) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(n).toBeGreaterThan(7);
      expect(leftOvers).toBeGreaterThan(3);
      return;
    }
    expect([OLD, 'brand new']).toContain(readFileSync(path, 'utf8'));
    leftOvers += readdirSync(folder).length - 1;
    writeFileAtomic(join(folder, 'another'), '');
    expect(readdirSync(folder)).toEqual(['another', 'file']);
  }
});
