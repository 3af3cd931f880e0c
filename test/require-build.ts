import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/index.js';

/** Commands and threads run from the bundle: after `tsc -b` alone it would be that of the code before. */
export default function requireBuild(): void {
  const [bundle, compiled] = ['bundle/cli/program.js', 'tsconfig.tsbuildinfo'].map((file) =>
    join(packageRoot(), 'dist', file),
  );
  if (!existsSync(bundle) || statSync(bundle).mtimeMs < statSync(compiled).mtimeMs) {
    throw new Error('dist/bundle is older than what was compiled: run `npm run build`');
  }
}
