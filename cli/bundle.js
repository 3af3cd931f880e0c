// Joins the compiled command line, its worker threads and its process into few files (`npm run build:bundle`): a
// command imports up to 650 modules, and to open one takes Node.js half a millisecond or more. What is in dist/
// besides stays as it is, for those who import Bitcell.
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const compiled = fileURLToPath(new URL('../dist/', import.meta.url));
const bundle = join(compiled, 'bundle');

/** Each keeps its path within dist/: by it the program is imported, threads and processes are started. */
const ENTRIES = [
  'cli/program',
  'campaign/execute/worker',
  'campaign/inference/infer-worker',
  'campaign/store/duckdb/probe-process',
  'campaign/tune/worker',
];

/** Dependencies of 75 to 95 files, and those that most commands load. Others have few, or look for files of theirs. */
const COPIED = [
  'zod',
  '@duckdb/node-api',
  'yaml',
  'commander',
  'cli-progress',
  'protobufjs',
  'long',
];

const isOurs = (id) => id.startsWith('.') || isAbsolute(id);
const isCopied = (id) => COPIED.some((name) => id === name || id.startsWith(`${name}/`));

// Another version's files would stay.
rmSync(bundle, { recursive: true, force: true });
const build = await rolldown({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(compiled, `${entry}.js`)])),
  platform: 'node',
  external: (id) => !isOurs(id) && !isCopied(id),
});
await build.write({
  dir: bundle,
  format: 'esm',
  chunkFileNames: 'shared/[name].js',
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
});
await build.close();

// Their licences ask to be copied with them.
const require = createRequire(import.meta.url);
for (const name of COPIED) {
  const folder = require.resolve
    .paths(name)
    .map((path) => join(path, name))
    .find(existsSync);
  const licence = readdirSync(folder).find((file) => file.startsWith('LICENSE'));
  copyFileSync(join(folder, licence), join(bundle, `${name.replaceAll('/', '-')}.LICENSE`));
}
