// Compiles the kernels in C with the system's compiler (`npm run build:native`, after tsc), into dist/kernels/native/.
// Without a compiler it says so in one line and ends well: Bitcell then runs on its WebAssembly kernels.
//
// Usage: node build.js [--sanitize]; with it a second library, which reports every access outside what a kernel was given
// and every undefined operation.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const sources = fileURLToPath(new URL('./source/', import.meta.url));
const compiled = new URL('../../dist/kernels/', import.meta.url);
const folder = fileURLToPath(new URL('native/', compiled));
const compiler = process.env.CC ?? 'cc';
const sanitize = process.argv.includes('--sanitize');
const name = `${process.platform}-${process.arch}${sanitize ? '.sanitized' : ''}`;
const library = join(folder, `${name}.node`);
const stamp = join(folder, `${name}.sha256`);

// To contract a product and a sum into one operation would leave out a rounding that the contract asks for.
const FLAGS = [
  '-std=c11',
  '-O3',
  '-ffp-contract=off',
  '-fPIC',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror',
  ...(sanitize
    ? ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-g']
    : []),
];

const LINK_FLAGS = [
  ...(process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
  ...(sanitize ? ['-fsanitize=address,undefined'] : ['-s']),
];

const AVX512 = ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl'];

/** Instructions that a file may use, by the end of its name; dispatch.c asks the processor before it calls one. */
const INSTRUCTIONS = {
  avx512: [...AVX512, '-mprefer-vector-width=512'],
  avx512vnni: [...AVX512, '-mavx512vnni'],
  amx: ['-mamx-tile', '-mamx-int8'],
  avx2: ['-mavx2'],
  avxvnni: ['-mavx2', '-mavxvnni'],
};

/** Without those of another processor. */
function sourceFiles() {
  return readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.c'))
    .sort()
    .map((file) => ({ file, instructions: INSTRUCTIONS[/[^-.]+(?=\.c$)/.exec(file)?.[0] ?? ''] }))
    .filter(({ instructions }) => process.arch === 'x64' || instructions === undefined);
}

/** An assertion for each field, that the structures in C have it where kernels/layouts.ts says. */
function layoutAsserts({ NATIVE_LAYOUTS }) {
  const shared = Object.keys(NATIVE_LAYOUTS.WindowDescriptor);
  const lines = Object.entries(NATIVE_LAYOUTS).flatMap(([layout, fields]) => {
    const names = Object.keys(fields);
    const isNested = layout !== 'WindowDescriptor' && 'groups' in fields;
    const member = (field) => (isNested && shared.includes(field) ? `window.${field}` : field);
    return [
      ...names.map(
        (field, index) =>
          `_Static_assert(offsetof(${layout}, ${member(field)}) == ${4 * index}, "${layout}.${field}");`,
      ),
      `_Static_assert(sizeof(${layout}) == ${4 * names.length}, "size of ${layout}");`,
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** Of everything that the library is made from but the compiler. */
function digestOf(asserts) {
  const digest = createHash('sha256').update(
    JSON.stringify([FLAGS, LINK_FLAGS, INSTRUCTIONS, asserts]),
  );
  for (const file of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\.[ch]$/.test(file)) digest.update(file).update(readFileSync(join(sources, file)));
  }
  return digest.digest('hex');
}

/** The sources that the library was made from, and the compiler. */
function stampLines() {
  try {
    return readFileSync(stamp, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** First line of what the compiler says of itself; undefined where there is none. */
function compilerVersion() {
  try {
    const text = execFileSync(compiler, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    return text.split('\n')[0];
  } catch {
    return undefined;
  }
}

async function compile(headers, asserts) {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'build-'));
  const run = promisify(execFile);
  try {
    writeFileSync(join(work, 'layouts.h'), asserts);
    const objects = sourceFiles().map(async ({ file, instructions = [] }) => {
      const object = join(work, `${file.replaceAll(/\W/g, '-')}.o`);
      const includes = ['-isystem', headers, '-I', work];
      await run(compiler, [
        ...[...FLAGS, ...instructions, ...includes],
        ...['-c', join(sources, file), '-o', object],
      ]);
      return object;
    });
    const built = join(work, 'library.node');
    await run(compiler, [...LINK_FLAGS, ...(await Promise.all(objects)), '-o', built]);
    renameSync(built, library);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Without a library of other sources, which would take its descriptors otherwise. */
function goOnWithout(reason) {
  rmSync(library, { force: true });
  process.stdout.write(`No native kernels: ${reason}; Bitcell runs on its WebAssembly kernels.\n`);
  process.exitCode = sanitize ? 1 : 0;
}

async function main() {
  const asserts = layoutAsserts(await import(new URL('layouts.js', compiled)));
  const digest = digestOf(asserts);
  const version = compilerVersion();
  const [builtFrom, builtBy] = existsSync(library) ? stampLines() : [];
  if (builtFrom === digest && (version === undefined || builtBy === version)) return;
  if (version === undefined) {
    goOnWithout(`there is no C compiler "${compiler}"`);
    return;
  }
  const require = createRequire(import.meta.url);
  try {
    await compile(require('node-api-headers').include_dir, asserts);
    writeFileSync(stamp, `${digest}\n${version}\n`);
  } catch (error) {
    const [reason] = String(error.stderr || error.message).split('\n');
    goOnWithout(`${compiler} does not compile them (${reason})`);
  }
}

await main();
