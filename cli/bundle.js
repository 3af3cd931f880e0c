// Joins the compiled command line, its worker threads and its process into few files (`npm run build:bundle`), and zod
// with them, which alone has 95: a command imports up to 650 modules, and to open one takes Node.js half a millisecond
// or more. What is in dist/ besides stays as it is, for those who import Bitcell.
import { copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
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

const isOurs = (id) => id.startsWith('.') || isAbsolute(id);
const isZod = (id) => id === 'zod' || id.startsWith('zod/');

// Another version's files would stay.
rmSync(bundle, { recursive: true, force: true });
const build = await rolldown({
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(compiled, `${entry}.js`)])),
  platform: 'node',
  external: (id) => !isOurs(id) && !isZod(id),
});
await build.write({ dir: bundle, format: 'esm', chunkFileNames: 'shared/[name].js' });
await build.close();

// The licence of what is copied asks to be copied with it.
const zod = dirname(createRequire(import.meta.url).resolve('zod/package.json'));
copyFileSync(join(zod, 'LICENSE'), join(bundle, 'zod.LICENSE'));
