import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../core/index.js';
import { newFolder, shell } from './command.js';

function folderWith(name: string, content: string): string {
  const folder = newFolder();
  writeFileSync(join(folder, name), content);
  return folder;
}

const timing = 'bitcell timing --json';

describe('stdout', () => {
  test.runIf(existsSync('/dev/full')).each([timing, 'bitcell timing', 'bitcell map --help'])(
    'that is full: %s',
    async (command) => {
      expect(await shell(`${command} > /dev/full`)).toEqual({
        status: 1,
        stdout: '',
        stderr: 'bitcell: Cannot write to standard output: no space left on the device\n',
      });
    },
  );

  test('that takes a part of the output', async () => {
    const { status, stdout, stderr } = await shell(
      `ulimit -f 1; ${timing} > out.json; status=$?; wc -c < out.json; exit $status`,
    );
    expect({ status, stdout: stdout.trim() }).toEqual({ status: 1, stdout: '1024' });
    expect(stderr).toMatch(
      /^bitcell: Cannot write to standard output: it would be larger than files may be there\n$/,
    );
  });

  test.each([`${timing} | head -c 1 > /dev/null`, `${timing} >&-`, `${timing} 2>&- > /dev/null`])(
    'that nobody reads: %s',
    async (command) => {
      expect(await shell(`set -o pipefail; ${command}`)).toEqual({
        status: 0,
        stdout: '',
        stderr: '',
      });
    },
  );
});

test('a working folder that is gone', async () => {
  const { status, stderr } = await shell(
    `mkdir gone; cd gone; rmdir ../gone; bitcell map create --geometry 2x8x8 --rate 0.1 -o m.json`,
  );
  expect(status).toBe(2);
  expect(stderr).toMatch(/^bitcell: .+\n$/);
});

test('Node.js before version 20', async () => {
  const old = "Object.defineProperty(process, 'versions', { value: { node: '18.20.8' } })";
  const { status, stderr } = await shell('NODE_OPTIONS="--import=./old.mjs" bitcell timing', {
    cwd: folderWith('old.mjs', old),
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'bitcell: Node.js 18.20.8 is too old: install version 20 or later\n',
  });
  // What an old version does not understand must not stand before the check.
  const main = readFileSync(join(packageRoot(), 'dist', 'cli', 'main.js'), 'utf8');
  expect(main).not.toMatch(/^import\b|^export [^{]|\?\.|\?\?|await/m);
});

test('too few files that may be open', async () => {
  const { status, stderr } = await shell('ulimit -n 26; bitcell --help');
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'bitcell: Too many open files: allow more with `ulimit -n 1024`\n',
  });
});

test('every command says what its exit status means', async () => {
  const commands = ['', 'run', 'map create'];
  const helps = await Promise.all(commands.map((command) => shell(`bitcell ${command} --help`)));
  for (const { status, stdout } of helps) {
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /\nExit status: 0 ok; 1 failed .*; 2 wrong input;\n3 mismatch; 4 unfinished; 5 requirement failed; 6 undecided; 129, 130, 143 ended by SIGHUP, SIGINT \(Ctrl-C\), SIGTERM\.\n$/,
    );
  }
});
