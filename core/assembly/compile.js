// Compiles AssemblyScript: node compile.js SOURCE TARGET [OPTION]…
//
// To compile the kernels takes seconds, so TARGET is left alone where it is newer than all it is made of: the files
// of SOURCE's folder, the options (package.json) and the compiler (package-lock.json).
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [source, target, ...options] = process.argv.slice(2);
const folder = dirname(source);
const inputs = [
  fileURLToPath(import.meta.url),
  'package.json',
  'package-lock.json',
  // With the folders themselves, whose times tell that a file was taken away.
  folder,
  ...readdirSync(folder, { recursive: true }).map((name) => join(folder, name)),
];

function isUpToDate() {
  if (!existsSync(target)) return false;
  const { mtimeMs } = statSync(target);
  return inputs.every((input) => statSync(input).mtimeMs < mtimeMs);
}

if (!isUpToDate()) {
  const compiler = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  execFileSync(process.execPath, [compiler, source, '-o', target, ...options], {
    stdio: 'inherit',
  });
}
